import { useQueryClient } from '@tanstack/react-query'
import { useMemo, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { Refusal, send } from '../api.ts'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Field, Select, wordsOf } from '../forms.tsx'
import { guessColumns, linesOf, namesColumns, readList } from '../list-text.ts'
import { Table } from '../lists.tsx'
import { Card, Empty, Title } from '../parts.tsx'
import type { MatchedBadgeList } from '../shapes.ts'
import { fromLocal } from '../time.ts'
import { badges, badgeList as words } from '../words/badges.ts'
import { person as personWords } from '../words/people.ts'
import { general } from '../words/shell.ts'
import { BadgeNumber, KioskChoice } from './badge-number.tsx'

interface Sample {
	readonly listed: string
	readonly read: string
}
const CARDS = 5
/** A longer list than anybody reads; a page that shows it would only be slow. */
const LONGEST_SHOWN = 20_000
const MOST_CARDS = 20
/** As the API takes at a time. */
const MOST_LINES = 10_000
const FRESH: readonly Sample[] = Array.from({ length: CARDS }, () => ({ listed: '', read: '' }))

/** The list of the building's access system becomes badges here, by what five cards teach about how it writes their numbers. */
export function BadgeList() {
	const allowed = useMay('credential.manage', {})
	const [text, setText] = useState('')
	const [named, setNamed] = useState<boolean>()
	const [chosen, setChosen] = useState<{ readonly person?: number; readonly number?: number }>({})
	const [samples, setSamples] = useState(FRESH)
	const [kiosk, setKiosk] = useState('')
	const [found, setFound] = useState<{ readonly list: MatchedBadgeList; readonly given: boolean }>()
	const [problem, setProblem] = useState<{ readonly text: string; readonly card: number | undefined }>()
	const list = useMemo(() => readList(text), [text])
	const guess = useMemo(() => guessColumns(list), [list])
	const columns = { person: chosen.person ?? guess.person, number: chosen.number ?? guess.number }
	const header = named ?? namesColumns(list)
	const { lines, skipped } = linesOf(list, { header, ...columns })
	// Up to the last that is begun, and none left out between: so the API's third card is the third here, too.
	const used = samples.slice(0, samples.findLastIndex(({ listed, read }) => listed !== '' || read !== '') + 1)
	const lacking = used.findIndex(({ listed, read }) => listed === '' || read === '')
	const ready = lines.length > 0 && lines.length <= MOST_LINES && used.length >= CARDS && lacking < 0
	const body = () => ({ samples: used, lines: lines.map(({ person, listed }) => ({ person, listed })) })
	/** Another list: what was said of the one before says nothing of it. */
	const take = (next: string) => {
		setText(next)
		setNamed(undefined)
		setChosen({})
		setFound(undefined)
	}
	const change = (at: number, one: Partial<Sample>) => {
		setFound(undefined)
		setSamples(samples.map((sample, i) => (i === at ? { ...sample, ...one } : sample)))
	}
	const ask = async (path: string, more: object, given: boolean) => {
		setProblem(undefined)
		try {
			setFound({ list: await send<MatchedBadgeList>('POST', path, { ...body(), ...more }), given })
		} catch (error) {
			const card = error instanceof Refusal ? /^body\.samples\.(\d+)/.exec(error.message)?.[1] : undefined
			setProblem({ text: wordsOf(error), card: card === undefined ? undefined : Number(card) })
		}
	}
	if (!allowed)
		return (
			<>
				<Title title={words.title} />
				<Card label={words.title}>
					<Empty title={general.notPermitted} />
				</Card>
			</>
		)
	return (
		<>
			<Title title={words.title} below={words.lead} />
			<div className="stack narrow">
				<Card title={words.list}>
					<div className="form">
						<Field
							label={words.file}
							type="file"
							accept=".csv,.txt,.tsv,text/*"
							onChange={(event) => {
								const [file] = event.currentTarget.files ?? []
								file?.text().then(take, () => setProblem({ text: words.unread, card: undefined }))
							}}
						/>
						<div className="field">
							<label htmlFor="badge-list-text">{words.paste}</label>
							<textarea
								id="badge-list-text"
								className="input mono"
								rows={5}
								value={text.length > LONGEST_SHOWN ? '' : text}
								aria-describedby="badge-list-hint"
								onChange={(event) => {
									setText(event.currentTarget.value)
									setFound(undefined)
								}}
							/>
							<p className="hint" id="badge-list-hint">
								{words.pasteHint}
							</p>
						</div>
						{list.columns > 0 && (
							<>
								<label className="check">
									<input
										type="checkbox"
										checked={header}
										onChange={(event) => {
											setNamed(event.currentTarget.checked)
											setFound(undefined)
										}}
									/>
									{words.header}
								</label>
								{(['person', 'number'] as const).map((which) => (
									<Select
										key={which}
										label={words[which]}
										value={String(columns[which])}
										options={Array.from(
											{ length: list.columns },
											(_, i) => [String(i), words.column(i + 1, list.rows[header ? 1 : 0]?.[i] ?? '')] as const,
										)}
										onChange={(event) => {
											setChosen({ ...chosen, [which]: Number(event.currentTarget.value) })
											setFound(undefined)
										}}
									/>
								))}
								<p className="hint">
									{words.lines(lines.length)}. {words.personHint}.
								</p>
								{skipped[0] !== undefined && <p className="hint">{words.skipped(skipped.length, skipped[0])}</p>}
								{lines.length > MOST_LINES && (
									<p className="problem" role="alert">
										<Icon name="alarm" />
										{words.tooMany(lines.length, MOST_LINES)}
									</p>
								)}
							</>
						)}
					</div>
				</Card>
				<Card title={words.cards}>
					<div className="form">
						<p className="soft">{words.cardsLead}</p>
						<KioskChoice value={kiosk || undefined} choose={setKiosk} />
						<ol className="samples">
							{samples.map(({ listed, read }, i) => (
								// biome-ignore lint/suspicious/noArrayIndexKey: cards have no other name, and none is taken out.
								<li key={i} className="sample">
									<Field
										label={words.listed(i + 1)}
										value={listed}
										maxLength={60}
										autoComplete="off"
										onChange={(event) => change(i, { listed: event.currentTarget.value.trim() })}
									/>
									<div>
										<BadgeNumber
											at={kiosk}
											label={words.reading(i + 1)}
											value={read}
											change={(number) => change(i, { read: number.trim() })}
											problem={problem?.card === i ? problem.text : undefined}
										/>
									</div>
								</li>
							))}
						</ol>
						<p className="row wrap">
							{samples.length < MOST_CARDS && (
								<button type="button" className="btn small" onClick={() => setSamples([...samples, { listed: '', read: '' }])}>
									<Icon name="plus" />
									{words.more}
								</button>
							)}
							<button type="button" className="btn primary" disabled={!ready} onClick={() => void ask('/v1/badge-matches', {}, false)}>
								{words.try}
							</button>
						</p>
						{used.length >= CARDS && lacking >= 0 && <p className="hint">{words.lacking(lacking + 1)}</p>}
						{problem && problem.card === undefined && (
							<p className="problem" role="alert">
								<Icon name="alarm" />
								{problem.text}
							</p>
						)}
					</div>
				</Card>
				{found && (
					<Result
						{...found}
						lineOf={(sent) => lines[sent - 1]?.line ?? sent}
						give={(more) => ask('/v1/badge-imports', more, true)}
						again={() => {
							take('')
							setSamples(FRESH)
						}}
					/>
				)}
			</div>
		</>
	)
}

interface ResultProps {
	readonly list: MatchedBadgeList
	readonly given: boolean
	/** Where a line that was sent stands in the list. */
	lineOf(sent: number): number
	give(more: object): Promise<void>
	again(): void
}
function Result({ list: { mapping, lines, matched, left, examples, undecided }, given, lineOf, give, again }: ResultProps) {
	const client = useQueryClient()
	const { home } = useEstate()
	const [assurance, setAssurance] = useState('low')
	const [until, setUntil] = useState('')
	const [busy, setBusy] = useState(false)
	const notAfter = fromLocal(until, home)
	const reasons = (Object.keys(words.left) as (keyof typeof words.left)[]).filter((why) => left[why] > 0)
	return (
		<Card title={words.result}>
			<div className="form">
				<p role="status" className="strong">
					{given ? words.done(matched) : words.would(matched, lines)}
				</p>
				<p className="soft">{words.learned(badges.form(mapping), mapping.bitCount, mapping.facility)}</p>
				{undecided.length > 0 && <p className="problem">{words.undecided(undecided)}</p>}
				{reasons.length > 0 && (
					<ul className="left-over">
						{reasons.map((why) => (
							<li key={why}>{words.left[why](left[why])}</li>
						))}
					</ul>
				)}
				{examples.length > 0 && (
					<Table heads={[words.line, words.who, words.what, words.reason]}>
						{examples.slice(0, 20).map(({ line, person, listed, why }) => (
							<tr key={line}>
								<th scope="row">{lineOf(line)}</th>
								<td data-label={words.who}>{person}</td>
								<td className="mono" data-label={words.what}>
									{listed}
								</td>
								<td data-label={words.reason}>{words.why[why] ?? why}</td>
							</tr>
						))}
					</Table>
				)}
				{given ? (
					<button type="button" className="btn" onClick={again}>
						{words.another}
					</button>
				) : (
					matched > 0 &&
					undecided.length === 0 && (
						<div className="form">
							<Select
								label={personWords.assurance}
								value={assurance}
								options={personWords.assurances}
								onChange={(event) => setAssurance(event.currentTarget.value)}
							/>
							<Field
								label={personWords.validUntil}
								hint={personWords.validUntilHint}
								type="datetime-local"
								value={until}
								onChange={(event) => setUntil(event.currentTarget.value)}
							/>
							<div className="form-end">
								<button
									type="button"
									className="btn primary"
									aria-disabled={busy}
									onClick={async () => {
										if (busy) return
										setBusy(true)
										await give({ assurance, ...(notAfter && { notAfter }) })
										setBusy(false)
										await client.invalidateQueries({ queryKey: ['people'] })
									}}
								>
									{words.import(matched)}
								</button>
							</div>
						</div>
					)
				)}
			</div>
		</Card>
	)
}
