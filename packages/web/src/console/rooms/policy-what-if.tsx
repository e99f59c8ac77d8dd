import { useQuery } from '@tanstack/react-query'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { may } from '../access.ts'
import { Refusal, send } from '../api.ts'
import { useSeat } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Field, Form, Select } from '../forms.tsx'
import { Card } from '../parts.tsx'
import { allBanks, allPolicies, allTypes, bankDoors } from '../queries.ts'
import type { Outcome, Policy } from '../shapes.ts'
import { fromLocal, longTime } from '../time.ts'
import { ACTIONS, insteadWords, METHODS, reasonWords, ruleWords, whatIf as words } from '../words/policies.ts'
import { FindPerson } from './find-person.tsx'

interface Answered {
	readonly inForce: Outcome
	readonly draft?: Outcome
	/** Absent: the controller of the bank has not said it. */
	readonly storageLevel?: number
}

/** One question to the bank's own decision, by what is in force and by the draft. */
export function WhatIf({ policy }: { readonly policy: Policy }) {
	const { data: banks = [] } = useQuery(allBanks)
	const { data: types = [] } = useQuery(allTypes)
	const [bank, setBank] = useState<string>()
	const [user, setUser] = useState<string>()
	const [answer, setAnswer] = useState<Answered & { readonly zone: string }>()
	const [offline, setOffline] = useState(false)
	const estate = useEstate()
	const { me } = useSeat()
	const here = banks.filter(
		({ id, site, area }) => (policy.bank ?? id) === id && (policy.site ?? site) === site && may(me, 'policy.read', { bank: id, site, area }),
	)
	const at = bank ?? here[0]?.id ?? ''
	const doors = useQuery({ ...bankDoors(at || undefined), enabled: at !== '' })
	const wants = [
		...types.map(({ code, name }) => [`type ${code}`, `take a ${name}`] as const),
		['deposit', 'drop a parcel off'] as const,
		['collect', 'take parcels out'] as const,
		['service', ACTIONS.service] as const,
		['open-remote', ACTIONS['open-remote']] as const,
	]
	const decide = async (form: FormData) => {
		if (user === undefined) throw new Refusal(400, 'request-invalid', words.nobody)
		const text = (name: string) => String(form.get(name) ?? '')
		const zone = estate.zone({ bank: at })
		const [kind = '', type] = text('wants').split(' ')
		const door = doors.data && [...doors.data.keys()][0]
		const moment = fromLocal(text('when'), zone)
		const body = {
			user,
			bank: at,
			policy: policy.id,
			method: kind === 'open-remote' ? 'remote' : text('by'),
			offline,
			...(offline && { offlineMinutes: Number(text('offlineMinutes')) }),
			...(moment && { at: moment }),
			...(kind === 'type' ? { action: 'collect', type } : { action: kind, compartment: door }),
		}
		setAnswer({ ...(await send<Answered>('POST', '/v1/what-if', body)), zone })
	}
	return (
		<Card title={words.title} className="policy-what-if">
			<p className="mute small-print">{words.lead}</p>
			<Form submit={words.submit} send={decide}>
				<FindPerson choose={setUser} />
				<div className="pair">
					<Select key={wants.length} label={words.wants} name="wants" options={wants} />
					<Select
						label={words.at}
						value={at}
						onChange={(event) => setBank(event.currentTarget.value)}
						options={here.map(({ id, name }) => [id, name])}
					/>
				</div>
				<div className="pair">
					<Field label={words.when} hint={words.whenHint} name="when" type="datetime-local" />
					<Select
						label={words.by}
						name="by"
						options={['badge', 'pin', 'badge-and-pin'].map((method) => [method, METHODS[method] ?? method] as const)}
					/>
				</div>
				<label className="check">
					<input type="checkbox" checked={offline} onChange={(event) => setOffline(event.currentTarget.checked)} />
					{words.offline}
				</label>
				{offline && (
					<Field label={words.offlineMinutes} hint={words.offlineMinutesHint} name="offlineMinutes" type="number" min={0} max={1_000_000} />
				)}
			</Form>
			<div role="status">
				{answer && (
					<>
						{answer.draft && policy.changed && <Says title={words.byDraft} outcome={answer.draft} zone={answer.zone} />}
						<Says title={words.byForce} outcome={answer.inForce} zone={answer.zone} />
						<p className="mute small-print">{words.storage(answer.storageLevel)}</p>
					</>
				)}
			</div>
		</Card>
	)
}

function Says({ title, outcome, zone }: { readonly title: string; readonly outcome: Outcome; readonly zone: string }) {
	const { data: all = [] } = useQuery(allPolicies)
	const allowed = outcome.effect === 'allow'
	const nameOf = (code: string) => all.find((one) => one.code === code)?.name ?? code
	const rules = outcome.rules.map(({ rule, policy, statement, line }) =>
		policy === undefined
			? ruleWords(rule)
			: statement !== undefined
				? words.inSentence(statement, nameOf(policy))
				: words.inLine(line ?? 0, nameOf(policy)),
	)
	return (
		<section className={`says ${allowed ? 'ok' : 'bad'}`} aria-label={title}>
			<Icon name={allowed ? 'check' : 'x'} />
			<div>
				<h3>
					{allowed ? words.allowed : words.denied} <span>{title.replace(/^./, (c) => c.toLowerCase())}</span>
				</h3>
				{!allowed && <p>{reasonWords(outcome.reason)}</p>}
				{!rules.every((said) => said === ruleWords('builtin/no-permit')) && (
					<p>
						{words.because}: {rules.join(', ')}.
					</p>
				)}
				{outcome.instead.length > 0 && (
					<p>
						{words.wouldHelp} {outcome.instead.map((one) => insteadWords(one, (at) => longTime(at, zone))).join(', or ')}.
					</p>
				)}
			</div>
		</section>
	)
}
