import { useQuery } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { Dialog } from '../forms.tsx'
import { Table } from '../lists.tsx'
import { Who } from '../names.tsx'
import { Shown } from '../parts.tsx'
import { allPolicies, openersOf } from '../queries.ts'
import type { MapDoor } from '../shapes.ts'
import { ACTIONS, METHODS, ruleWords, openers as words } from '../words/policies.ts'

/** Everybody whom the bank would let open this door now. */
export function Openers({ door, close }: { readonly door: MapDoor; close(): void }) {
	const asked = useQuery(openersOf(door.compartment))
	return (
		<Dialog title={words.title(door.number)} lead={words.lead} close={close} className="wide">
			<Shown of={asked}>
				{({ items }) =>
					items.length === 0 ? (
						<p className="mute">{words.none}</p>
					) : (
						<Table heads={[words.who, words.how, words.by]}>
							{items.map(({ user, action, method, rules }) => (
								<tr key={`${user} ${action}`}>
									<th scope="row">
										<Who id={user} />
									</th>
									<td data-label={words.how}>
										{ACTIONS[action]} <span className="mute">{METHODS[method] ?? method}</span>
									</td>
									<td data-label={words.by}>
										<Rules rules={rules} />
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
