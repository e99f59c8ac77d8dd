import { useQueries, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { capital } from '../../ui/words.ts'
import { send } from '../api.ts'
import { useMay } from '../context.ts'
import { Dialog, Form, Select, wordsOf } from '../forms.tsx'
import { Dotted } from '../names.tsx'
import { Card, Chip, Empty, Room, Shown, Title } from '../parts.tsx'
import { allGroups, allRoles, caseList, onePerson, rolesOf } from '../queries.ts'
import type { Person } from '../shapes.ts'
import { person as words } from '../words/people.ts'
import { roleName, roles } from '../words/roles.ts'
import { general } from '../words/shell.ts'
import { CaseTable } from './cases.tsx'
import { fieldsOf, PersonFields, PersonState } from './people.tsx'
import { OneTimeCodes } from './person-codes.tsx'
import { Credentials } from './person-credentials.tsx'
import { PersonReach } from './person-reach.tsx'
import { Standing } from './person-standing.tsx'
import { GiveRole, TakeRole, useHeldWords } from './role-give.tsx'

/** A person: contact, groups, badges and PINs, and what is open. */
export function PersonRoom() {
	const { user } = useParams({ from: '/people/$user' })
	const asked = useQuery(onePerson(user))
	return (
		<Room of={asked} one="person">
			{(person) => <Filled key={person.id} person={person} />}
		</Room>
	)
}

function Filled({ person }: { readonly person: Person }) {
	const client = useQueryClient()
	const mayManage = useMay('people.manage', {})
	const mayReadPolicies = useMay('policy.read')
	const mayReadTrail = useMay('audit.read.person')
	const [asking, setAsking] = useState<'suspend' | 'edit'>()
	const [problem, setProblem] = useState<string>()
	const { data: cases } = useQuery({
		queryKey: ['case', 'of', person.id],
		queryFn: () => caseList({ owner: person.id, open: true }, undefined, 20),
		enabled: useMay('case.read'),
	})
	const name = person.name ?? general.erased
	const suspend = async (suspended: boolean) => {
		await send('PATCH', `/v1/users/${person.id}`, { suspended }, person.version)
		await client.invalidateQueries({ queryKey: ['people'] })
	}
	return (
		<>
			<Title
				title={name}
				below={<PersonState person={person} />}
				end={
					<>
						{mayReadTrail && (
							<Link to="/events" search={{ person: person.id }} className="btn">
								{words.trail}
							</Link>
						)}
						{mayManage &&
							person.erasedAt === undefined &&
							(person.suspended ? (
								<button
									type="button"
									className="btn"
									onClick={() => {
										setProblem(undefined)
										suspend(false).catch((error: unknown) => setProblem(wordsOf(error)))
									}}
								>
									<Icon name="check" />
									{words.resume}
								</button>
							) : (
								<button type="button" className="btn danger" onClick={() => setAsking('suspend')}>
									<Icon name="stop" />
									{words.suspend}
								</button>
							))}
					</>
				}
			/>
			{problem !== undefined && (
				<p className="banner bad" role="alert">
					<Icon name="alarm" />
					{problem}
				</p>
			)}
			<div className="cols person-cols">
				<div className="stack">
					<Credentials person={person} />
					<OneTimeCodes person={person} />
					<Card title={words.cases} flush>
						{cases && cases.items.length > 0 ? <CaseTable cases={cases.items} /> : <Empty title={words.noCases} />}
					</Card>
					{mayReadPolicies && person.erasedAt === undefined && <PersonReach user={person.id} />}
				</div>
				<div className="stack">
					<Card
						title={words.contact}
						end={
							mayManage &&
							person.erasedAt === undefined && (
								<button type="button" className="btn small" onClick={() => setAsking('edit')}>
									{words.edit}
								</button>
							)
						}
					>
						<dl className="kv">
							<dt>E-mail</dt>
							<dd>{person.email ?? words.none}</dd>
							<dt>{words.phone}</dt>
							<dd>{person.phone ?? words.none}</dd>
							<dt>{words.maxLoans}</dt>
							<dd>{person.maxLoans ?? words.bySettings}</dd>
							<dt>{words.offline}</dt>
							<dd>{offlineOf(person)}</dd>
						</dl>
					</Card>
					<Groups person={person} mayManage={mayManage && person.erasedAt === undefined} />
					{person.erasedAt === undefined && <Standing person={person} />}
					<Roles person={person} />
				</div>
			</div>
			{asking === 'edit' && <Edit person={person} close={() => setAsking(undefined)} />}
			{asking === 'suspend' && (
				<Dialog title={words.suspendTitle(name)} lead={words.suspendLead} close={() => setAsking(undefined)}>
					<Form
						submit={words.suspendSubmit}
						danger
						cancel={() => setAsking(undefined)}
						send={async () => {
							await suspend(true)
							setAsking(undefined)
						}}
					>
						{null}
					</Form>
				</Dialog>
			)}
		</>
	)
}

function offlineOf({ offlineMinutes }: Person): string {
	if (offlineMinutes === undefined) return words.offlineBySite
	return offlineMinutes === 0 ? words.offlineNever : words.offlineFor(offlineMinutes)
}

/** Only what was changed is sent: an address is what one signs in with, time without the server is a right, and not everybody may change those. */
function Edit({ person, close }: { readonly person: Person; close(): void }) {
	const client = useQueryClient()
	return (
		<Dialog title={words.editTitle(person.name ?? general.erased)} close={close}>
			<Form
				submit={words.editSubmit}
				cancel={close}
				send={async (form) => {
					const changed = Object.entries(fieldsOf(form)).filter(([field, value]) => value !== (person[field as keyof Person] ?? null))
					if (changed.length > 0) await send('PATCH', `/v1/users/${person.id}`, Object.fromEntries(changed), person.version)
					await client.invalidateQueries({ queryKey: ['people'] })
					close()
				}}
			>
				<PersonFields person={person} />
			</Form>
		</Dialog>
	)
}

function Groups({ person, mayManage }: { readonly person: Person; readonly mayManage: boolean }) {
	const client = useQueryClient()
	const { data: groups = [] } = useQuery(allGroups)
	const [problem, setProblem] = useState<string>()
	const others = groups.filter(({ id }) => !person.groups.includes(id))
	const change = async (method: 'PUT' | 'DELETE', group: string) => {
		await send(method, `/v1/groups/${group}/members/${person.id}`)
		await client.invalidateQueries({ queryKey: ['people'] })
	}
	return (
		<Card title={words.groups}>
			{person.groups.length === 0 && <p className="mute">{words.noGroups}</p>}
			<ul className="chips">
				{groups
					.filter(({ id }) => person.groups.includes(id))
					.map(({ id, name }) => (
						<li key={id}>
							<Chip tone="brand" icon="people">
								{name}
								{mayManage && (
									<button
										type="button"
										className="chip-x"
										aria-label={words.leave(name)}
										onClick={() => {
											setProblem(undefined)
											change('DELETE', id).catch((error: unknown) => setProblem(wordsOf(error)))
										}}
									>
										<Icon name="x" />
									</button>
								)}
							</Chip>
						</li>
					))}
			</ul>
			{problem !== undefined && (
				<p className="problem" role="alert">
					<Icon name="alarm" />
					{problem}
				</p>
			)}
			{mayManage && others.length > 0 && (
				<Form submit={words.joinSubmit} send={(form) => change('PUT', String(form.get('group')))}>
					<Select label={words.join} name="group" options={others.map(({ id, name }) => [id, name] as const)} />
				</Form>
			)}
		</Card>
	)
}

/** What this person may do through the API and here, and by what. */
function Roles({ person: { id, name, groups, erasedAt } }: { readonly person: Person }) {
	const allowed = useMay('role.read', {})
	const mayAssign = useMay('role.assign')
	const placeOf = useHeldWords()
	const { data: known } = useQuery({ ...allRoles, enabled: allowed })
	const { data: all = [] } = useQuery(allGroups)
	const own = useQuery({ ...rolesOf({ user: id }), enabled: allowed })
	const ofGroups = useQueries({ queries: groups.map((group) => ({ ...rolesOf({ group }), enabled: allowed })) })
	const [asking, setAsking] = useState<'give' | { readonly take: string; readonly name: string }>()
	if (!allowed) return null
	const close = () => setAsking(undefined)
	const nameOf = (role: string) => {
		const found = known?.find((one) => one.id === role)
		return found ? roleName(found) : capital(role.replaceAll('-', ' '))
	}
	return (
		<Card
			title={words.roles}
			end={
				mayAssign &&
				erasedAt === undefined && (
					<button type="button" className="btn small" onClick={() => setAsking('give')}>
						{roles.giveRole}
					</button>
				)
			}
		>
			<Shown of={own}>
				{({ items }) => {
					const held = [...items, ...ofGroups.flatMap(({ data }) => data?.items ?? [])]
					if (held.length === 0) return <p className="mute">{words.noRoles}</p>
					return (
						<ul className="roles-held">
							{held.map(({ id: assignment, role, group, ...where }) => (
								<li key={assignment}>
									<b>{nameOf(role)}</b>
									<span className="mute">
										<Dotted>
											{[placeOf(where), group !== undefined && words.through(all.find((one) => one.id === group)?.name ?? words.aGroup)]}
										</Dotted>
									</span>
									{mayAssign && group === undefined && (
										<button
											type="button"
											className="chip-x"
											aria-label={roles.takeTitle(nameOf(role))}
											onClick={() => setAsking({ take: assignment, name: nameOf(role) })}
										>
											<Icon name="x" />
										</button>
									)}
								</li>
							))}
						</ul>
					)
				}}
			</Shown>
			{asking === 'give' && <GiveRole user={{ id, name: name ?? '' }} close={close} />}
			{typeof asking === 'object' && <TakeRole assignment={asking.take} name={asking.name} close={close} />}
		</Card>
	)
}
