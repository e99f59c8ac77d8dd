import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { useEffect, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { serverNow } from '../api.ts'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Filter, More, Table } from '../lists.tsx'
import { CaseName, Moment } from '../names.tsx'
import { Card, Chip, Empty, Shown, StateChip, Title } from '../parts.tsx'
import { allBanks, caseList } from '../queries.ts'
import type { CasesSearch } from '../search.ts'
import type { Case } from '../shapes.ts'
import { caseState, WORKFLOWS, cases as words } from '../words/cases.ts'

/** Every case that the reader may see; what is filtered for stands in the address. */
export function Cases() {
	const search = useSearch({ from: '/cases' })
	const mayBook = useMay('delivery.create')
	const { data: banks = [] } = useQuery({ ...allBanks, enabled: useMay('estate.read') })
	const asked = useInfiniteQuery({
		queryKey: ['case', 'list', search],
		queryFn: ({ pageParam }) => caseList(search, pageParam),
		initialPageParam: undefined as string | undefined,
		getNextPageParam: ({ next }) => next,
		placeholderData: keepPreviousData,
	})
	return (
		<>
			<Title
				title={words.title}
				below={
					<>
						{words.lead} <span className="mute">{useEstate().told}.</span>
					</>
				}
				end={
					mayBook && (
						<Link to="/cases/new" className="btn primary">
							<Icon name="plus" />
							{words.book}
						</Link>
					)
				}
			/>
			<Card label={words.title} flush>
				<Filters search={search} banks={banks} />
				<Shown of={asked}>
					{({ pages }) => {
						const items = pages.flatMap((page) => page.items)
						if (items.length === 0)
							return (
								<Empty title={words.empty} note={words.emptyNote}>
									{Object.keys(search).length > 0 && (
										<Link to="/cases" className="btn small">
											{words.clear}
										</Link>
									)}
								</Empty>
							)
						return (
							<>
								<CaseTable cases={items} />
								<More of={asked} />
							</>
						)
					}}
				</Shown>
			</Card>
		</>
	)
}

const TYPING_MS = 250

function Filters({ search, banks }: { readonly search: CasesSearch; readonly banks: readonly { readonly id: string; readonly name: string }[] }) {
	const go = useNavigate({ from: '/cases' })
	const [typed, setTyped] = useState(search.find ?? '')
	const change = (fields: CasesSearch) => void go({ search: (old) => ({ ...old, ...fields }), replace: true, resetScroll: false })
	useEffect(() => setTyped(search.find ?? ''), [search.find])
	useEffect(() => {
		if (typed.trim() === (search.find ?? '')) return
		const timer = setTimeout(() => change({ find: typed.trim() || undefined }), TYPING_MS)
		return () => clearTimeout(timer)
	})
	const toggle = (label: string, on: boolean, fields: CasesSearch) => (
		<button type="button" className="toggle" aria-pressed={on} onClick={() => change(fields)}>
			{label}
		</button>
	)
	return (
		<search className="filters">
			<label className="search-field">
				<span className="unseen">{words.find}</span>
				<Icon name="search" />
				<input type="search" placeholder={words.find} value={typed} onChange={(event) => setTyped(event.currentTarget.value)} />
			</label>
			<fieldset className="toggles" aria-label={words.state}>
				{toggle(words.all, search.open === undefined && !search.conflict, { open: undefined, conflict: undefined })}
				{toggle(words.open, search.open === true, { open: true, conflict: undefined })}
				{toggle(words.ended, search.open === false, { open: false, conflict: undefined })}
				{toggle(words.conflicts, search.conflict === true, { open: undefined, conflict: true })}
			</fieldset>
			<fieldset className="toggles" aria-label={words.workflow}>
				{Object.entries(WORKFLOWS).map(([workflow, name]) => (
					<span key={workflow}>{toggle(name, search.workflow === workflow, { workflow: search.workflow === workflow ? undefined : workflow })}</span>
				))}
			</fieldset>
			{banks.length > 1 && (
				<Filter
					label={words.bank}
					any={`${words.bank}: ${words.all.toLowerCase()}`}
					options={banks.map(({ id, name }) => [id, name] as const)}
					value={search.bank}
					choose={(chosen) => change({ bank: chosen })}
				/>
			)}
		</search>
	)
}

export function CaseTable({ cases }: { readonly cases: readonly Case[] }) {
	const estate = useEstate()
	return (
		<Table heads={[words.number, words.what, words.state, words.bank, words.due, words.changed]}>
			{cases.map((one) => {
				const late = one.endedAt === undefined && one.dueAt !== undefined && Date.parse(one.dueAt) < serverNow()
				return (
					<tr key={one.id}>
						<th scope="row" className="nowrap">
							<Link to="/cases/$case" params={{ case: one.id }}>
								{one.number}
							</Link>
						</th>
						<td data-label={words.what}>
							<CaseName of={one} /> <span className="mute nowrap">{WORKFLOWS[one.workflow] ?? one.workflow}</span>
						</td>
						<td data-label={words.state}>
							<span className="row wrap">
								<StateChip state={caseState(one.state)} />
								{one.conflict !== undefined && (
									<Chip tone="bad" icon="case">
										{words.conflicts}
									</Chip>
								)}
							</span>
						</td>
						<td data-label={words.bank}>{estate.bank(one.bank) ?? '–'}</td>
						<td className="nowrap" data-label={words.due}>
							{one.endedAt !== undefined || one.dueAt === undefined ? '–' : <Moment at={one.dueAt} bank={one.bank} />}
							{late && <b className="late"> {words.overdue}</b>}
						</td>
						<td className="nowrap" data-label={words.changed}>
							<Moment at={one.updatedAt} bank={one.bank} />
						</td>
					</tr>
				)
			})}
		</Table>
	)
}
