import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useNavigate, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { type At, may } from '../access.ts'
import { send } from '../api.ts'
import { useMay, useSeat } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Field, Form, Select } from '../forms.tsx'
import { Card, Chip, Empty, NoSuch, Room, Title } from '../parts.tsx'
import { allBanks, allPolicies, allSites, policyCheck, policyVersions } from '../queries.ts'
import type { Policy, PolicyStatement } from '../shapes.ts'
import { longTime } from '../time.ts'
import { KINDS, policies as words } from '../words/policies.ts'
import { PolicyActions } from './policy-actions.tsx'
import { CedarText, Checked } from './policy-cedar.tsx'
import { Replay } from './policy-replay.tsx'
import { changesOf, SentenceFields, Sentences, statementFrom } from './policy-sentences.tsx'
import { WhatIf } from './policy-what-if.tsx'

/** All policies, and one of them: in plain words, as Cedar, tried out. */
export function Policies() {
	const { policy: wanted } = useParams({ strict: false })
	const asked = useQuery(allPolicies)
	const [adding, setAdding] = useState(false)
	const places = useDraftPlaces()
	const add = places.length > 0 && (
		<button type="button" className="btn" onClick={() => setAdding(true)}>
			<Icon name="plus" />
			{words.add}
		</button>
	)
	return (
		<>
			<Room of={asked}>
				{(all) => {
					const sorted = all.toSorted((a, b) => Number(a.retiredAt !== undefined) - Number(b.retiredAt !== undefined) || a.name.localeCompare(b.name))
					const chosen = wanted === undefined ? sorted[0] : sorted.find(({ id }) => id === wanted)
					if (!chosen && wanted !== undefined) return <NoSuch one="policy" />
					if (!chosen)
						return (
							<>
								<Title title={words.title} below={words.lead} end={add} />
								<Card label={words.title}>
									<Empty title={words.none} note={words.noneNote} />
								</Card>
							</>
						)
					return <Filled key={chosen.id} policy={chosen} all={sorted} add={add} />
				}}
			</Room>
			{adding && <AddPolicy places={places} close={() => setAdding(false)} />}
		</>
	)
}

function Filled({ policy, all, add }: { readonly policy: Policy; readonly all: readonly Policy[]; readonly add: React.ReactNode }) {
	const checked = useQuery(policyCheck(policy, { draft: policy.draft }))
	const estate = useEstate()
	const mayReplay = useMay('policy.read', estate.place(policy))
	const isLive = policy.published !== undefined && policy.retiredAt === undefined
	const { data: versions } = useQuery({ ...policyVersions(policy.id), enabled: isLive && policy.changed })
	const live = policy.changed ? versions?.items.find(({ number }) => number === policy.published) : undefined
	const changes = changesOf(policy.statements, live?.statements)
	return (
		<>
			<Title
				title={policy.name}
				above={
					<p className="row wrap">
						<DraftChip policy={policy} />
						<span className="mute">{placeWords(policy, estate)}</span>
					</p>
				}
				below={
					policy.retiredAt === undefined && policy.published !== undefined
						? words.live(policy.published, longTime(policy.publishedAt ?? '', estate.home))
						: words.notLive
				}
				end={<PolicyActions policy={policy} check={checked.data} />}
			/>
			<div className="policy">
				<nav className="card policy-list" aria-label={words.list}>
					<ul>
						{all.map((one) => (
							<li key={one.id}>
								<Link to="/policies/$policy" params={{ policy: one.id }} {...(one.id === policy.id && { 'aria-current': 'page' as const })}>
									<b>{one.name}</b>
									<span className="mute">{stateWords(one)}</span>
								</Link>
							</li>
						))}
					</ul>
					{add}
				</nav>
				<Card
					title={words.plain}
					end={
						changes > 0 && (
							<Chip tone="warn" icon="alarm">
								{words.changes(changes)}
							</Chip>
						)
					}
				>
					<Sentences policy={policy} live={live} />
					<h3 className="policy-sub">{words.checked}</h3>
					<Checked asked={checked} />
				</Card>
				<CedarText policy={policy} check={checked.data} live={live?.cedar} />
				<WhatIf policy={policy} />
				{mayReplay && <Replay policy={policy} />}
			</div>
		</>
	)
}

function DraftChip({ policy }: { readonly policy: Policy }) {
	if (policy.retiredAt !== undefined) return <Chip icon="slash">{words.retired}</Chip>
	if (!policy.changed)
		return (
			<Chip tone="ok" icon="check">
				{words.inForce}
			</Chip>
		)
	const verdict = draftState(policy)
	return (
		<Chip tone={verdict === 'rejected' ? 'bad' : 'warn'} icon="text">
			{words.draftState[verdict]}
		</Chip>
	)
}

function draftState({ reviews }: Policy): 'none' | 'approved' | 'rejected' {
	if (reviews.some(({ verdict }) => verdict === 'rejected')) return 'rejected'
	return reviews.length > 0 ? 'approved' : 'none'
}

function stateWords({ retiredAt, published, changed }: Policy): string {
	if (retiredAt !== undefined) return words.retired
	const live = published === undefined ? undefined : `${words.inForce}: ${published}`
	return [changed ? words.draft : undefined, live].filter(Boolean).join(' · ')
}

const placeWords = ({ site, bank }: Policy, estate: ReturnType<typeof useEstate>): string =>
	(bank ? estate.bank(bank) : site ? estate.site(site) : undefined) ?? (bank || site ? '…' : words.everywhere)

const CEDAR = 'cedar'

/** Where the reader may draft a policy: what the form sends, and its name. */
function useDraftPlaces(): readonly (readonly [string, string])[] {
	const { me } = useSeat()
	const enabled = useMay('estate.read')
	const { data: sites = [] } = useQuery({ ...allSites, enabled })
	const { data: banks = [] } = useQuery({ ...allBanks, enabled })
	const mayDraft = (at: At) => may(me, 'policy.draft', at)
	return [
		...(mayDraft({}) ? [['', words.everywhere] as const] : []),
		...sites.flatMap(({ id, name }) => (mayDraft({ site: id }) ? [[`site ${id}`, name] as const] : [])),
		...banks.flatMap(({ id, name, site, area }) => (mayDraft({ bank: id, site, area }) ? [[`bank ${id}`, name] as const] : [])),
	]
}

function AddPolicy({ places, close }: { readonly places: ReturnType<typeof useDraftPlaces>; close(): void }) {
	const client = useQueryClient()
	const go = useNavigate()
	const [kind, setKind] = useState<PolicyStatement['kind'] | typeof CEDAR>('take')
	return (
		<Dialog title={words.addTitle} lead={words.addLead} close={close} className="wide">
			<Form
				submit={words.addSubmit}
				cancel={close}
				send={async (form) => {
					const text = (name: string) => String(form.get(name) ?? '').trim()
					const [level = '', place = ''] = text('place').split(' ')
					const made = await send<Policy>('POST', '/v1/policies', {
						name: text('name'),
						code: text('code') || codeFrom(text('name')),
						...(level !== '' && { [level]: place }),
						...(kind === CEDAR ? { draft: CEDAR_BEGIN } : { statements: [statementFrom(kind, form)] }),
					})
					await client.invalidateQueries({ queryKey: ['policies'] })
					close()
					await go({ to: '/policies/$policy', params: { policy: made.id } })
				}}
			>
				<Field label={words.name} name="name" required maxLength={100} />
				<Field label={words.code} hint={words.codeHint} name="code" maxLength={80} pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*" />
				<Select label={words.where} name="place" options={places} />
				<Select
					label={words.begin}
					value={kind}
					onChange={(event) => setKind(event.currentTarget.value as typeof kind)}
					options={[...Object.entries(KINDS), [CEDAR, words.cedarKind] as const]}
				/>
				{kind !== CEDAR && <SentenceFields kind={kind} />}
			</Form>
		</Dialog>
	)
}

const CEDAR_BEGIN = `// Say who may do something with permit, and what stands against it with forbid.
// @reason("outside-hours") before a forbid chooses what the person is told.
permit (
  principal in Latchwork::Group::"staff",
  action == Latchwork::Action::"collect",
  resource in Latchwork::AssetType::"laptop-14"
);
`

/** "Laptops, HQ" as `laptops-hq`. */
const codeFrom = (name: string): string =>
	name
		.normalize('NFKD')
		.toLowerCase()
		.replaceAll(/[^a-z0-9]+/g, '-')
		.replaceAll(/^-+|-+$/g, '')
		.slice(0, 80) || 'policy'
