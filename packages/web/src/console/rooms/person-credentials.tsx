import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { may } from '../access.ts'
import { send } from '../api.ts'
import { useMay, useSeat } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Field, Form, Secret, Select } from '../forms.tsx'
import { Card, Empty, Shown } from '../parts.tsx'
import { allSites, credentialsOf } from '../queries.ts'
import type { Credential, Person } from '../shapes.ts'
import { fromLocal } from '../time.ts'
import { person as words } from '../words/people.ts'
import { NewBadge } from './badge-new.tsx'
import { CredentialTable } from './credential-table.tsx'

type Asking = 'pin' | 'badge' | Credential

/** Badges and PINs: given, shown once, taken back. */
export function Credentials({ person }: { readonly person: Person }) {
	const { me } = useSeat()
	const asked = useQuery(credentialsOf(person.id))
	const { data: sites = [] } = useQuery({ ...allSites, enabled: useMay('estate.read') })
	const [asking, setAsking] = useState<Asking>()
	const mayGive = useMay('credential.manage') && person.erasedAt === undefined
	const pinSites = sites.filter(({ id }) => may(me, 'credential.manage', { site: id }))
	const close = () => setAsking(undefined)
	return (
		<Card
			title={words.credentials}
			flush
			end={
				mayGive && (
					<>
						<button type="button" className="btn small" onClick={() => setAsking('badge')}>
							<Icon name="badge" />
							{words.newBadge}
						</button>
						{pinSites.length > 0 && (
							<button type="button" className="btn small" onClick={() => setAsking('pin')}>
								<Icon name="keypad" />
								{words.newPin}
							</button>
						)}
					</>
				)
			}
		>
			<Shown of={asked}>
				{({ items }) =>
					items.length === 0 ? (
						<Empty title={words.noCredentials} />
					) : (
						<CredentialTable
							items={items}
							where={({ site }) => (site === undefined ? words.everywhere : (sites.find(({ id }) => id === site)?.name ?? '–'))}
							act={(one) =>
								mayGive && (
									<button type="button" className="btn small danger" onClick={() => setAsking(one)}>
										{words.revoke}
									</button>
								)
							}
						/>
					)
				}
			</Shown>
			{asking === 'badge' && <NewBadge user={person.id} close={close} badges={asked.data?.items.filter(isLiveBadge) ?? []} />}
			{asking === 'pin' && <NewPin user={person.id} sites={pinSites.map(({ id, name }) => [id, name] as const)} close={close} />}
			{typeof asking === 'object' && <Revoke credential={asking} close={close} />}
		</Card>
	)
}

const isLiveBadge = ({ kind, revokedAt }: Credential): boolean => kind === 'badge' && revokedAt === undefined

function NewPin({ user, sites, close }: { readonly user: string; readonly sites: readonly (readonly [string, string])[]; close(): void }) {
	const client = useQueryClient()
	const { home } = useEstate()
	const [pin, setPin] = useState<string>()
	return (
		<Dialog title={words.newPinTitle} lead={pin === undefined ? words.newPinLead : undefined} close={close}>
			{pin === undefined ? (
				<Form
					submit={words.newPinSubmit}
					cancel={close}
					send={async (form) => {
						const notAfter = fromLocal(String(form.get('until') ?? ''), home)
						const made = await send<Credential>('POST', '/v1/credentials', {
							kind: 'pin',
							user,
							site: form.get('site'),
							...(notAfter && { notAfter }),
						})
						setPin(made.pin ?? '')
						await client.invalidateQueries({ queryKey: ['people'] })
					}}
				>
					<Select label={words.newPinSite} name="site" options={sites} />
					<Field label={words.validUntil} hint={words.validUntilHint} name="until" type="datetime-local" />
				</Form>
			) : (
				<Secret label={words.pinIs} text={pin.replaceAll(/(\d{4})(?=\d)/g, '$1 ')} note={words.pinOnce} />
			)}
		</Dialog>
	)
}

function Revoke({ credential, close }: { readonly credential: Credential; close(): void }) {
	const client = useQueryClient()
	const kind = (credential.kind === 'badge' ? words.badge : words.pin).replace(/^B/, 'b')
	return (
		<Dialog title={words.revokeTitle(kind)} lead={words.revokeLead} close={close}>
			<Form
				submit={words.revokeSubmit}
				danger
				cancel={close}
				send={async () => {
					await send('DELETE', `/v1/credentials/${credential.id}`, undefined, credential.version)
					await client.invalidateQueries({ queryKey: ['people'] })
					close()
				}}
			>
				{null}
			</Form>
		</Dialog>
	)
}
