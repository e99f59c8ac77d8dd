import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Field, Form, Secret } from '../forms.tsx'
import { Table } from '../lists.tsx'
import { Card, Chip, Empty, Shown } from '../parts.tsx'
import { controllersOf } from '../queries.ts'
import type { BankMap, Controller } from '../shapes.ts'
import { when } from '../time.ts'
import { controllers as words } from '../words/banks.ts'
import { shell } from '../words/shell.ts'
import { site as ofSite } from '../words/site.ts'

type Asking = 'add' | { readonly what: 'claim' | 'code' | 'revoke'; readonly controller: Controller }

/** The computers of a bank: how a machine gets in, and how one is shut out. */
export function Controllers({ bank: { id: bank, site, timeZone } }: { readonly bank: BankMap['bank'] }) {
	const asked = useQuery(controllersOf(bank))
	const mayManage = useMay('controller.manage', { bank, site })
	const [asking, setAsking] = useState<Asking>()
	const close = () => setAsking(undefined)
	return (
		<Card
			title={words.title}
			flush
			end={
				mayManage &&
				asked.data?.items.every(({ state }) => state === 'revoked') && (
					<button type="button" className="btn small" onClick={() => setAsking('add')}>
						<Icon name="plus" />
						{words.add}
					</button>
				)
			}
		>
			<Shown of={asked}>
				{({ items }) =>
					items.length === 0 ? (
						<Empty title={words.none} note={words.noneNote} />
					) : (
						<Table heads={[words.name, words.state, words.software, words.storage, words.certificate, { text: words.actions, as: 'unseen' }]}>
							{items.map((one) => (
								<tr key={one.id}>
									<th scope="row">{one.name}</th>
									<td data-label={words.state}>
										<ControllerState controller={one} />
									</td>
									<td data-label={words.software}>{one.live.software ?? '–'}</td>
									<td data-label={words.storage}>{one.live.storageLevel ? <KeptAt site={site} level={one.live.storageLevel} /> : '–'}</td>
									<td className="nowrap" data-label={words.certificate}>
										{one.certificate ? words.until(when(one.certificate.until, timeZone)) : '–'}
									</td>
									<td>
										{mayManage && one.state !== 'revoked' && (
											<span className="row wrap">
												<button type="button" className="btn small" onClick={() => setAsking({ what: 'claim', controller: one })}>
													{words.claim}
												</button>
												{one.state === 'enrolled' && !one.live.online && (
													<button type="button" className="btn small" onClick={() => setAsking({ what: 'code', controller: one })}>
														{words.code}
													</button>
												)}
												<button type="button" className="btn small danger" onClick={() => setAsking({ what: 'revoke', controller: one })}>
													{words.revoke}
												</button>
											</span>
										)}
									</td>
								</tr>
							))}
						</Table>
					)
				}
			</Shown>
			{asking === 'add' && <Add bank={bank} close={close} />}
			{typeof asking === 'object' && asking.what === 'claim' && <Claim controller={asking.controller} close={close} />}
			{typeof asking === 'object' && asking.what === 'code' && <ClaimCode controller={asking.controller} close={close} />}
			{typeof asking === 'object' && asking.what === 'revoke' && <Revoke controller={asking.controller} close={close} />}
		</Card>
	)
}

function ControllerState({ controller: { state, live } }: { readonly controller: Controller }) {
	if (state === 'revoked') return <Chip icon="slash">{words.revoked}</Chip>
	if (state === 'waiting') return <Chip icon="clock">{words.waiting}</Chip>
	return live.online ? (
		<Chip tone="ok" icon="check">
			{words.connected}
		</Chip>
	) : (
		<Chip tone="warn" icon="offline">
			{words.away}
		</Chip>
	)
}

/** The choice is the whole site's. */
function KeptAt({ site, level }: { readonly site: string; readonly level: 'L0' | 'L1' }) {
	return useMay('estate.read', { site }) ? (
		<Link to="/sites/$site" params={{ site }}>
			{ofSite.levels[level]}
		</Link>
	) : (
		ofSite.levels[level]
	)
}

function Add({ bank, close }: { readonly bank: string; close(): void }) {
	const client = useQueryClient()
	return (
		<Dialog title={words.addTitle} lead={words.addLead} close={close}>
			<Form
				submit={words.addSubmit}
				cancel={close}
				send={async (form) => {
					await send('POST', '/v1/controllers', { bank, name: String(form.get('name')).trim() })
					await client.invalidateQueries(controllersOf(bank))
					close()
				}}
			>
				<Field label={words.name} name="name" required maxLength={200} />
			</Form>
		</Dialog>
	)
}

function Claim({ controller: { id, bank, name, state }, close }: { readonly controller: Controller; close(): void }) {
	const client = useQueryClient()
	const estate = useEstate()
	const [claim, setClaim] = useState<{ readonly token: string; readonly expiresAt: string; readonly server?: string }>()
	return (
		<Dialog title={words.claimTitle(name)} lead={claim ? undefined : words.claimLead(state === 'enrolled')} close={close}>
			{claim ? (
				<>
					<Secret label={words.claimIs} text={claim.token} note={words.claimOnce(when(claim.expiresAt, estate.zone({ bank })))} small />
					<pre className="code">{words.claimHow(claim.server ?? `https://${location.hostname}:DEVICE-PORT`)}</pre>
				</>
			) : (
				<Form
					submit={words.claimSubmit}
					cancel={close}
					send={async () => {
						setClaim(await send('POST', `/v1/controllers/${id}/claims`, {}))
						await client.invalidateQueries(controllersOf(bank))
					}}
				>
					{null}
				</Form>
			)}
		</Dialog>
	)
}

/** For a machine that is there, and only cannot prove itself any more. */
function ClaimCode({ controller: { id, bank, name }, close }: { readonly controller: Controller; close(): void }) {
	const estate = useEstate()
	const [made, setMade] = useState<{ readonly code: string; readonly expiresAt: string }>()
	return (
		<Dialog title={words.codeTitle(name)} lead={made ? undefined : words.codeLead} close={close}>
			{made ? (
				<>
					<Secret
						label={words.codeIs}
						text={made.code.replaceAll(/(\d{5})(?=\d)/g, '$1 ')}
						note={words.claimOnce(when(made.expiresAt, estate.zone({ bank })))}
					/>
					<p className="mute">{words.codeHow}</p>
				</>
			) : (
				<Form submit={words.codeSubmit} cancel={close} send={async () => setMade(await send('POST', `/v1/controllers/${id}/claim-codes`, {}))}>
					{null}
				</Form>
			)}
		</Dialog>
	)
}

/** Out of use, or gone: what is done then is not the same. */
function Revoke({ controller: { id, bank, name, version }, close }: { readonly controller: Controller; close(): void }) {
	const client = useQueryClient()
	const [gone, setGone] = useState(false)
	const [lost, setLost] = useState<{ readonly pins: number; readonly codes: number }>()
	if (lost)
		return (
			<Dialog title={words.lostTitle(name)} close={close}>
				<p role="status">{words.lostSays(lost.pins, lost.codes)}</p>
				<p className="mute">{words.lostNext}</p>
				<div className="form-end">
					<button type="button" className="btn primary" onClick={close}>
						{shell.close}
					</button>
				</div>
			</Dialog>
		)
	return (
		<Dialog title={words.revokeTitle(name)} lead={words.revokeLead} close={close}>
			<Form
				submit={words.revokeSubmit}
				danger
				cancel={close}
				send={async () => {
					if (gone) setLost(await send('POST', `/v1/controllers/${id}/losses`, { version }))
					else await send('DELETE', `/v1/controllers/${id}`, undefined, version)
					await client.invalidateQueries(controllersOf(bank))
					if (!gone) close()
				}}
			>
				<fieldset className="reasons">
					<legend>{words.revokeKind}</legend>
					<label>
						<input type="radio" name="what" checked={!gone} onChange={() => setGone(false)} />
						<span>{words.revokeReplaced}</span>
					</label>
					<label>
						<input type="radio" name="what" checked={gone} onChange={() => setGone(true)} />
						<span>{words.revokeLost}</span>
					</label>
				</fieldset>
				{gone && <p className="mute">{words.revokeLostNote}</p>}
			</Form>
		</Dialog>
	)
}
