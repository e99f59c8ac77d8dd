import { instantAt, minutes } from '@latchwork/core/base'
import { useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { daysBetween } from '../../ui/time.ts'
import { send, serverNow } from '../api.ts'
import { Dialog, Field, Form, Reasons, Secret, Select } from '../forms.tsx'
import type { CaseDetail } from '../shapes.ts'
import { clock, day, longTime } from '../time.ts'
import { caseRoom as words } from '../words/cases.ts'

/** So many days can be chosen from. */
const DAYS_AHEAD = 60

interface ExtendProps {
	readonly detail: CaseDetail
	readonly zone: string
	readonly times: string
	close(): void
}
/** Day and time of the site, whatever the browser takes for its own; a day later is proposed. */
export function Extend({ detail: { id, deadlines }, zone, times, close }: ExtendProps) {
	const client = useQueryClient()
	const [now] = useState(serverNow)
	const end = Date.parse(deadlines['collect-by'] ?? '')
	const noon = (days: number) => instantAt(now, zone, days, 720)
	const later = Math.max(1, daysBetween(now, end, zone) + 1)
	const days = Array.from({ length: DAYS_AHEAD + later }, (_, i) => [String(i), day(noon(i), zone)] as const)
	return (
		<Dialog title={words.extendTitle} lead={words.extendLead(longTime(end, zone), times)} close={close}>
			<Form
				submit={words.extendSubmit}
				cancel={close}
				send={async (form) => {
					const until = instantAt(now, zone, Number(form.get('day')), minutes(String(form.get('time'))))
					await send('POST', `/v1/deliveries/${id}/extensions`, { until: new Date(until).toISOString() })
					await client.invalidateQueries({ queryKey: ['case', id] })
					close()
				}}
			>
				<Select label={words.extendDay} name="day" options={days} defaultValue={String(later)} />
				<Field
					label={words.extendTime}
					hint={words.extendTimeHint}
					name="time"
					required
					pattern="([01]?[0-9]|2[0-3]):[0-5][0-9]"
					inputMode="numeric"
					autoComplete="off"
					defaultValue={clock(end, zone)}
				/>
			</Form>
		</Dialog>
	)
}

export function Recall({ id, close }: { readonly id: string; close(): void }) {
	const client = useQueryClient()
	return (
		<Dialog title={words.recallTitle} lead={words.recallLead} close={close}>
			<Form
				submit={words.recallSubmit}
				danger
				cancel={close}
				send={async (form) => {
					await send('POST', `/v1/deliveries/${id}/recalls`, { reason: form.get('reason') })
					await client.invalidateQueries({ queryKey: ['case', id] })
					close()
				}}
			>
				<Reasons legend={words.recallReason} name="reason" reasons={words.recallReasons} />
			</Form>
		</Dialog>
	)
}

export function NewCode({ id, close }: { readonly id: string; close(): void }) {
	const client = useQueryClient()
	const [code, setCode] = useState<string>()
	return (
		<Dialog title={words.newCode.replace('…', '')} lead={code === undefined ? words.newCodeLead : undefined} close={close}>
			{code === undefined ? (
				<Form
					submit={words.newCodeSubmit}
					cancel={close}
					send={async () => {
						const { pickUpCode } = await send<{ pickUpCode: string | { digits: string } }>('POST', `/v1/deliveries/${id}/codes`, {})
						setCode(digitsOf(pickUpCode))
						await client.invalidateQueries({ queryKey: ['case', id] })
					}}
				>
					{null}
				</Form>
			) : (
				<Secret label={words.codeIs} text={code} note={words.codeOnce} />
			)}
		</Dialog>
	)
}

export function ShowCode({ id, close }: { readonly id: string; close(): void }) {
	const client = useQueryClient()
	const [code, setCode] = useState<string>()
	return (
		<Dialog title={words.showCodeTitle} lead={code === undefined ? words.showCodeLead : undefined} close={close}>
			{code === undefined ? (
				<Form
					submit={words.showCodeSubmit}
					cancel={close}
					send={async () => {
						const { pickUpCode } = await send<{ pickUpCode?: { digits: string } }>('POST', `/v1/deliveries/${id}/code-readings`, {})
						setCode(pickUpCode ? digitsOf(pickUpCode) : '')
						await client.invalidateQueries({ queryKey: ['case', id] })
					}}
				>
					{null}
				</Form>
			) : code === '' ? (
				<p>{words.codeGone}</p>
			) : (
				<Secret label={words.codeNow} text={code} note={words.codeOnce} />
			)}
		</Dialog>
	)
}

/** Two groups of four. */
export const digitsOf = (code: string | { readonly digits: string }): string =>
	(typeof code === 'string' ? code : code.digits).replaceAll(/(\d{4})(?=\d)/g, '$1 ')

/** Somebody else collects: a code of their own beside the recipient's, shown once here. */
export function Delegate({ id, close }: { readonly id: string; close(): void }) {
	const client = useQueryClient()
	const [code, setCode] = useState<string>()
	return (
		<Dialog title={words.delegateTitle} lead={code === undefined ? words.delegateLead : undefined} close={close}>
			{code === undefined ? (
				<Form
					submit={words.delegateSubmit}
					cancel={close}
					send={async (form) => {
						const { pickUpCode } = await send<{ pickUpCode: { digits: string } }>('POST', `/v1/deliveries/${id}/delegations`, {
							hint: form.get('hint'),
						})
						setCode(digitsOf(pickUpCode))
						await client.invalidateQueries({ queryKey: ['case', id] })
					}}
				>
					<Field label={words.delegateWho} name="hint" hint={words.delegateHint} maxLength={40} required autoComplete="off" />
				</Form>
			) : (
				<Secret label={words.delegateIs} text={code} note={words.delegateOnce} />
			)}
		</Dialog>
	)
}
