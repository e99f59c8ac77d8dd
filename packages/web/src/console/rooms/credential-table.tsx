import type { ReactNode } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { serverNow } from '../api.ts'
import { Table } from '../lists.tsx'
import { Moment, Who } from '../names.tsx'
import { Chip } from '../parts.tsx'
import type { Credential } from '../shapes.ts'
import { person as words } from '../words/people.ts'

interface CredentialTableProps {
	readonly items: readonly Credential[]
	/** Of several people: each row begins with its holder, and they stay in their order. */
	readonly holders?: boolean
	/** Where one counts; left out: nobody asks. */
	where?(credential: Credential): string
	/** What can be done with one that counts. */
	act?(credential: Credential): ReactNode
}
/** Badges and PINs, those that still count first. */
export function CredentialTable({ items, holders = false, where, act }: CredentialTableProps) {
	const inOrder = holders ? items : items.toSorted((a, b) => Number(a.revokedAt !== undefined) - Number(b.revokedAt !== undefined))
	return (
		<Table
			heads={[
				holders && words.holder,
				words.kind,
				where !== undefined && words.where,
				words.given,
				words.until,
				words.state,
				act !== undefined && { text: words.actions, as: 'unseen' },
			]}
		>
			{inOrder.map((one) => (
				<tr key={one.id}>
					{holders ? (
						<>
							<th scope="row">
								<Who id={one.user} />
							</th>
							<td data-label={words.kind}>
								<Kind credential={one} />
							</td>
						</>
					) : (
						<th scope="row">
							<Kind credential={one} />
						</th>
					)}
					{where && <td data-label={words.where}>{where(one)}</td>}
					<td className="nowrap" data-label={words.given}>
						<Moment at={one.createdAt} site={one.site} />
					</td>
					<td className="nowrap" data-label={words.until}>
						{one.notAfter === undefined ? '–' : <Moment at={one.notAfter} site={one.site} />}
					</td>
					<td data-label={words.state}>
						<CredentialState credential={one} />
					</td>
					{act && <td className="right">{one.revokedAt === undefined && act(one)}</td>}
				</tr>
			))}
		</Table>
	)
}

const Kind = ({ credential: { kind, assurance } }: { readonly credential: Credential }) => (
	<span className="row">
		<Icon name={kind === 'badge' ? 'badge' : 'keypad'} />
		{kind === 'badge' ? words.badge : words.pin}
		{kind === 'badge' && <small className="mute">{words.assuranceOf[assurance]}</small>}
	</span>
)

function CredentialState({ credential: { revokedAt, lostAt, notAfter } }: { readonly credential: Credential }) {
	if (revokedAt !== undefined) return <Chip icon="slash">{lostAt === undefined ? words.revoked : words.reportedLost}</Chip>
	if (notAfter !== undefined && Date.parse(notAfter) <= serverNow()) return <Chip icon="clock">{words.expired}</Chip>
	return (
		<Chip tone="ok" icon="check">
			{words.valid}
		</Chip>
	)
}
