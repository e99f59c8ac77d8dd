import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Filter, More } from '../lists.tsx'
import { Moment, useDoors, Who } from '../names.tsx'
import { Card, Empty, Segments, Shown, Title } from '../parts.tsx'
import { allBanks, conflictList } from '../queries.ts'
import type { Conflict } from '../shapes.ts'
import { ruleOf, conflicts as words } from '../words/conflicts.ts'
import { overview, taskWords } from '../words/overview.ts'
import { general } from '../words/shell.ts'
import { CompleteTask } from './overview-needs.tsx'

/** The inbox of two truths (trust.md §3.6). */
export function Conflicts() {
	const [open, setOpen] = useState(true)
	const [bank, setBank] = useState<string>()
	const [doing, setDoing] = useState<{ readonly task: Conflict; readonly about: string }>()
	const { data: banks = [] } = useQuery(allBanks)
	const asked = useInfiniteQuery({
		queryKey: ['tasks', 'conflicts', open, bank],
		queryFn: ({ pageParam }) => conflictList({ open, bank }, pageParam),
		initialPageParam: undefined as string | undefined,
		getNextPageParam: ({ next }) => next,
	})
	return (
		<>
			<Title title={words.title} below={words.lead} />
			<Card title={open ? words.open : words.settled} flush>
				<search className="filters">
					<Segments
						label={words.state}
						value={open ? 'open' : 'settled'}
						options={[
							['open', words.open],
							['settled', words.settled],
						]}
						choose={(which) => setOpen(which === 'open')}
					/>
					{banks.length > 1 && (
						<Filter label={words.bank} any={words.anyBank} options={banks.map(({ id, name }) => [id, name] as const)} value={bank} choose={setBank} />
					)}
				</search>
				<Shown of={asked}>
					{({ pages }) => {
						const items = pages.flatMap((page) => page.items)
						if (items.length === 0) return <Empty title={open ? words.none : words.noneSettled} note={words.noneNote} />
						return (
							<>
								<ul className="incs">
									{items.map((one) => (
										<Row key={one.id} conflict={one} settle={(about) => setDoing({ task: one, about })} />
									))}
								</ul>
								<More of={asked} />
							</>
						)
					}}
				</Shown>
			</Card>
			{doing && <CompleteTask task={doing.task} about={doing.about} close={() => setDoing(undefined)} />}
		</>
	)
}

function Row({ conflict, settle }: { readonly conflict: Conflict; settle(about: string): void }) {
	const { bank, site, compartment, openedAt, doneAt, doneBy, here } = conflict
	const estate = useEstate()
	const door = useDoors(compartment ? bank : undefined)?.get(compartment ?? '')
	const mayDo = useMay('case.manage', { bank, site })
	const { title, text } = taskWords(conflict)
	const place = `${door === undefined ? '' : `${general.door(door)}, `}${estate.bank(bank) ?? ''}`
	return (
		<li className="inc">
			<span className={doneAt === undefined ? 'badge warn' : 'badge ok'}>
				<Icon name={doneAt === undefined ? 'case' : 'check'} />
			</span>
			<div>
				<h3>{title(place)}</h3>
				<p>{text}</p>
				<p>
					<b>{words.stands}:</b> {ruleOf(conflict)} {here && words.hereKnown(here.state, here.version)}
				</p>
				<p>
					<Moment at={openedAt} bank={bank} />
					{doneAt !== undefined && (
						<>
							{' · '}
							{words.settledBy} <Moment at={doneAt} bank={bank} /> <Who id={doneBy} />
						</>
					)}
				</p>
			</div>
			<div className="row">
				{mayDo && doneAt === undefined && (
					<button type="button" className="btn small" onClick={() => settle(title(place))}>
						{words.done}
					</button>
				)}
				{conflict.case !== undefined ? (
					<Link className="btn small quiet" to="/cases/$case" params={{ case: conflict.case }}>
						{overview.seeCase}
					</Link>
				) : (
					<Link className="btn small quiet" to="/banks/$bank" params={{ bank }} search={door === undefined ? {} : { door }}>
						{door === undefined ? overview.seeBank : overview.seeDoor}
					</Link>
				)}
			</div>
		</li>
	)
}
