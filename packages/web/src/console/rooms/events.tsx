import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { Fragment, useCallback, useEffect, useRef, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { get, query, send, serverNow } from '../api.ts'
import { useMay, useSeat } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Form } from '../forms.tsx'
import { Filter, Table } from '../lists.tsx'
import { useEvents } from '../live.ts'
import { EventFacts, Moment, shortId, useDoors, Who } from '../names.tsx'
import { Card, Chip, Empty, Shown, Title } from '../parts.tsx'
import { allBanks, newestCheckpoint } from '../queries.ts'
import type { EventsSearch } from '../search.ts'
import type { LedgerEvent, Page } from '../shapes.ts'
import { stamp, useNow } from '../time.ts'
import { type Proven, verifyRecord } from '../verify.ts'
import { proofWords } from '../words/cases.ts'
import { bareType, EVENT_NAMES, eventWords, events as words } from '../words/events.ts'
import { count, general, span } from '../words/shell.ts'

const LIMIT = 50
/** New events are fetched together, so that a busy hour does not make the page busy. */
const TOGETHER_MS = 600

type Checked = Proven | 'checking' | { readonly ok: undefined; readonly why: 'problem' }

/** The ledger, newest first and live; each line can be proven here. */
export function Events() {
	const search = useSearch({ from: '/events' })
	const { live, me } = useSeat()
	const mayVerify = useMay('audit.read', {})
	const seesEstate = useMay('estate.read')
	const { data: banks = [] } = useQuery({ ...allBanks, enabled: seesEstate })
	const [paused, setPaused] = useState(false)
	const [missed, setMissed] = useState(0)
	const [checked, setChecked] = useState<ReadonlyMap<number, Checked>>(new Map())
	const isPast = search.at !== undefined
	const { person, type, bank, subject } = search
	const asked = useQuery({
		queryKey: ['events', search],
		queryFn: ({ signal }) =>
			get<Page<LedgerEvent>>(
				(person === undefined ? '/v1/events' : `/v1/users/${person}/events`) +
					query({
						...(person === undefined && { type, bank, subject, order: 'falling' }),
						limit: LIMIT,
						...(search.at !== undefined && { before: search.at + 1 }),
					}),
				signal,
			),
		placeholderData: keepPreviousData,
		staleTime: 0,
	})
	const { refetch } = asked
	const planned = useRef<ReturnType<typeof setTimeout>>(undefined)
	const heard = useCallback(
		(head: { readonly type: string; readonly subject: string; readonly bankid?: string }) => {
			const fits = (!type || bareType(head.type) === type) && (!bank || head.bankid === bank) && (!subject || head.subject === subject)
			// The head of an event does not say who did it.
			if (!fits || isPast || person !== undefined) return
			if (paused) return setMissed((n) => n + 1)
			planned.current ??= setTimeout(() => {
				planned.current = undefined
				void refetch()
			}, TOGETHER_MS)
		},
		[bank, isPast, paused, person, refetch, subject, type],
	)
	useEvents(live, heard)
	useEffect(
		() => () => {
			clearTimeout(planned.current)
			planned.current = undefined
		},
		[],
	)
	const verify = async (some: readonly LedgerEvent[]) => {
		const left = [...some]
		const mark = (event: LedgerEvent, state: Checked) => setChecked((old) => new Map(old).set(Number(event.sequence), state))
		const work = async () => {
			for (let event = left.shift(); event; event = left.shift()) {
				mark(event, 'checking')
				const shown = { position: Number(event.sequence), type: bareType(event.type), subject: event.subject, data: event.data }
				mark(event, await verifyRecord(me.tenant.id, shown).catch(() => ({ ok: undefined, why: 'problem' }) as const))
			}
		}
		await Promise.all(Array.from({ length: 4 }, work))
	}
	const estate = useEstate()
	return (
		<>
			<Title
				title={words.title}
				below={
					<>
						{person === undefined ? words.lead : words.personLead} <span className="mute">{estate.told}.</span>
					</>
				}
				end={
					<>
						{!isPast && person === undefined && (
							<button
								type="button"
								className="btn"
								aria-pressed={paused}
								onClick={() => {
									setPaused(!paused)
									setMissed(0)
									if (paused) void refetch()
								}}
							>
								<Icon name={paused ? 'right' : 'pause'} />
								{paused ? words.resume : words.pause}
							</button>
						)}
						{mayVerify && asked.data && asked.data.items.length > 0 && (
							<button type="button" className="btn primary" onClick={() => void verify(asked.data.items)}>
								<Icon name="shield" />
								{words.verifyThese(asked.data.items.length)}
							</button>
						)}
					</>
				}
			/>
			{mayVerify && <CheckpointLine />}
			<Card label={words.title} flush>
				{person === undefined ? (
					<Filters search={search} banks={banks} />
				) : (
					<p className="banner info">
						<Icon name="person" />
						<span>
							{words.personOf} <Who id={person} />
						</span>
						<Link to="/events" className="btn small">
							{words.personAll}
						</Link>
					</p>
				)}
				{paused && (
					<p className="banner info" role="status">
						<Icon name="pause" />
						{words.paused(missed)}
					</p>
				)}
				<Tally checked={checked} />
				<Shown of={asked}>
					{({ items, next }) =>
						items.length === 0 ? (
							<Empty title={words.empty} note={words.emptyNote}>
								<Link to="/events" className="btn small">
									{words.clear}
								</Link>
							</Empty>
						) : (
							<>
								<Table
									heads={[{ text: words.position, as: 'right' }, words.time, words.what, words.who, words.where, mayVerify && words.proof]}
									className="events"
								>
									{items.map((event) => (
										<Row
											key={event.id}
											event={event}
											bankName={estate.bank(event.bankid)}
											state={checked.get(Number(event.sequence))}
											verify={mayVerify ? () => void verify([event]) : undefined}
										/>
									))}
								</Table>
								<p className="foot row">
									{isPast && (
										<Link to="/events" search={(old) => ({ ...old, at: undefined })} className="btn small">
											{words.newest}
										</Link>
									)}
									{next !== undefined && (
										<Link to="/events" search={(old) => ({ ...old, at: Number(items.at(-1)?.sequence) - 1 })} className="btn small">
											{words.older}
										</Link>
									)}
								</p>
							</>
						)
					}
				</Shown>
			</Card>
			<ExportNote />
		</>
	)
}

interface RowProps {
	readonly event: LedgerEvent
	readonly bankName: string | undefined
	readonly state: Checked | undefined
	readonly verify: (() => void) | undefined
}
function Row({ event, bankName, state, verify }: RowProps) {
	const position = Number(event.sequence)
	return (
		<tr>
			<td className="right mono" data-label={words.position}>
				{count(position)}
			</td>
			<td className="nowrap" data-label={words.time}>
				<Moment at={event.time} bank={event.bankid} site={event.siteid} as={stamp} />
			</td>
			<th scope="row">
				{eventWords(event.type)} {event.subject !== event.bankid && <About id={event.subject} bank={event.bankid} />}
				<small className="mute">
					{' '}
					<EventFacts data={event.data} bank={event.bankid} />
				</small>
			</th>
			<td data-label={words.who}>{event.actor === undefined ? '–' : <Who id={event.actor} />}</td>
			<td className="where" data-label={words.where}>
				{bankName !== undefined && event.bankid !== undefined ? (
					<Link to="/banks/$bank" params={{ bank: event.bankid }}>
						{bankName}
					</Link>
				) : (
					'–'
				)}
			</td>
			{verify && (
				<td data-label={words.proof}>
					<Proof state={state} position={position} verify={verify} />
				</td>
			)}
		</tr>
	)
}

/** What an event is about, where there is a room for it. */
function About({ id, bank }: { readonly id: string; readonly bank: string | undefined }) {
	const door = useDoors(id.startsWith('cmp_') ? bank : undefined)?.get(id)
	if (door !== undefined && bank !== undefined)
		return (
			<Link className="small-link" to="/banks/$bank" params={{ bank }} search={{ door }}>
				{general.door(door)}
			</Link>
		)
	if (id.startsWith('cas_'))
		return (
			<Link className="small-link" to="/cases/$case" params={{ case: id }}>
				the case
			</Link>
		)
	if (id.startsWith('sub_'))
		return (
			<span className="small-link">
				<Who id={id} />
			</span>
		)
	return (
		<Link className="small-link mono" to="/events" search={{ subject: id }} title={id}>
			{shortId(id)}
		</Link>
	)
}

function Proof({ state, position, verify }: { readonly state: Checked | undefined; readonly position: number; verify(): void }) {
	if (state === undefined || (typeof state === 'object' && state.ok === undefined && state.why === 'problem'))
		return (
			<button type="button" className="btn small quiet" aria-label={words.verifyOne(position)} onClick={verify}>
				{words.verify}
			</button>
		)
	if (state === 'checking') return <span className="mute">{words.checking}</span>
	if (state.ok === true)
		return (
			<Chip tone="ok" icon="shield">
				{words.proven}
			</Chip>
		)
	if (state.ok === undefined) return <Chip icon="clock">{state.why === 'browser' ? words.unchecked : words.waiting}</Chip>
	return (
		<Chip tone="bad" icon="alarm">
			{words.refused}
		</Chip>
	)
}

/** Said aloud once: how many were proven, and why one was not. */
function Tally({ checked }: { readonly checked: ReadonlyMap<number, Checked> }) {
	const all = [...checked.values()].filter((one) => typeof one === 'object')
	const proven = all.filter(({ ok }) => ok === true).length
	const reasons = [...new Set(all.flatMap((one) => (one.ok === false ? [one.why] : [])))]
	if (all.length === 0) return <div role="status" />
	return (
		<div role="status" className={reasons.length > 0 ? 'banner bad' : 'banner ok'}>
			<Icon name={reasons.length > 0 ? 'alarm' : 'shield'} />
			<span>
				{proofWords.proven(proven, all.length)}.{' '}
				{reasons.map((why) => (
					<Fragment key={why}>{proofWords.why[why]} </Fragment>
				))}
				{all.some((one) => one.ok === undefined && one.why === 'browser') ? proofWords.browser : reasons.length === 0 && proofWords.says}
			</span>
		</div>
	)
}

function CheckpointLine() {
	const { data } = useQuery({ ...newestCheckpoint, refetchInterval: 30_000 })
	const now = useNow()
	const newest = data?.items[0]
	if (!data) return null
	return (
		<p className="row mute">
			<Icon name="shield" />
			<span>
				<b>{words.checkpoint}.</b> {newest ? words.checkpointSays(newest.size, span(now - Date.parse(newest.signedAt))) : words.checkpointNone}
			</span>
		</p>
	)
}

function Filters({ search, banks }: { readonly search: EventsSearch; readonly banks: readonly { readonly id: string; readonly name: string }[] }) {
	const go = useNavigate({ from: '/events' })
	const change = (fields: EventsSearch) => void go({ search: (old) => ({ ...old, ...fields, at: undefined }), replace: true, resetScroll: false })
	const [typed, setTyped] = useState(search.subject ?? '')
	useEffect(() => setTyped(search.subject ?? ''), [search.subject])
	return (
		<search className="filters">
			<Filter label={words.type} any={words.anyType} options={EVENT_NAMES} value={search.type} choose={(chosen) => change({ type: chosen })} />
			{banks.length > 0 && (
				<Filter
					label={words.bank}
					any={words.anyBank}
					options={banks.map(({ id, name }) => [id, name] as const)}
					value={search.bank}
					choose={(chosen) => change({ bank: chosen })}
				/>
			)}
			<form
				className="search-field"
				onSubmit={(event) => {
					event.preventDefault()
					change({ subject: typed.trim() || undefined })
				}}
			>
				<label className="unseen" htmlFor="subject">
					{words.subject}
				</label>
				<Icon name="search" />
				<input id="subject" type="search" placeholder={words.subjectHint} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
			</form>
		</search>
	)
}

const TOKEN_LIFE_MS = 86_400_000

/** The commands as they can be typed, with a token that is good for this and for a day. */
function ExportNote() {
	const may = useMay('audit.export', {})
	const [token, setToken] = useState<string>()
	if (!may) return null
	const lines = [
		`export LATCHWORK_TOKEN=${token ?? 'lw_…'}`,
		`npx latchwork ledger export --server ${location.origin} --out audit-log`,
		'npx latchwork ledger verify audit-log',
	]
	return (
		<Card title={words.export}>
			<p className="soft">{words.exportNote}</p>
			<pre className="code">{lines.join('\n')}</pre>
			{token === undefined ? (
				<Form
					submit={words.exportToken}
					send={async () => {
						const expiresAt = new Date(serverNow() + TOKEN_LIFE_MS).toISOString()
						const permissions = ['audit.read', 'audit.export']
						const made = await send<{ token: string }>('POST', '/v1/tokens', { name: words.exportTokenName, permissions, expiresAt })
						setToken(made.token)
					}}
				>
					<p className="mute">{words.exportTokenNote}</p>
				</Form>
			) : (
				<p className="mute" role="status">
					{words.exportTokenNote}
				</p>
			)}
		</Card>
	)
}
