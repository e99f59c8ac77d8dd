import { useEffect, useRef, useState } from 'react'
import { Card, Empty, Segments } from '../parts.tsx'
import { hour, overview as words } from '../words/overview.ts'
import { count } from '../words/shell.ts'

/** Margins grow with the letters that stand in them. */
const chartSize = (letter: number) => ({ height: 152 + 38 * letter, left: 34 * letter, bottom: 22 * letter, top: 16 * letter })
/** Below this width every other label of an hour is left out. */
const NARROW_CHART = 400

/** Its table twin has the same numbers; the text alternative says the finding. `clocks`: the sites have several. */
export function PerHour({ hours, clocks }: { readonly hours: readonly number[]; readonly clocks: boolean }) {
	const [view, setView] = useState<'chart' | 'table'>('chart')
	const most = Math.max(0, ...hours)
	const end = (
		<Segments<'chart' | 'table'>
			label={words.perHour}
			value={view}
			options={[
				['chart', words.asChart],
				['table', words.asTable],
			]}
			choose={setView}
		/>
	)
	if (most === 0)
		return (
			<Card title={words.perHour}>
				<Empty title={words.perHourEmpty} />
			</Card>
		)
	return (
		<Card title={words.perHour} end={end}>
			{view === 'chart' ? (
				<Chart hours={hours} most={most} />
			) : (
				<div className="scroll">
					<table className="data">
						<thead>
							<tr>
								<th scope="col">{words.hour}</th>
								<th scope="col">{words.doorsColumn}</th>
							</tr>
						</thead>
						<tbody>
							{hours.map((n, i) => (
								// biome-ignore lint/suspicious/noArrayIndexKey: the hour is the place in the list.
								<tr key={i}>
									<th scope="row">
										{hour(i)}–{hour(i + 1)}
									</th>
									<td>{count(n)}</td>
								</tr>
							))}
						</tbody>
					</table>
				</div>
			)}
			{clocks && <p className="small-print">{words.perHourClocks}</p>}
		</Card>
	)
}

function Chart({ hours, most }: { readonly hours: readonly number[]; readonly most: number }) {
	const drawn = useRef<SVGSVGElement>(null)
	const [{ width, letter }, setSize] = useState({ width: 720, letter: 1 })
	const { height, left, bottom, top } = chartSize(letter)
	// Drawn as wide as its card: a picture that is scaled has letters that are scaled.
	useEffect(() => {
		if (!drawn.current) return
		const observer = new ResizeObserver(([entry]) => {
			const letter = Number.parseFloat(getComputedStyle(document.documentElement).fontSize) / 16
			setSize({ width: Math.round(entry?.contentRect.width ?? 720), letter })
		})
		observer.observe(drawn.current)
		return () => observer.disconnect()
	}, [])
	const step = (width - left) / 24
	const tall = (n: number) => ((height - bottom - top) * n) / most
	const floor = height - bottom
	return (
		<svg className="chart" ref={drawn} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={words.perHourSaid(hours)}>
			{[0, most].map((n) => (
				<g key={n}>
					<line className="grid" x1={left} x2={width} y1={floor - tall(n)} y2={floor - tall(n)} />
					<text x={left - 8} y={floor - tall(n) + 4 * letter} textAnchor="end">
						{count(n)}
					</text>
				</g>
			))}
			{hours.slice(0, 24).map((n, i) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: the hour is the place in the list.
				<g key={i}>
					<rect
						className="chart-bar"
						x={left + i * step + 3}
						y={floor - tall(n)}
						width={Math.max(1, step - (width < NARROW_CHART * letter ? 3 : 6))}
						height={tall(n)}
						rx={2}
					/>
					{n === most && (
						<text className="peak" x={left + (i + 0.5) * step} y={floor - tall(n) - 5} textAnchor="middle">
							{count(n)}
						</text>
					)}
				</g>
			))}
			{(width < NARROW_CHART * letter ? [0, 8, 16] : [0, 4, 8, 12, 16, 20]).map((i) => (
				<text key={i} x={left + (i + 0.5) * step} y={height - 5} textAnchor="middle">
					{hour(i)}
				</text>
			))}
		</svg>
	)
}
