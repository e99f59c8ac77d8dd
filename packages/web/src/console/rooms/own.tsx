import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { send } from '../api.ts'
import { useSeat } from '../context.ts'
import { Dialog, Form } from '../forms.tsx'
import { Card, Empty, Shown, Title } from '../parts.tsx'
import { ownCredentials } from '../queries.ts'
import type { Credential } from '../shapes.ts'
import { own as words } from '../words/own.ts'
import { CredentialTable } from './credential-table.tsx'
import { OwnDecisions, OwnOpenings } from './own-doors.tsx'

/** What is one's own, for everybody who can sign in: badges and PINs, of which what is lost is reported here, what banks said, and what others opened. */
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
							<CredentialTable
								items={items}
								act={(one) => (
									<button type="button" className="btn small danger" onClick={() => setAsking(one)}>
										{words.lost[one.kind]}
									</button>
								)}
							/>
						)
					}
				</Shown>
			</Card>
			<OwnDecisions />
			<OwnOpenings />
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
