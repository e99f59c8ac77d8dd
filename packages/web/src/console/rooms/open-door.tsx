import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useEffect, useRef, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import type { At } from '../access.ts'
import { get, query, Refusal, send } from '../api.ts'
import { useMay } from '../context.ts'
import { Dialog, Field, Form, Reasons } from '../forms.tsx'
import { Leaf } from '../parts.tsx'
import type { BankMap, Command, LedgerEvent, MapDoor, Page } from '../shapes.ts'
import { isOver, opening, openingWords, reached } from '../words/banks.ts'
import { shell } from '../words/shell.ts'

/** Opens one door from afar: a reason first, then what becomes of it, step by step, until the bank says how it ended. */
export function OpenDoor({ map, door, close }: { readonly map: BankMap; readonly door: MapDoor; close(): void }) {
	const [command, setCommand] = useState<Command>()
	const [reason, setReason] = useState<string>()
	const ask = async (why: string) => {
		setReason(why)
		setCommand(await send<Command>('POST', '/v1/door-sessions', { compartment: door.compartment, reason: why }))
	}
	return (
		<Dialog title={opening.title(door.number, map.bank.name)} lead={command ? undefined : opening.lead} close={close}>
			{command ? (
				<Progress key={command.id} first={command} map={map} door={door} close={close} again={() => ask(reason ?? '')} />
			) : (
				<Form submit={opening.submit} cancel={close} send={(form) => ask(String(form.get('reason')))}>
					<Reasons legend={opening.reason} name="reason" reasons={opening.reasons} />
				</Form>
			)}
		</Dialog>
	)
}

const ORDER = ['requested', 'sent', 'accepted', 'done'] as const
type Step = (typeof ORDER)[number]
const ASK_MS = 500

interface ProgressProps {
	readonly first: Command
	readonly map: BankMap
	readonly door: MapDoor
	close(): void
	/** Asks for the same once more. */
	again(): Promise<void>
}
function Progress({ first, map, door, close, again }: ProgressProps) {
	const client = useQueryClient()
	const { data: command = first } = useQuery({
		queryKey: ['command', first.id],
		queryFn: async () => {
			const now = await get<Command>(`/v1/commands/${first.id}`)
			if (isOver(now)) void client.invalidateQueries({ queryKey: ['bank', map.bank.id] })
			return now
		},
		initialData: first,
		refetchInterval: ({ state: { data } }) => (data && isOver(data) ? false : ASK_MS),
		staleTime: 0,
	})
	const { data: recorded } = useQuery({
		queryKey: ['command', first.id, 'record', command.state],
		queryFn: () => get<Page<LedgerEvent>>(`/v1/events${query({ subject: first.id, limit: 10 })}`),
		refetchInterval: ({ state: { data } }) => (data && data.items.length > 0 ? false : ASK_MS),
	})
	// What was seen to happen has happened, however it ends: an order that ran out may have been sent before.
	const seen = useRef<Step>('requested')
	const came = reached(command)
	if (ORDER.indexOf(came) > ORDER.indexOf(seen.current)) seen.current = came
	const at = ORDER.indexOf(seen.current)
	const over = isOver(command)
	const list = useRef<HTMLOListElement>(null)
	useEffect(() => list.current?.focus({ preventScroll: true }), [])
	const record = recorded?.items[0]
	return (
		<>
			{/* The button that was pressed is gone: whoever works by keyboard goes on here. */}
			<ol className="progress" aria-live="polite" tabIndex={-1} ref={list}>
				{ORDER.map((step, i) => {
					const state = i < at || (over && i === at) ? 'done' : i === at ? 'now' : 'later'
					return (
						<li key={step} className={state} {...(state === 'now' && { 'aria-current': 'step' as const })}>
							<span className="pt">{state === 'done' ? <Icon name="check" /> : i + 1}</span>
							{opening.steps[step]}
						</li>
					)
				})}
			</ol>
			<p role="status" className={over && command.state !== 'done' ? 'problem' : 'soft'}>
				{openingWords(command, door.live.door)}
			</p>
			{command.state === 'awaiting-approval' && (
				<>
					<OwnerOnPhone command={command.id} at={{ bank: map.bank.id, site: map.bank.site }} />
					<Emergency bank={map.bank.id} site={map.bank.site} again={again} />
				</>
			)}
			{record && (
				<p className="mute row">
					{opening.recorded} <Leaf position={Number(record.sequence)} />
				</p>
			)}
			<div className="form-end">
				<button type="button" className="btn primary" onClick={close}>
					{shell.close}
				</button>
			</div>
		</>
	)
}

/** Whose thing lies there may be on the phone: what only they can know makes them the second person. What was right is not told. */
function OwnerOnPhone({ command, at }: { readonly command: string; readonly at: At }) {
	const client = useQueryClient()
	// What somebody may read anyway proves nothing about who is on the phone, so it is not asked for.
	const readsContact = [useMay('people.read', at), useMay('case.manage', at)].includes(true)
	const asked = opening.phone.facts.filter(([kind]) => !readsContact || kind === 'code')
	const elsewise = asked.length > 1
	const [left, setLeft] = useState<number>()
	return (
		<details className="more">
			<summary>{opening.phone.title}</summary>
			<p className="hint">{opening.phone.lead}</p>
			<p className="hint">{opening.phone.told}</p>
			<Form
				submit={opening.phone.submit}
				send={async (form) => {
					const facts = ['read-back', ...asked.map(([kind]) => kind)].flatMap((kind) => {
						const value = String(form.get(kind) ?? '').trim()
						return value ? [{ kind, value }] : []
					})
					if (facts.length < 2 && facts[0]?.kind !== 'read-back') throw new Refusal(400, 'request-invalid', opening.phone.none)
					const { verified, triesLeft } = await send<{ verified: boolean; triesLeft: number }>(
						'POST',
						`/v1/commands/${command}/owner-verifications`,
						{ facts },
					)
					setLeft(verified ? undefined : triesLeft)
					await client.invalidateQueries({ queryKey: ['command', command] })
				}}
			>
				<Field label={opening.phone.readBack} name="read-back" autoComplete="off" inputMode="numeric" />
				{elsewise && (
					<>
						<p className="hint">{opening.phone.elseLead}</p>
						{asked.map(([kind, label, hint]) => (
							<Field key={kind} label={label} name={kind} autoComplete="off" {...(hint !== undefined && { hint })} />
						))}
					</>
				)}
				{left !== undefined && (
					<p className="problem" role="alert">
						{opening.phone.wrong(left)}
					</p>
				)}
			</Form>
		</details>
	)
}

/** Nobody else is asked, for minutes: on record before the door, seen by everybody who works here, and reviewed by somebody else. */
function Emergency({ bank, site, again }: { readonly bank: string; readonly site: string; again(): Promise<void> }) {
	if (!useMay('door.break-glass', { bank, site })) return null
	return (
		<details className="more">
			<summary>{opening.emergency.title}</summary>
			<p className="hint">{opening.emergency.lead}</p>
			<Form
				submit={opening.emergency.submit}
				danger
				send={async (form) => {
					await send('POST', '/v1/break-glass', { bank, reason: form.get('emergency'), minutes: opening.emergency.minutes })
					await again()
				}}
			>
				<Reasons legend={opening.emergency.reason} name="emergency" reasons={opening.emergency.reasons} />
			</Form>
		</details>
	)
}
