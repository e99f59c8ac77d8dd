import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { useNavigate, useSearch } from '@tanstack/react-router'
import { useEstate } from '../estate.ts'
import { Filter, More, Table } from '../lists.tsx'
import { AssetTag, Moment, useDoors, Who } from '../names.tsx'
import { Card, Chip, Empty, Leaf, Segments, Shown, Title } from '../parts.tsx'
import { allBanks, decisionList } from '../queries.ts'
import type { Decision } from '../shapes.ts'
import { METHODS, reasonWords, wants, decisions as words } from '../words/policies.ts'
import { general } from '../words/shell.ts'
import { Rules } from './openers.tsx'

/** Every allow and deny of the banks, with the rules that decided. */
export function Decisions() {
	const search = useSearch({ from: '/decisions' })
	const go = useNavigate({ from: '/decisions' })
	const set = (patch: Partial<typeof search>) => void go({ search: (before) => ({ ...before, ...patch }), replace: true, resetScroll: false })
	const { data: banks = [] } = useQuery(allBanks)
	const asked = useInfiniteQuery({
		queryKey: ['decisions', search],
		queryFn: ({ pageParam }) => decisionList(search, pageParam),
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
			/>
			<Card label={words.title} flush>
				<search className="filters">
					<Segments
						label={words.answer}
						value={search.effect ?? 'all'}
						options={[
							['all', words.all],
							['allow', words.allowed],
							['deny', words.denied],
						]}
						choose={(effect) => set({ effect: effect === 'all' ? undefined : effect })}
					/>
					{banks.length > 1 && (
						<Filter
							label={words.where}
							any={words.anyBank}
							options={banks.map(({ id, name }) => [id, name] as const)}
							value={search.bank}
							choose={(chosen) => set({ bank: chosen })}
						/>
					)}
				</search>
				<Shown of={asked}>
					{({ pages }) => {
						const items = pages.flatMap((page) => page.items)
						if (items.length === 0) return <Empty title={words.empty} note={words.emptyNote} />
						return (
							<>
								<Table heads={[words.who, words.time, words.wanted, words.answer, words.rules, words.where, words.record]}>
									{items.map((one) => (
										<Row key={`${one.id} ${one.position}`} decision={one} />
									))}
								</Table>
								<More of={asked} />
							</>
						)
					}}
				</Shown>
			</Card>
		</>
	)
}

function Row({ decision }: { readonly decision: Decision }) {
	const { effect, reason, user, action, asset, compartment, bank, method, offline, rules } = decision
	const estate = useEstate()
	const door = useDoors(compartment ? bank : undefined)?.get(compartment ?? '')
	return (
		<tr>
			<th scope="row">{user === undefined ? words.unknown : <Who id={user} />}</th>
			<td className="nowrap" data-label={words.time}>
				<Moment at={decision.at} bank={bank} />
			</td>
			<td data-label={words.wanted}>
				{asset === undefined ? wants(action, undefined) : action === 'deposit' ? 'bring ' : 'take '}
				{asset !== undefined && <AssetTag id={asset} other="a thing" />}
				{door !== undefined && `, ${general.door(door).toLowerCase()}`}{' '}
				<small className="mute">
					{METHODS[method] ?? method}
					{offline && `, ${words.offline}`}
				</small>
			</td>
			<td data-label={words.answer}>
				{effect === 'allow' ? (
					<Chip tone="ok" icon="check">
						{words.allowed}
					</Chip>
				) : (
					<>
						<Chip tone="bad" icon="x">
							{words.denied}
						</Chip>{' '}
						<small>{reasonWords(reason)}</small>
					</>
				)}
			</td>
			<td data-label={words.rules}>{rules.length === 0 ? '–' : <Rules rules={rules} />}</td>
			<td data-label={words.where}>{estate.bank(bank) ?? '–'}</td>
			<td data-label={words.record}>
				<Leaf position={decision.position} />
			</td>
		</tr>
	)
}
