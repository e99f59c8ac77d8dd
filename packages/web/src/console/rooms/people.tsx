import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { useMay } from '../context.ts'
import { Dialog, Field, Form } from '../forms.tsx'
import { Table } from '../lists.tsx'
import { Card, Chip, Empty, Shown, Title } from '../parts.tsx'
import { allGroups, peopleFound } from '../queries.ts'
import type { Person } from '../shapes.ts'
import { badgeList } from '../words/badges.ts'
import { people as words } from '../words/people.ts'
import { general } from '../words/shell.ts'

const TYPING_MS = 250
const FIRST = 50
const MOST = 200

/** People by the beginnings of their names. */
export function People() {
	const { find = '' } = useSearch({ from: '/people' })
	const go = useNavigate({ from: '/people' })
	const [typed, setTyped] = useState(find)
	const [limit, setLimit] = useState(FIRST)
	useEffect(() => {
		if (typed.trim() === find) return
		const timer = setTimeout(() => void go({ search: typed.trim() ? { find: typed.trim() } : {}, replace: true, resetScroll: false }), TYPING_MS)
		return () => clearTimeout(timer)
	}, [find, go, typed])
	const mayManage = useMay('people.manage')
	const mayGive = useMay('credential.manage', {})
	const [adding, setAdding] = useState(false)
	const asked = useQuery({ ...peopleFound(find, limit), placeholderData: keepPreviousData })
	const { data: groups } = useQuery(allGroups)
	const groupName = (id: string) => groups?.find((one) => one.id === id)?.name
	return (
		<>
			<Title
				title={words.title}
				below={words.lead}
				end={
					<>
						{mayGive && (
							<Link className="btn" to="/people/badges">
								<Icon name="badge" />
								{badgeList.link}
							</Link>
						)}
						{mayManage && (
							<button type="button" className="btn primary" onClick={() => setAdding(true)}>
								<Icon name="plus" />
								{words.add}
							</button>
						)}
					</>
				}
			/>
			{adding && <AddPerson close={() => setAdding(false)} />}
			<Card label={words.title} flush>
				<search className="filters">
					<label className="search-field">
						<span className="unseen">{words.find}</span>
						<Icon name="search" />
						<input type="search" placeholder={words.find} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
					</label>
				</search>
				<Shown of={asked}>
					{({ items, next }) =>
						items.length === 0 ? (
							<Empty title={words.empty} note={words.emptyNote} />
						) : (
							<>
								<Table heads={[words.name, words.email, words.groups, words.state]}>
									{items.map((person) => (
										<tr key={person.id}>
											<th scope="row">
												<Link to="/people/$user" params={{ user: person.id }}>
													{person.name ?? general.erased}
												</Link>
											</th>
											<td data-label={words.email}>{person.email ?? '–'}</td>
											<td data-label={words.groups}>{person.groups.flatMap((id) => groupName(id) ?? []).join(', ') || '–'}</td>
											<td data-label={words.state}>
												<PersonState person={person} />
											</td>
										</tr>
									))}
								</Table>
								{next !== undefined && limit < MOST && (
									<p className="foot">
										<button type="button" className="btn small" onClick={() => setLimit(MOST)}>
											{general.more}
										</button>
									</p>
								)}
							</>
						)
					}
				</Shown>
			</Card>
		</>
	)
}

function AddPerson({ close }: { close(): void }) {
	const client = useQueryClient()
	const go = useNavigate()
	return (
		<Dialog title={words.addTitle} lead={words.addLead} close={close}>
			<Form
				submit={words.addSubmit}
				cancel={close}
				send={async (form) => {
					const { name, ...more } = fieldsOf(form)
					const { id } = await send<Person>('POST', '/v1/users', {
						name,
						...Object.fromEntries(Object.entries(more).filter(([, value]) => value !== null)),
					})
					await client.invalidateQueries({ queryKey: ['people'] })
					await go({ to: '/people/$user', params: { user: id } })
				}}
			>
				<PersonFields />
			</Form>
		</Dialog>
	)
}

/** What staff write about a person; `person`: as it is known now. */
export function PersonFields({ person }: { readonly person?: Person }) {
	return (
		<>
			<Field label={words.name} name="name" required maxLength={200} autoComplete="off" defaultValue={person?.name ?? ''} />
			<Field label={words.email} name="email" type="email" autoComplete="off" defaultValue={person?.email ?? ''} />
			<Field label={words.phone} name="phone" type="tel" autoComplete="off" defaultValue={person?.phone ?? ''} />
			<Field
				label={words.maxLoans}
				hint={words.maxLoansHint}
				name="maxLoans"
				type="number"
				min={0}
				max={1000}
				autoComplete="off"
				defaultValue={person?.maxLoans ?? ''}
			/>
			<Field
				label={words.offlineMinutes}
				hint={words.offlineMinutesHint}
				name="offlineMinutes"
				type="number"
				min={0}
				max={20_160}
				autoComplete="off"
				defaultValue={person?.offlineMinutes ?? ''}
			/>
		</>
	)
}

/** What stands in them; null: nothing. */
export function fieldsOf(form: FormData) {
	const text = (name: string) => String(form.get(name) ?? '').trim() || null
	const count = (name: string) => (text(name) === null ? null : Number(text(name)))
	return { name: text('name'), email: text('email'), phone: text('phone'), maxLoans: count('maxLoans'), offlineMinutes: count('offlineMinutes') }
}

export function PersonState({ person: { suspended, erasedAt } }: { readonly person: Person }) {
	if (erasedAt !== undefined) return <Chip icon="slash">{words.erased}</Chip>
	return suspended ? (
		<Chip tone="bad" icon="stop">
			{words.suspended}
		</Chip>
	) : (
		<Chip tone="ok" icon="check">
			{words.active}
		</Chip>
	)
}
