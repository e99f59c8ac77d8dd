import { useQuery } from '@tanstack/react-query'
import { useEffect, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { may } from '../access.ts'
import { get, send } from '../api.ts'
import { useSeat } from '../context.ts'
import { Field, Select, wordsOf } from '../forms.tsx'
import { allBanks } from '../queries.ts'
import type { BadgeForms, BadgeRead } from '../shapes.ts'
import { badges as words } from '../words/badges.ts'
import { general } from '../words/shell.ts'

interface BadgeNumberProps {
	readonly label: string
	readonly hint?: string
	readonly value: string
	change(number: string): void
	/** Also show how others write it. */
	readonly compare?: boolean
	readonly problem?: string | undefined
	/** At whose kiosk it is read, where that was chosen for several already. */
	readonly at?: string | undefined
}

/** The number of a badge: typed, or as a reader of ours reports it. */
export function BadgeNumber({ label, hint, value, change, compare = false, problem, at }: BadgeNumberProps) {
	const [read, setRead] = useState<NonNullable<BadgeRead['reading']>>()
	return (
		<>
			<Field
				label={label}
				{...(hint !== undefined && { hint })}
				value={value}
				required
				autoComplete="off"
				maxLength={300}
				onChange={(event) => {
					setRead(undefined)
					change(event.currentTarget.value)
				}}
			/>
			<ReadAtKiosk
				given={at}
				label={label}
				done={(reading) => {
					setRead(reading)
					change(reading.number)
				}}
			/>
			{problem !== undefined && (
				<p className="problem" role="alert">
					<Icon name="alarm" />
					{problem}
				</p>
			)}
			{read && (
				<p className="hint" role="status">
					{words.said(Number(read.number.split(':')[1]), read.family, read.secure)} {!read.secure && words.insecure}
				</p>
			)}
			{compare && <Elsewhere number={value.trim()} />}
		</>
	)
}

const ASK_MS = 700
/** The kiosk waits 45 s for the badge. A bank that has said nothing for so long after that says nothing any more. */
const PATIENCE_MS = 80_000
const OVER = new Set(['done', 'refused', 'failed', 'expired'])

/** Banks at whose kiosk a badge may be asked for. */
function useKiosks() {
	const { me } = useSeat()
	const { data: all = [] } = useQuery({ ...allBanks, enabled: may(me, 'estate.read') })
	return all.filter(({ id, site, area }) => may(me, 'credential.manage', { bank: id, site, area }))
}

/** Nothing to choose from, nothing to see. */
export function KioskChoice({ value, choose }: { readonly value: string | undefined; choose(bank: string): void }) {
	const banks = useKiosks()
	if (banks.length < 2) return null
	const options = [['', general.choose], ...banks.map(({ id, name }) => [id, name] as const)] as const
	return <Select label={words.at} value={value ?? ''} options={options} onChange={(event) => choose(event.currentTarget.value)} />
}

interface ReadAtKioskProps {
	readonly given: string | undefined
	/** Of which card, where there are several. */
	readonly label: string
	done(reading: NonNullable<BadgeRead['reading']>): void
}
/** Asks a kiosk for a badge and waits for it. Nothing where nobody may ask one. */
function ReadAtKiosk({ given, label, done }: ReadAtKioskProps) {
	const banks = useKiosks()
	const [chosen, setBank] = useState<string>()
	const bank = given ?? chosen
	const [command, setCommand] = useState<string>()
	const [problem, setProblem] = useState<string>()
	// Of several the wrong one would ask strangers for a badge, so none is chosen for anybody.
	const at = banks.length === 1 ? banks[0] : banks.find(({ id }) => id === bank)
	const { data } = useQuery({
		queryKey: ['badge-reading', command],
		queryFn: ({ signal }) => get<BadgeRead>(`/v1/badge-readings/${command}`, signal),
		enabled: command !== undefined,
		refetchInterval: ASK_MS,
		gcTime: 0,
	})
	useEffect(() => {
		if (!data || data.command.id !== command || !OVER.has(data.command.state)) return
		setCommand(undefined)
		const { state, code } = data.command
		if (data.reading) done(data.reading)
		else setProblem(state === 'done' ? words.late : (words.why[code ?? state] ?? words.failed(code ?? state)))
	})
	useEffect(() => {
		if (command === undefined) return
		const timer = setTimeout(() => {
			setCommand(undefined)
			setProblem(words.why.expired)
		}, PATIENCE_MS)
		return () => clearTimeout(timer)
	}, [command])
	if (banks.length === 0) return null
	const ask = async () => {
		if (!at) return setProblem(words.first)
		setProblem(undefined)
		try {
			setCommand((await send<BadgeRead>('POST', '/v1/badge-readings', { bank: at.id })).command.id)
		} catch (error) {
			setProblem(wordsOf(error))
		}
	}
	return (
		<div className="read-at">
			{given === undefined && command === undefined && <KioskChoice value={at?.id} choose={setBank} />}
			{command === undefined ? (
				<button
					type="button"
					className="btn small"
					aria-label={given === undefined ? undefined : `${label}: ${words.read}`}
					onClick={() => void ask()}
				>
					<Icon name="badge" />
					{words.read}
				</button>
			) : (
				<p className="row wrap" role="status">
					{data?.command.state === 'accepted' ? words.waiting(at?.name ?? '') : words.asked}
					<button type="button" className="btn small" onClick={() => setCommand(undefined)}>
						{words.stop}
					</button>
				</p>
			)}
			{problem !== undefined && (
				<p className="problem" role="alert">
					<Icon name="alarm" />
					{problem}
				</p>
			)}
		</div>
	)
}

const SHORTEST = 3

/** How other readers and lists write the same card. */
function Elsewhere({ number }: { readonly number: string }) {
	const { data } = useQuery({
		queryKey: ['badge-forms', number],
		queryFn: () => send<BadgeForms>('POST', '/v1/badge-forms', { number }),
		enabled: number.length >= SHORTEST,
		retry: false,
		// The number of a badge is nothing to keep.
		gcTime: 0,
	})
	if (!data) return null
	return (
		<details className="more">
			<summary>{words.elsewhere}</summary>
			<p className="hint">{words.elsewhereLead}</p>
			<dl className="kv forms">
				{data.forms.map((form) => (
					<div key={words.form(form)} className="kv-row">
						<dt>{words.form(form)}</dt>
						<dd className="mono">{form.text}</dd>
					</div>
				))}
			</dl>
		</details>
	)
}
