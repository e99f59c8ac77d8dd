import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Refusal, send, serverNow } from '../api.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Field, Form, Select } from '../forms.tsx'
import { allBanks, allGroups, allRoles, allSites } from '../queries.ts'
import type { RoleAssignment } from '../shapes.ts'
import { fromLocal, longTime } from '../time.ts'
import { person } from '../words/people.ts'
import { roleName, roles as words } from '../words/roles.ts'
import { FindPerson } from './find-person.tsx'

interface GiveProps {
	/** One of both is known beforehand. */
	readonly role?: string
	readonly user?: { readonly id: string; readonly name: string }
	close(): void
}
/** Gives a role to a person or a group, at a place. */
export function GiveRole({ role, user, close }: GiveProps) {
	const client = useQueryClient()
	const { data: roles } = useQuery(allRoles)
	const { data: groups = [] } = useQuery(allGroups)
	const { data: sites = [] } = useQuery(allSites)
	const { data: banks = [] } = useQuery(allBanks)
	const estate = useEstate()
	const [toGroup, setToGroup] = useState(false)
	const [chosen, setChosen] = useState(user?.id)
	const given = roles?.find(({ id }) => id === role)
	return (
		<Dialog title={user ? words.giveTo(user.name) : words.giveTitle(given ? roleName(given) : '…')} lead={words.giveLead} close={close}>
			<Form
				submit={words.giveSubmit}
				cancel={close}
				send={async (form) => {
					const text = (name: string) => String(form.get(name) ?? '')
					if (!toGroup && chosen === undefined) throw new Refusal(400, 'request-invalid', words.nobodyChosen)
					const [kind = '', id] = text('place').split(' ')
					const until = fromLocal(text('until'), estate.home)
					await send('POST', '/v1/role-assignments', {
						role: role ?? text('role'),
						...(toGroup ? { group: text('group') } : { user: chosen }),
						scope: id === undefined ? { kind: 'tenant' } : { kind, id },
						...(until && { until }),
					})
					await client.invalidateQueries({ queryKey: ['people'] })
					close()
				}}
			>
				{role === undefined && <Select label={words.role} name="role" options={(roles ?? []).map((one) => [one.id, roleName(one)] as const)} />}
				{!user && (
					<>
						<fieldset className="reasons">
							<legend>{words.toWhom}</legend>
							<label>
								<input type="radio" checked={!toGroup} onChange={() => setToGroup(false)} />
								<span>{words.toPerson}</span>
							</label>
							<label>
								<input type="radio" checked={toGroup} onChange={() => setToGroup(true)} />
								<span>{words.toGroup}</span>
							</label>
						</fieldset>
						{toGroup ? (
							<Select label={words.group} name="group" options={groups.map(({ id, name }) => [id, name] as const)} />
						) : (
							<FindPerson choose={setChosen} />
						)}
					</>
				)}
				<Select
					label={words.where}
					name="place"
					options={[
						['tenant', person.everywhereHeld],
						...sites.map(({ id, name }) => [`site ${id}`, name] as const),
						...banks.map(({ id, name }) => [`bank ${id}`, name] as const),
					]}
				/>
				<Field label={words.until} hint={words.untilHint} name="until" type="datetime-local" />
			</Form>
		</Dialog>
	)
}

export function TakeRole({ assignment, name, close }: { readonly assignment: string; readonly name: string; close(): void }) {
	const client = useQueryClient()
	return (
		<Dialog title={words.takeTitle(name)} lead={words.takeLead} close={close}>
			<Form
				submit={words.takeSubmit}
				danger
				cancel={close}
				send={async () => {
					await send('DELETE', `/v1/role-assignments/${assignment}`)
					await client.invalidateQueries({ queryKey: ['people'] })
					close()
				}}
			>
				{null}
			</Form>
		</Dialog>
	)
}

/** Where a role is held and until when, in words. */
export function useHeldWords(): (held: Pick<RoleAssignment, 'scope' | 'until'>) => string {
	const estate = useEstate()
	return ({ scope: { kind, id }, until }) => {
		const place =
			kind === 'tenant'
				? person.everywhereHeld
				: ((kind === 'site' ? estate.site(id) : kind === 'bank' ? estate.bank(id) : undefined) ?? person.places[kind])
		if (until === undefined) return place
		return `${place}, ${Date.parse(until) <= serverNow() ? words.ended : words.ends(longTime(until, estate.home))}`
	}
}
