import { useQuery } from '@tanstack/react-query'
import { useEstate } from '../estate.ts'
import { Table } from '../lists.tsx'
import { Card, Chip, Shown } from '../parts.tsx'
import { allTypes, reachOf } from '../queries.ts'
import { longTime } from '../time.ts'
import { insteadWords, METHODS, reasonWords, wants, reach as words } from '../words/policies.ts'
import { Rules } from './openers.tsx'

/** What somebody can do at each bank now, and why the rest is refused. */
export function PersonReach({ user }: { readonly user: string }) {
	const asked = useQuery(reachOf(user))
	const { data: types = [] } = useQuery(allTypes)
	const estate = useEstate()
	return (
		<Card title={words.title} flush>
			<p className="mute small-print inset">{words.lead}</p>
			<Shown of={asked}>
				{({ items }) =>
					items.length === 0 ? (
						<p className="mute inset">{words.none}</p>
					) : (
						<Table heads={[words.what, words.bank, words.answer]}>
							{items.map(({ bank, action, type, own, doors, tags, effect, reason, method, missing, outcome }) => (
								<tr key={`${bank} ${action} ${type} ${own} ${doors} ${tags}`}>
									<th scope="row">
										{own ? words.own : wants(action, types.find(({ code }) => code === type)?.name ?? type)}{' '}
										<small className="mute">{words.at({ ...(doors && { doors }), ...(tags && { tags }) })}</small>
									</th>
									<td data-label={words.bank}>{estate.bank(bank) ?? '–'}</td>
									<td data-label={words.answer}>
										{effect === 'allow' ? (
											<Chip tone="ok" icon="check">
												{METHODS[method ?? ''] ?? method}
											</Chip>
										) : (
											<Chip icon="x">{missing !== undefined && reason === undefined ? words.missing(missing) : reasonWords(reason)}</Chip>
										)}{' '}
										<small className="mute">
											<Rules rules={outcome.rules.filter(({ rule }) => effect === 'allow' || !rule.startsWith('builtin/')).map(({ rule }) => rule)} />
											{outcome.instead.map((one) => ` ${insteadWords(one, (at) => longTime(at, estate.zone({ bank })))}`).join(', ')}
										</small>
									</td>
								</tr>
							))}
						</Table>
					)
				}
			</Shown>
		</Card>
	)
}
