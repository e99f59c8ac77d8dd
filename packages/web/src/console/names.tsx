import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEffect } from 'react'
import { get, query } from './api.ts'
import { useMay } from './context.ts'
import { oneAsset } from './queries.ts'
import type { Case, Page, Person } from './shapes.ts'
import { WORKFLOWS } from './words/cases.ts'
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
