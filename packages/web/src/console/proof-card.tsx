import { useState } from 'react'
import { Icon } from '../ui/icon.tsx'
import { useMay, useSeat } from './context.ts'
import { wordsOf } from './forms.tsx'
import { Card, Chip } from './parts.tsx'
import { siblingSides, type Verdict } from './proof.ts'
import type { LedgerRecord } from './shapes.ts'
import { type Proven, verifyRecord } from './verify.ts'
import { proofWords as words } from './words/cases.ts'
import { count } from './words/shell.ts'

/** So many proofs are fetched at once: a case is proven quickly and the server has time for others. */
const AT_ONCE = 4

interface State {
	readonly of: number
	readonly results: readonly Proven[]
	readonly problem?: string
}

/** One badge for a case: each of its records is verified in this browser, and what that does not say is said. */
export function ProofCard({ records }: { readonly records: readonly LedgerRecord[] }) {
	const { tenant } = useSeat().me
	const allowed = useMay('audit.read', {})
	const [state, setState] = useState<State>()
	const verifyAll = async () => {
		const results: Proven[] = []
		const left = [...records]
		const of = records.length
		setState({ of, results: [] })
		try {
			const work = async () => {
				for (let record = left.shift(); record; record = left.shift()) {
					results.push(await verifyRecord(tenant.id, record))
					setState({ of, results: [...results] })
				}
			}
			await Promise.all(Array.from({ length: AT_ONCE }, work))
		} catch (error) {
			setState({ of, results: [...results], problem: wordsOf(error) })
		}
	}
	const results = state?.results ?? []
	const proven = results.filter((one) => one.ok === true)
	const refused = results.filter((one) => one.ok === false)
	const waiting = results.filter((one) => one.ok === undefined && one.why === 'waiting')
	const isOld = results.some((one) => one.ok === undefined && one.why === 'browser')
	const isDone = state !== undefined && results.length === state.of
	const newest = proven.toSorted((a, b) => b.position - a.position)[0]
	return (
		<Card
			title={words.title}
			end={
				state &&
				(refused.length > 0 ? (
					<Chip tone="bad" icon="alarm">
						{words.refused(refused.length)}
					</Chip>
				) : isDone ? (
					<Chip tone={proven.length === state.of ? 'ok' : 'plain'} icon="shield">
						{words.proven(proven.length, state.of)}
					</Chip>
				) : (
					<Chip icon="refresh">{words.running(results.length, state.of)}</Chip>
				))
			}
		>
			<div aria-live="polite">
				{state === undefined && <p className="mute">{words.unverified}</p>}
				{newest && (
					<>
						<Tree position={newest.position} size={newest.size} />
						<dl className="kv">
							<dt>{words.signed}</dt>
							<dd>{words.signedYes}</dd>
							<dt>{words.records}</dt>
							<dd>{count(newest.size)}</dd>
							<dt>{words.path}</dt>
							<dd>{words.hashes(newest.steps)}</dd>
						</dl>
					</>
				)}
				{[...new Set(refused.map((one) => (one as Verdict & { ok: false }).why))].map((why) => (
					<p key={why} className="problem">
						<Icon name="alarm" />
						{words.why[why]}
					</p>
				))}
				{isOld && <p className="problem">{words.browser}</p>}
				{waiting.length > 0 && <p className="mute">{words.waiting(waiting.length)}</p>}
				{state?.problem !== undefined && <p className="problem">{state.problem}</p>}
			</div>
			<p className="mute small-print">{words.says}</p>
			<p className="mute small-print">{words.key}</p>
			{allowed ? (
				<button
					type="button"
					className="btn wide"
					disabled={records.length === 0 || (state !== undefined && !isDone && state.problem === undefined)}
					onClick={() => void verifyAll()}
				>
					<Icon name="shield" />
					{words.ask(records.length)}
				</button>
			) : (
				<p className="mute">{words.notPermitted}</p>
			)}
		</Card>
	)
}

const WIDE = 220
const MIDDLE = WIDE / 2
const REACH = 56
const TOP = 24
/** A log of a million records has twenty steps: then they stand closer, so that the letters beside them keep their size. */
const STEP = 18
const TALLEST = 200

/**
 * The way from the record up to what was signed, step by step as it was computed: at each, the hash that came with the proof stands on the side on which
 * it lies in the log's tree. The figures stand below it.
 */
function Tree({ position, size }: { readonly position: number; readonly size: number }) {
	const sides = siblingSides(position, size)
	const step = Math.min(STEP, TALLEST / sides.length)
	const bottom = TOP + step * sides.length
	const levels = sides.map((side, i) => ({ y: bottom - step * i, x: MIDDLE + (side === 'left' ? -REACH : REACH) }))
	return (
		<svg className="tree" viewBox={`0 0 ${WIDE} ${bottom + 24}`} role="img" aria-label={words.tree(position, size, sides)}>
			{levels.map(({ x, y }) => (
				<path key={y} className="tree-rest" d={`M${x} ${y} ${MIDDLE} ${y - step}`} />
			))}
			<path className="tree-way" d={`M${MIDDLE} ${bottom}V${TOP}`} />
			{levels.map(({ x, y }) => (
				<circle key={y} className="tree-rest" cx={x} cy={y} r={step * 0.28} />
			))}
			{levels.map(({ y }) => (
				<circle key={y} className="tree-on" cx={MIDDLE} cy={y} r="3.5" />
			))}
			<rect className="tree-on" x={MIDDLE - 13} y="6" width="26" height="24" rx="5" />
			<path className="tree-check" d={`m${MIDDLE - 7} 18 5 5 9-10`} />
			<text x={MIDDLE + 22} y="22">
				{words.root}
			</text>
			<text x={MIDDLE} y={bottom + 20} textAnchor="middle">
				{words.record} {count(position)}
			</text>
		</svg>
	)
}
