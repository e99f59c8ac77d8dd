import type { Figure, Findings } from './figures.ts'

const COLUMNS = ['figure', 'p50', 'p99', 'floor p50', 'floor p99', 'ratio', 'goal', 'met'] as const

/** What is printed: one table, then in words what it was measured against and how. */
export function tableOf(findings: readonly Findings[], effort: number): string {
	const rows = findings.flatMap((f) => f.figures.map((figure) => cells(f.id, figure)))
	const widths = COLUMNS.map((title, i) => Math.max(title.length, ...rows.map((row) => (row[i] ?? '').length)))
	const line = (row: readonly string[]) =>
		row.map((cell, i) => (i === 0 || i > 5 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))).join('  ')
	const words = findings.map((f) => [`${f.id} ${f.what}`, `   floor: ${f.floor}`, ...f.conditions.map((c) => `   ${c}`)].join('\n'))
	return [line(COLUMNS), ...rows.map(line), '', ...words, ...(effort === 1 ? [] : ['', takenWith(effort)])].map((text) => text.trimEnd()).join('\n')
}

/** Few samples say little about the slow ones. */
const takenWith = (effort: number): string => `Taken with ${effort} of a whole measurement's samples: a quick look.`

function cells(id: string, { size, unit, p50, p99, floor, against, goal, met, samples }: Figure): string[] {
	const amount = (value: number | undefined) => (value === undefined ? '' : `${round(value)} ${unit}`)
	const ratio =
		against === undefined
			? ''
			: against.kind === 'times'
				? [against.p50, against.p99].flatMap((v) => (v === undefined ? [] : `${round(v)}×`)).join(' / ')
				: `+${round(against.p50)} ${unit}`
	return [
		`${id} ${size} (n=${samples})`,
		amount(p50),
		amount(p99),
		amount(floor?.p50),
		amount(floor?.p99),
		ratio,
		goal ?? '',
		met === undefined ? '' : met ? 'yes' : 'NO',
	]
}

const round = (value: number): string => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2))

const ROW = 34
const LEFT = 470
const WIDTH = 1_120

/** The same as a picture: a bar is our median, its thin end our p99, the dark mark the floor's median. */
export function svgOf({ id, what, figures }: Findings, effort: number): string {
	const bars = figures.filter((f) => f.unit !== '%')
	const longest = (f: Figure) => Math.max(f.p99 ?? 0, f.p50, f.floor?.p50 ?? 0)
	const rows = bars.map((f, i) => {
		// Each unit has its own scale.
		const most = Math.max(...bars.filter(({ unit }) => unit === f.unit).map(longest))
		const x = (value: number) => ((WIDTH - LEFT - 200) * Math.max(0, value)) / most
		const y = 66 + i * ROW
		const beside = cells(id, f)
		const mark = f.floor ? `<rect x="${num(LEFT + x(f.floor.p50) - 1.5)}" y="${y}" width="3" height="20" fill="#1b2430"/>` : ''
		return [
			`<text x="${LEFT - 10}" y="${y + 15}" text-anchor="end">${xml(f.size)}</text>`,
			`<rect x="${LEFT}" y="${y + 8}" width="${num(x(f.p99 ?? f.p50))}" height="4" fill="#9db8d9"/>`,
			`<rect x="${LEFT}" y="${y + 2}" width="${num(x(f.p50))}" height="16" fill="${f.met === false ? '#c2562d' : '#2d6cb5'}"/>`,
			mark,
			`<text x="${num(LEFT + x(longest(f)) + 8)}" y="${y + 15}">${xml([beside[1], beside[5]].filter(Boolean).join(', '))}</text>`,
		].join('')
	})
	const height = 66 + bars.length * ROW + 14
	return [
		`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" font-family="system-ui, sans-serif" font-size="13" fill="#1b2430">`,
		`<title>${xml(`${id} ${what}`)}</title>`,
		`<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`,
		`<text x="16" y="26" font-size="16" font-weight="600">${xml(`${id} ${what}`)}</text>`,
		`<text x="16" y="46" fill="#5a6675">${xml(`bar: p50 (red: goal missed), thin bar: p99, dark mark: floor or smallest size${effort === 1 ? '' : `. ${takenWith(effort)}`}`)}</text>`,
		...rows,
		'</svg>\n',
	].join('\n')
}

const num = (value: number): string => value.toFixed(1)
const xml = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
