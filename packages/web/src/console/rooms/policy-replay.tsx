import { useMutation } from '@tanstack/react-query'
import { send } from '../api.ts'
import { wordsOf } from '../forms.tsx'
import { Moment, Who } from '../names.tsx'
import { Card, Chip, Leaf } from '../parts.tsx'
import type { Policy, PolicyReplay } from '../shapes.ts'
import { reasonWords, replays as words } from '../words/policies.ts'

/** What the draft would have changed of what banks decided. */
export function Replay({ policy }: { readonly policy: Policy }) {
	const { data, error, isPending, mutate } = useMutation({
		mutationFn: () => send<PolicyReplay>('POST', `/v1/policies/${policy.id}/replays`, {}),
	})
	return (
		<Card
			title={words.title}
			className="policy-replay"
			end={
				<button type="button" className="btn small" aria-disabled={isPending} onClick={() => isPending || mutate()}>
					{words.submit}
				</button>
			}
		>
			<p className="mute small-print">{words.lead}</p>
			<div role="status">
				{isPending && <p className="mute">{words.running}</p>}
				{error && <p className="problem">{wordsOf(error)}</p>}
				{data && <Replayed of={data} />}
			</div>
		</Card>
	)
}

function Replayed({ of }: { readonly of: PolicyReplay }) {
	const left = words.left(of)
	const notes = left.length > 0 && <p className="mute small-print">{left.join(' ')}</p>
	if (of.decisions === 0)
		return (
			<>
				<p className="mute">{words.none}</p>
				{notes}
			</>
		)
	const changed = of.decisions - of.same
	return (
		<>
			<p className="row between">
				<b>{words.of(of.decisions, of.banks)}</b> <span>{words.same(of.same)}</span>
			</p>
			<svg className="bar replay-bar" viewBox={`0 0 ${of.decisions} 1`} preserveAspectRatio="none" aria-hidden="true">
				<rect className="same" width={of.same} height={1} />
				<rect className="other" x={of.same} width={changed} height={1} />
			</svg>
			<table className="data">
				<thead>
					<tr>
						<th scope="col">{words.change}</th>
						<th scope="col" className="right">
							{words.times}
						</th>
						<th scope="col" className="right">
							{words.people}
						</th>
					</tr>
				</thead>
				<tbody>
					{(
						[
							[words.nowDenied, of.nowDenied],
							[words.nowAllowed, of.nowAllowed],
						] as const
					).map(([said, { times, people }]) => (
						<tr key={said}>
							<th scope="row">{said}</th>
							<td className="right">{times}</td>
							<td className="right">{people}</td>
						</tr>
					))}
				</tbody>
			</table>
			{notes}
			{of.changes.length > 0 && (
				<>
					<h3 className="policy-sub">{words.newest}</h3>
					<ul className="replayed">
						{of.changes.slice(0, 20).map(({ decision, before, after }) => (
							<li key={decision.id}>
								<span>
									<Moment at={decision.at} bank={decision.bank} /> · <Who id={decision.user} />
								</span>
								<Chip tone={after === 'allow' ? 'ok' : 'bad'} icon={after === 'allow' ? 'check' : 'x'}>
									{after === 'allow' ? words.nowAllowed : words.nowDenied}
								</Chip>
								<span className="mute">{reasonWords(after === 'allow' ? before : after)}</span>
								<Leaf position={decision.position} />
							</li>
						))}
					</ul>
				</>
			)}
		</>
	)
}
