import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useEstate } from '../estate.ts'
import { Dialog } from '../forms.tsx'
import { Table } from '../lists.tsx'
import { Who } from '../names.tsx'
import { Shown } from '../parts.tsx'
import { allPolicies, openersOf } from '../queries.ts'
import type { MapDoor } from '../shapes.ts'
import { when } from '../time.ts'
import { ACTIONS, METHODS, ruleWords, openers as words } from '../words/policies.ts'

/** Everybody whom the bank would let open this door now, and the codes that open it for whoever has them. */
export function Openers({ door, bank, close }: { readonly door: MapDoor; readonly bank: string; close(): void }) {
	const estate = useEstate()
	const asked = useQuery(openersOf(door.compartment))
	return (
		<Dialog title={words.title(door.number)} lead={words.lead} close={close} className="wide">
			<Shown of={asked}>
				{({ items }) =>
					items.length === 0 ? (
						<p className="mute">{words.none}</p>
					) : (
						<Table heads={[words.who, words.how, words.by]}>
							{items.map((one) => (
								<tr key={one.kind === 'person' ? `${one.user} ${one.action}` : one.code}>
									<th scope="row">{one.kind === 'person' ? <Who id={one.user} /> : words.whoever(one.for, one.hint)}</th>
									<td data-label={words.how}>
										{ACTIONS[one.kind === 'person' ? one.action : 'collect']}{' '}
										<span className="mute">
											{one.kind === 'person' ? (METHODS[one.method] ?? one.method) : words.until(when(one.until, estate.zone({ bank })))}
										</span>
									</td>
									<td data-label={words.by}>
										<Rules rules={one.rules} />
									</td>
								</tr>
							))}
						</Table>
					)
				}
			</Shown>
		</Dialog>
	)
}

/** Each rule with the way to its policy. */
export function Rules({ rules }: { readonly rules: readonly string[] }) {
	const { data: all = [] } = useQuery(allPolicies)
	return rules.map((rule, i) => {
		const policy = all.find(({ code }) => rule.startsWith(`${code}/`))
		return (
			<span key={rule}>
				{i > 0 && ', '}
				{policy ? (
					<Link to="/policies/$policy" params={{ policy: policy.id }}>
						{policy.name}
					</Link>
				) : (
					ruleWords(rule)
				)}
			</span>
		)
	})
}
