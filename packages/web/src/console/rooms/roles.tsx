import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { useMay } from '../context.ts'
import { Dialog, Field, Form } from '../forms.tsx'
import { Table } from '../lists.tsx'
import { Who } from '../names.tsx'
import { Card, NoSuch, Room, Shown, Title } from '../parts.tsx'
import { allGroups, allPermissions, allRoles, holdersOf } from '../queries.ts'
import type { Role } from '../shapes.ts'
import { roleName, roles as words } from '../words/roles.ts'
import { GiveRole, TakeRole, useHeldWords } from './role-give.tsx'

/** All roles; one of them with what it lets do, and who holds it. */
export function Roles() {
	const { role: wanted } = useParams({ strict: false })
	const asked = useQuery(allRoles)
	const mayAssign = useMay('role.assign', {})
	const [adding, setAdding] = useState(false)
	return (
		<>
			<Room of={asked}>
				{(items) => {
					const chosen = wanted === undefined ? items[0] : items.find(({ id }) => id === wanted)
					return chosen ? (
						<Filled
							key={chosen.id}
							role={chosen}
							all={items}
							add={
								mayAssign && (
									<button type="button" className="btn" onClick={() => setAdding(true)}>
										<Icon name="plus" />
										{words.add}
									</button>
								)
							}
						/>
					) : (
						<NoSuch one="role" />
					)
				}}
			</Room>
			{adding && <EditRole close={() => setAdding(false)} />}
		</>
	)
}

function Filled({ role, all, add }: { readonly role: Role; readonly all: readonly Role[]; readonly add: React.ReactNode }) {
	const { data: permissions } = useQuery(allPermissions)
	const [asking, setAsking] = useState<'give' | 'edit' | 'remove'>()
	const mayAssign = useMay('role.assign')
	const close = () => setAsking(undefined)
	const held = permissions?.filter(({ permission }) => role.permissions.includes(permission))
	return (
		<>
			<Title
				title={roleName(role)}
				below={words.lead}
				end={
					mayAssign && (
						<>
							{!role.builtIn && (
								<>
									<button type="button" className="btn danger" onClick={() => setAsking('remove')}>
										{words.remove}
									</button>
									<button type="button" className="btn" onClick={() => setAsking('edit')}>
										{words.edit}
									</button>
								</>
							)}
							<button type="button" className="btn primary" onClick={() => setAsking('give')}>
								<Icon name="plus" />
								{words.give}
							</button>
						</>
					)
				}
			/>
			<div className="policy">
				<nav className="card policy-list" aria-label={words.list}>
					<ul>
						{all.map((one) => (
							<li key={one.id}>
								<Link to="/roles/$role" params={{ role: one.id }} {...(one.id === role.id && { 'aria-current': 'page' as const })}>
									<b>{roleName(one)}</b>
									<span className="mute">{one.builtIn ? words.builtIn : words.own}</span>
								</Link>
							</li>
						))}
					</ul>
					{add}
				</nav>
				<Card title={words.permissions}>
					{held && held.length === 0 && <p className="mute">{words.nothing}</p>}
					<ul className="checked">
						{held?.map(({ permission, words: said }) => (
							<li key={permission} className="ok">
								<Icon name="check" />
								<span>
									{said} <span className="mono mute">{permission}</span>
								</span>
							</li>
						))}
					</ul>
				</Card>
				<Holders role={role} mayAssign={mayAssign} />
			</div>
			{asking === 'give' && <GiveRole role={role.id} close={close} />}
			{asking === 'edit' && <EditRole role={role} close={close} />}
			{asking === 'remove' && <RemoveRole role={role} close={close} />}
		</>
	)
}

function Holders({ role, mayAssign }: { readonly role: Role; readonly mayAssign: boolean }) {
	const asked = useQuery(holdersOf(role.id))
	const { data: groups = [] } = useQuery(allGroups)
	const placeOf = useHeldWords()
	const [taking, setTaking] = useState<string>()
	return (
		<Card title={words.holders} flush>
			<Shown of={asked}>
				{(items) =>
					items.length === 0 ? (
						<p className="mute inset foot">{words.nobody}</p>
					) : (
						<Table heads={[words.holder, words.where, { text: words.takeAway, as: 'unseen' }]}>
							{items.map(({ id, user, group, scope, until }) => (
								<tr key={id}>
									<th scope="row">
										{user ? (
											<Who id={user} />
										) : (
											<>
												{groups.find((one) => one.id === group)?.name ?? '…'} <span className="mute">{words.group.toLowerCase()}</span>
											</>
										)}
									</th>
									<td data-label={words.where}>{placeOf({ scope, ...(until !== undefined && { until }) })}</td>
									<td>
										{mayAssign && (
											<button type="button" className="btn small danger" onClick={() => setTaking(id)}>
												{words.takeAway}
											</button>
										)}
									</td>
								</tr>
							))}
						</Table>
					)
				}
			</Shown>
			{taking && <TakeRole assignment={taking} name={roleName(role)} close={() => setTaking(undefined)} />}
		</Card>
	)
}

function EditRole({ role, close }: { readonly role?: Role; close(): void }) {
	const client = useQueryClient()
	const go = useNavigate()
	const { data: permissions = [] } = useQuery(allPermissions)
	return (
		<Dialog title={role ? words.editTitle(role.name) : words.addTitle} lead={role ? words.editLead : words.addLead} close={close} className="wide">
			<Form
				submit={role ? words.editSubmit : words.addSubmit}
				cancel={close}
				send={async (form) => {
					const body = { name: String(form.get('name')).trim(), permissions: form.getAll('permission').map(String) }
					const made = role ? await send<Role>('PATCH', `/v1/roles/${role.id}`, body, role.version) : await send<Role>('POST', '/v1/roles', body)
					await client.invalidateQueries({ queryKey: ['people'] })
					close()
					await go({ to: '/roles/$role', params: { role: made.id } })
				}}
			>
				<Field label={words.name} name="name" required maxLength={100} defaultValue={role?.name} />
				<fieldset className="reasons choices wide-choices">
					<legend>{words.permissions}</legend>
					{permissions.map(({ permission, words: said }) => (
						<label key={permission}>
							<input type="checkbox" name="permission" value={permission} defaultChecked={role?.permissions.includes(permission)} />
							<span>{said}</span>
						</label>
					))}
				</fieldset>
			</Form>
		</Dialog>
	)
}

function RemoveRole({ role, close }: { readonly role: Role; close(): void }) {
	const client = useQueryClient()
	const go = useNavigate()
	return (
		<Dialog title={words.removeTitle(role.name)} lead={words.removeLead} close={close}>
			<Form
				submit={words.removeSubmit}
				danger
				cancel={close}
				send={async () => {
					await send('DELETE', `/v1/roles/${role.id}`, undefined, role.version)
					// Away from its address first: there it would be missed.
					close()
					await go({ to: '/roles' })
					await client.invalidateQueries({ queryKey: ['people'] })
				}}
			>
				{null}
			</Form>
		</Dialog>
	)
}
