import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { get, query, send } from '../api.ts'
import { Dialog, Form, Leaf, Reasons } from '../parts.tsx'
import type { BankMap, Command, LedgerEvent, MapDoor, Page } from '../shapes.ts'
import { isOver, opening } from '../words/banks.ts'
import { shell } from '../words/shell.ts'

/** Opens one door from afar: a reason first, then what becomes of it, step by step, until the bank says how it ended. */
export function OpenDoor({ map, door, close }: { readonly map: BankMap; readonly door: MapDoor; close(): void }) {
	const [command, setCommand] = useState<Command>()
	return (
		<Dialog title={opening.title(door.number, map.bank.name)} lead={command ? undefined : opening.lead} close={close}>
			{command ? (
				<Progress first={command} bank={map.bank.id} close={close} />
			) : (
				<Form
					submit={opening.submit}
					cancel={close}
					send={async (form) =>
						setCommand(await send<Command>('POST', '/v1/door-sessions', { compartment: door.compartment, reason: form.get('reason') }))
					}
				>
					<Reasons legend={opening.reason} name="reason" reasons={opening.reasons} />
				</Form>
			)}
		</Dialog>
	)
}

const ORDER = ['requested', 'sent', 'accepted', 'done'] as const
const ASK_MS = 500

function Progress({ first, bank, close }: { readonly first: Command; readonly bank: string; close(): void }) {
	const client = useQueryClient()
	const { data: command = first } = useQuery({
		queryKey: ['command', first.id],
		queryFn: async () => {
			const now = await get<Command>(`/v1/commands/${first.id}`)
			if (isOver(now)) void client.invalidateQueries({ queryKey: ['bank', bank] })
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
	const reached = ORDER.indexOf(command.state as (typeof ORDER)[number])
	const went = reached >= 0
	const record = recorded?.items[0]
	return (
		<>
			<ol className="progress" aria-live="polite">
				{ORDER.map((step, i) => {
					const state = !went ? (i === 0 ? 'done' : 'later') : i < reached || command.state === 'done' ? 'done' : i === reached ? 'now' : 'later'
					return (
						<li key={step} className={state} {...(state === 'now' && { 'aria-current': 'step' as const })}>
							<span className="pt">{state === 'done' ? <Icon name="check" /> : i + 1}</span>
							{opening.steps[step]}
						</li>
					)
				})}
			</ol>
			<p role="status" className={went ? 'soft' : 'problem'}>
				{ending(command)}
			</p>
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

function ending({ state, code, end }: Command): string {
	if (state === 'done') return opening.ends.done(end)
	if (state === 'refused') return opening.ends.refused(code)
	if (state === 'failed') return opening.ends.failed(code)
	if (state === 'expired') return opening.ends.expired
	return state === 'accepted' ? opening.opened : opening.waiting
}
