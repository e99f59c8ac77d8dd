import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Fragment, type ReactNode, useEffect } from 'react'
import { get, query } from './api.ts'
import { useMay } from './context.ts'
import { useEstate } from './estate.ts'
import { bankDoors, oneAsset } from './queries.ts'
import type { Case, Page, Person } from './shapes.ts'
import { when, zoneName } from './time.ts'
import { WORKFLOWS } from './words/cases.ts'
import { eventFacts } from './words/events.ts'
import { general } from './words/shell.ts'

/** Names for pseudonyms, asked for together: a list of fifty events makes one question, not fifty. */
const waiting = new Map<string, ((name: string | null) => void)[]>()
let planned = false
/** What one address of the API takes. */
const MOST = 150

function nameOf(id: string): Promise<string | null> {
	return new Promise((resolve) => {
		waiting.set(id, [...(waiting.get(id) ?? []), resolve])
		if (planned) return
		planned = true
		setTimeout(() => void ask(), 20)
	})
}

async function ask(): Promise<void> {
	planned = false
	const asked = [...waiting]
	waiting.clear()
	for (let at = 0; at < asked.length; at += MOST) {
		const some = asked.slice(at, at + MOST)
		const ids = some.map(([id]) => id).join(',')
		const found = await get<Page<Person>>(`/v1/users${query({ ids, limit: 200 })}`).catch(() => undefined)
		const names = new Map(found?.items.map(({ id, name }) => [id, name ?? general.erased]))
		for (const [id, answers] of some) for (const answer of answers) answer(names.get(id) ?? null)
	}
}

/** `null`: nobody that the reader may know. */
export function useName(id: string | undefined): string | null | undefined {
	const allowed = useMay('people.read')
	const client = useQueryClient()
	const isPerson = id?.startsWith('sub_') ?? false
	const { data } = useQuery({
		queryKey: ['name', id],
		queryFn: () => nameOf(id as string),
		enabled: isPerson && allowed,
		staleTime: 300_000,
	})
	useEffect(() => {
		if (isPerson && !allowed) client.setQueryData(['name', id], null)
	}, [allowed, client, id, isPerson])
	return isPerson ? (allowed ? data : null) : undefined
}

/** What a case is called: by its label, or by the thing that it is about, which a loan that began at a bank has alone. */
export function useCaseName({ label, workflow, number, lines }: Pick<Case, 'label' | 'workflow' | 'number' | 'lines'>): string {
	const allowed = useMay('asset.read')
	const asset = label === '' && allowed ? lines[0]?.asset : undefined
	const { data } = useQuery(oneAsset(asset))
	return label || (data ? `${data.name || data.tag}${data.name ? ` ${data.tag}` : ''}` : `${WORKFLOWS[workflow] ?? workflow} ${number}`)
}

export function CaseName({ of }: { readonly of: Case }) {
	return useCaseName(of)
}

/** The tag of a thing by its id. */
export function AssetTag({ id, other }: { readonly id: string | undefined; readonly other: string }) {
	const { data } = useQuery(oneAsset(useMay('asset.read') ? id : undefined))
	return data?.tag ?? other
}

const PARTS: Readonly<Record<string, string>> = { server: general.server, edge: general.edge, staff: general.staff }

/** Who acted or answers for something, with a way to the person where there is one. */
export function Who({ id, link = true }: { readonly id: string | undefined; readonly link?: boolean }) {
	const name = useName(id)
	if (id === undefined) return null
	if (!id.startsWith('sub_')) return <>{PARTS[id] ?? id}</>
	if (name === undefined) return <span className="mute">…</span>
	if (name === null) return <>{general.somebody}</>
	return link ? (
		<Link to="/people/$user" params={{ user: id }}>
			{name}
		</Link>
	) : (
		name
	)
}

/** The numbers on the doors of a bank, by compartment. */
export function useDoors(bank: string | undefined): ReadonlyMap<string, number> | undefined {
	const allowed = useMay('estate.read', { bank, site: useEstate().siteOf(bank) })
	return useQuery({ ...bankDoors(bank), enabled: allowed && bank !== undefined }).data
}

/** What a thing of a record is called, by its id; what has no name shows where its id begins and ends. */
function Named({ id, bank }: { readonly id: string; readonly bank?: string | undefined }) {
	const estate = useEstate()
	const door = useDoors(id.startsWith('cmp_') ? bank : undefined)?.get(id)
	const short = (
		<span className="mono" title={id}>
			{shortId(id)}
		</span>
	)
	if (id.startsWith('sub_')) return <Who id={id} link={false} />
	if (id.startsWith('bnk_')) return <>{estate.bank(id) ?? short}</>
	if (id.startsWith('sit_')) return <>{estate.site(id) ?? short}</>
	if (id.startsWith('cmp_') && door !== undefined) return general.door(door)
	if (id.startsWith('ast_')) return <AssetTag id={id} other={shortId(id)} />
	return short
}

export const shortId = (id: string): string => `${id.slice(0, 4)}…${id.slice(-4)}`

/** Facts one after the other, parted by a dot. */
export function Dotted({ children }: { readonly children: readonly ReactNode[] }) {
	return children
		.filter((one) => one !== undefined && one !== null && one !== false && one !== '')
		.map((one, i) => (
			// biome-ignore lint/suspicious/noArrayIndexKey: facts of one record never change their order.
			<Fragment key={i}>
				{i > 0 && ' · '}
				{one}
			</Fragment>
		))
}

interface EventFactsProps {
	readonly data: Readonly<Record<string, unknown>>
	readonly bank?: string | undefined
	/** What else is said in the same line. */
	readonly children?: readonly ReactNode[]
}
/** What a record says besides its type, with names in place of ids. */
export function EventFacts({ data, bank, children = [] }: EventFactsProps) {
	const facts = eventFacts(data).map((parts) =>
		parts.map((part, i) => (
			<Fragment key={typeof part === 'string' ? part : part.id}>
				{i > 0 && ' '}
				{typeof part === 'string' ? part === 'sender' ? general.sender : part : <Named id={part.id} bank={bank} />}
			</Fragment>
		)),
	)
	return <Dotted>{[...facts, ...children]}</Dotted>
}

interface MomentProps {
	readonly at: string
	readonly bank?: string | undefined
	readonly site?: string | undefined
	/** How it is written. */
	readonly as?: (at: string, zone: string) => string
}
/** A moment at the place where it belongs; where sites have different times, the place is named. */
export function Moment({ at, bank, site, as = when }: MomentProps) {
	const estate = useEstate()
	const zone = estate.zone({ bank, site })
	return (
		<time dateTime={at}>
			{as(at, zone)}
			{estate.several && <small className="mute"> {zoneName(zone)}</small>}
		</time>
	)
}
