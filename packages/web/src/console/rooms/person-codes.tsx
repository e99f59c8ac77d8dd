import { useQuery, useQueryClient } from '@tanstack/react-query'
import { create } from 'qrcode'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { may } from '../access.ts'
import { send, serverNow } from '../api.ts'
import { useMay, useSeat } from '../context.ts'
import { Dialog, Form, Secret, Select } from '../forms.tsx'
import { Table } from '../lists.tsx'
import { Moment } from '../names.tsx'
import { Card, Chip, Empty, Shown } from '../parts.tsx'
import { allBanks, oneTimeCodesOf } from '../queries.ts'
import type { OneTimeCode, Person } from '../shapes.ts'
import { oneTime as words } from '../words/people.ts'

/** Codes for somebody who has no badge with them: for one bank, for some hours, once. */
export function OneTimeCodes({ person }: { readonly person: Person }) {
	const { me } = useSeat()
	const asked = useQuery(oneTimeCodesOf(person.id))
	const { data: banks = [] } = useQuery({ ...allBanks, enabled: useMay('estate.read') })
	const [asking, setAsking] = useState<'new' | OneTimeCode>()
	const given = banks.filter(({ id, site }) => may(me, 'credential.manage', { bank: id, site }))
	const close = () => setAsking(undefined)
	const nameOf = (bank: string) => banks.find(({ id }) => id === bank)?.name ?? '–'
	return (
		<Card
			title={words.title}
			flush
			end={
				given.length > 0 &&
				person.erasedAt === undefined && (
					<button type="button" className="btn small" onClick={() => setAsking('new')}>
						<Icon name="key" />
						{words.give}
					</button>
				)
			}
		>
			<Shown of={asked}>
				{({ items }) =>
					items.length === 0 ? (
						<Empty title={words.none} />
					) : (
						<Table heads={[words.bank, words.from, words.until, 'State', { text: 'Actions', as: 'unseen' }]}>
							{[...items]
								.toSorted((a, b) => Date.parse(b.notAfter) - Date.parse(a.notAfter))
								.map((one) => (
									<tr key={one.id}>
										<th scope="row">{nameOf(one.bank)}</th>
										<td className="nowrap" data-label={words.from}>
											<Moment at={one.notBefore} site={one.site} />
										</td>
										<td className="nowrap" data-label={words.until}>
											<Moment at={one.notAfter} site={one.site} />
										</td>
										<td data-label="State">
											<CodeState code={one} />
										</td>
										<td className="right">
											{(one.state === 'live' || one.state === 'ahead') && given.some(({ id }) => id === one.bank) && (
												<button type="button" className="btn small danger" onClick={() => setAsking(one)}>
													{words.withdraw}
												</button>
											)}
										</td>
									</tr>
								))}
						</Table>
					)
				}
			</Shown>
			{asking === 'new' && <NewCode person={person} banks={given.map(({ id, name }) => [id, name] as const)} close={close} />}
			{typeof asking === 'object' && <Withdraw code={asking} bank={nameOf(asking.bank)} close={close} />}
		</Card>
	)
}

function CodeState({ code: { state } }: { readonly code: OneTimeCode }) {
	const text = words.state[state]
	if (state === 'live')
		return (
			<Chip tone="ok" icon="check">
				{text}
			</Chip>
		)
	return <Chip icon={state === 'ahead' || state === 'expired' ? 'clock' : state === 'used' ? 'check' : 'slash'}>{text}</Chip>
}

interface NewCodeProps {
	readonly person: Person
	readonly banks: readonly (readonly [string, string])[]
	close(): void
}
function NewCode({ person, banks, close }: NewCodeProps) {
	const client = useQueryClient()
	const [made, setMade] = useState<OneTimeCode & { readonly digits: string; readonly picture: string }>()
	return (
		<Dialog title={words.newTitle} lead={made ? undefined : words.newLead} close={close}>
			{made ? (
				<>
					<Secret label={words.codeIs} text={made.digits.replaceAll(/(\d{4})(?=\d)/g, '$1 ')} note={words.once} />
					<Picture text={made.picture} />
					<p className="mute">
						{words.counts} <Moment at={made.notBefore} site={made.site} /> – <Moment at={made.notAfter} site={made.site} />
					</p>
				</>
			) : (
				<Form
					submit={words.newSubmit}
					cancel={close}
					send={async (form) => {
						const notBefore = new Date(hourFrom(Number(form.get('from')))).toISOString()
						setMade(
							await send('POST', '/v1/one-time-codes', { user: person.id, bank: form.get('bank'), notBefore, hours: Number(form.get('hours')) }),
						)
						await client.invalidateQueries({ queryKey: ['people'] })
					}}
				>
					{person.offlineMinutes !== undefined && <p className="mute">{words.needsServer}</p>}
					<Select label={words.bank} name="bank" options={banks} />
					<Select label={words.begins} name="from" options={words.beginnings} />
					<Select label={words.lasts} name="hours" options={words.lengths} defaultValue="4" />
				</Form>
			)}
		</Dialog>
	)
}

const HOUR_MS = 3_600_000
const hourFrom = (ahead: number): number => Math.floor(serverNow() / HOUR_MS + ahead) * HOUR_MS

/** To be photographed by a phone, and held to the scanner of the bank. */
function Picture({ text }: { readonly text: string }) {
	const { modules } = create(text, { errorCorrectionLevel: 'M' })
	const { size } = modules
	const dots = Array.from({ length: size * size }, (_, i) => (modules.data[i] ? `M${i % size} ${Math.floor(i / size)}h1v1h-1z` : '')).join('')
	return (
		<svg className="qr" role="img" aria-label={words.picture} viewBox={`-4 -4 ${size + 8} ${size + 8}`} shapeRendering="crispEdges">
			<rect x="-4" y="-4" width={size + 8} height={size + 8} fill="#fff" />
			<path d={dots} fill="#000" />
		</svg>
	)
}

function Withdraw({ code, bank, close }: { readonly code: OneTimeCode; readonly bank: string; close(): void }) {
	const client = useQueryClient()
	const [told, setTold] = useState<'now' | 'when-it-is-back'>()
	return (
		<Dialog title={words.withdrawTitle} lead={told ? undefined : words.withdrawLead(bank)} close={close}>
			{told === undefined ? (
				<Form
					submit={words.withdrawSubmit}
					danger
					cancel={close}
					send={async () => {
						const { bankTold } = await send<{ bankTold: 'now' | 'when-it-is-back' }>('DELETE', `/v1/one-time-codes/${code.id}`)
						await client.invalidateQueries({ queryKey: ['people'] })
						if (bankTold === 'now') close()
						else setTold(bankTold)
					}}
				>
					{null}
				</Form>
			) : (
				<p role="status">{words.toldLater(bank)}</p>
			)}
		</Dialog>
	)
}
