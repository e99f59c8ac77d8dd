import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { useSeat } from '../context.ts'
import { Dialog, Form } from '../forms.tsx'
import { Table } from '../lists.tsx'
import { Moment } from '../names.tsx'
import { Card, Empty, Shown, Title } from '../parts.tsx'
import { ownCredentials } from '../queries.ts'
import type { Credential } from '../shapes.ts'
import { person, own as words } from '../words/people.ts'
import { CredentialState } from './person-credentials.tsx'

/** One's own badges and PINs, for everybody who can sign in: what is lost is reported here, and staff give another. */
export function Own() {
	const { me } = useSeat()
	const asked = useQuery(ownCredentials)
	const [asking, setAsking] = useState<Credential>()
	return (
		<>
			<Title title={words.title} below={words.lead(me.name ?? '')} />
			<Card label={words.title} flush>
				<Shown of={asked}>
					{({ items }) =>
						items.length === 0 ? (
							<Empty title={words.none} note={words.noneNote} />
						) : (
							<Table heads={[person.kind, person.given, person.until, words.state, { text: words.actions, as: 'unseen' }]}>
								{[...items]
									.toSorted((a, b) => Number(a.revokedAt !== undefined) - Number(b.revokedAt !== undefined))
									.map((one) => (
										<tr key={one.id}>
											<th scope="row">
												<span className="row">
													<Icon name={one.kind === 'badge' ? 'badge' : 'keypad'} />
													{one.kind === 'badge' ? person.badge : person.pin}
												</span>
											</th>
											<td className="nowrap" data-label={person.given}>
												<Moment at={one.createdAt} site={one.site} />
											</td>
											<td className="nowrap" data-label={person.until}>
												{one.notAfter === undefined ? '–' : <Moment at={one.notAfter} site={one.site} />}
											</td>
											<td data-label={words.state}>
												<CredentialState credential={one} />
											</td>
											<td className="right">
												{one.revokedAt === undefined && (
													<button type="button" className="btn small danger" onClick={() => setAsking(one)}>
														{words.lost[one.kind]}
													</button>
												)}
											</td>
										</tr>
									))}
							</Table>
						)
					}
				</Shown>
			</Card>
			{asking && <Lost credential={asking} close={() => setAsking(undefined)} />}
		</>
	)
}

function Lost({ credential: { id, kind }, close }: { readonly credential: Credential; close(): void }) {
	const client = useQueryClient()
	return (
		<Dialog title={words.lostTitle[kind]} lead={words.lostLead[kind]} close={close}>
			<Form
				submit={words.lostSubmit}
				danger
				cancel={close}
				send={async () => {
					await send('POST', '/v1/me/losses', { credential: id })
					await client.invalidateQueries({ queryKey: ['people'] })
					close()
				}}
			>
				{null}
			</Form>
		</Dialog>
	)
}
