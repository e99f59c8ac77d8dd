import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Field, Form, Select } from '../forms.tsx'
import { Empty } from '../parts.tsx'
import { allGroups, allTypes } from '../queries.ts'
import type { Policy, PolicyStatement, PolicyVersion } from '../shapes.ts'
import { type CodeNames, DAYS, KINDS, sentenceOf, policies as words } from '../words/policies.ts'

/** Groups and asset types are known by name; a code without one stands for itself. */
function useCodeNames(): CodeNames {
	const { data: groups = [] } = useQuery({ ...allGroups, enabled: useMay('people.read') })
	const { data: types = [] } = useQuery({ ...allTypes, enabled: useMay('asset.read') })
	const named = (all: readonly { readonly code: string; readonly name: string }[], code: string) => all.find((one) => one.code === code)?.name ?? code
	return { group: (code) => named(groups, code), type: (code) => named(types, code) }
}

/** The draft in plain words. Each change is a change of the draft, which decides nothing. */
export function Sentences({ policy, live }: { readonly policy: Policy; readonly live: PolicyVersion | undefined }) {
	const client = useQueryClient()
	const names = useCodeNames()
	const mayDraft = useMay('policy.draft', useEstate().place(policy))
	const [editing, setEditing] = useState<number>()
	const { statements } = policy
	if (!statements) return <Empty title={words.plainNone} note={words.plainNoneNote} />
	const keep = async (changed: readonly PolicyStatement[]) => {
		await send('PATCH', `/v1/policies/${policy.id}`, { statements: changed }, policy.version)
		await client.invalidateQueries({ queryKey: ['policies'] })
	}
	return (
		<>
			<ol className="sentences">
				{statements.map((statement, i) => (
					// biome-ignore lint/suspicious/noArrayIndexKey: a sentence is its number.
					<li key={i} className={live?.statements && !same(statement, live.statements[i]) ? 'changed' : ''}>
						<div>
							<p>
								<Said statement={statement} names={names} />
							</p>
							{live?.statements && !same(statement, live.statements[i]) && (
								<p className="mute before">
									{live.statements[i] ? (
										<>
											{words.said(live.number)}
											<Said statement={live.statements[i]} names={names} />
										</>
									) : (
										words.saidNothing(live.number)
									)}
								</p>
							)}
						</div>
						{mayDraft && (
							<span className="row">
								<button type="button" className="btn small" aria-label={`${words.sentence(i + 1)}: ${words.change}`} onClick={() => setEditing(i)}>
									{words.change}
								</button>
								{statements.length > 1 && (
									<button
										type="button"
										className="iconbtn"
										aria-label={words.remove(i + 1)}
										onClick={() => void keep(statements.filter((_, n) => n !== i))}
									>
										<Icon name="x" />
									</button>
								)}
							</span>
						)}
					</li>
				))}
			</ol>
			{live?.statements?.slice(statements.length).map((statement, i) => (
				// biome-ignore lint/suspicious/noArrayIndexKey: a sentence is its number.
				<p key={i} className="mute small-print">
					{words.gone(live.number)}
					<Said statement={statement} names={names} />
				</p>
			))}
			<p className="mute small-print">{words.always}</p>
			{mayDraft && (
				<button type="button" className="btn small" onClick={() => setEditing(statements.length)}>
					<Icon name="plus" />
					{words.addSentence}
				</button>
			)}
			{editing !== undefined && (
				<EditSentence
					statement={statements[editing]}
					close={() => setEditing(undefined)}
					keep={(one) => keep(statements.toSpliced(editing, 1, one))}
				/>
			)}
		</>
	)
}

const same = (a: PolicyStatement | undefined, b: PolicyStatement | undefined): boolean => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
const sorted = (one: unknown): unknown =>
	Array.isArray(one)
		? one.map(sorted)
		: typeof one === 'object' && one !== null
			? Object.fromEntries(
					Object.entries(one)
						.sort()
						.map(([key, value]) => [key, sorted(value)]),
				)
			: one

/** How many sentences say something else than those in force. */
export function changesOf(now: readonly PolicyStatement[] | undefined, live: readonly PolicyStatement[] | undefined): number {
	if (!now || !live) return 0
	return Array.from({ length: Math.max(now.length, live.length) }, (_, i) => same(now[i], live[i])).filter((equal) => !equal).length
}

function Said({ statement, names }: { readonly statement: PolicyStatement; readonly names: CodeNames }) {
	return sentenceOf(statement, names).map((part, n) =>
		// biome-ignore lint/suspicious/noArrayIndexKey: parts of one sentence never change their order.
		typeof part === 'string' ? part : <b key={n}>{part.chosen}</b>,
	)
}

interface EditProps {
	readonly statement: PolicyStatement | undefined
	close(): void
	keep(statement: PolicyStatement): Promise<unknown>
}
function EditSentence({ statement, close, keep }: EditProps) {
	const [kind, setKind] = useState<PolicyStatement['kind']>(statement?.kind ?? 'take')
	return (
		<Dialog title={words.sentenceTitle} close={close} className="wide">
			<Form
				submit={words.sentenceSubmit}
				cancel={close}
				send={async (form) => {
					await keep(statementFrom(kind, form))
					close()
				}}
			>
				<Select
					label={words.kind}
					value={kind}
					onChange={(event) => setKind(event.currentTarget.value as typeof kind)}
					options={Object.entries(KINDS)}
				/>
				<SentenceFields key={kind} kind={kind} now={statement?.kind === kind ? statement : undefined} />
			</Form>
		</Dialog>
	)
}

/** What there is to choose in a sentence of that kind. */
export function SentenceFields({ kind, now }: { readonly kind: PolicyStatement['kind']; readonly now?: PolicyStatement | undefined }) {
	const groups = now && 'groups' in now ? now.groups : undefined
	switch (kind) {
		case 'take':
			return (
				<>
					<Groups legend={words.groups} chosen={groups} />
					<Types chosen={now?.kind === 'take' ? now.types : undefined} />
					<Times now={now?.kind === 'take' ? now.times : undefined} />
				</>
			)
		case 'carry':
			return (
				<>
					<Groups legend={words.groups} chosen={groups} />
					<Choices
						legend={words.acts}
						name="act"
						options={[
							['deposit', words.deposit],
							['collect', words.collect],
						]}
						chosen={now?.kind === 'carry' ? now.acts : ['deposit']}
					/>
				</>
			)
		case 'serve':
			return <Groups legend={words.groups} chosen={groups} />
		case 'hours':
			return <Groups legend={words.except} chosen={now?.kind === 'hours' ? now.except : undefined} />
		case 'limit':
			return (
				<>
					<Groups legend={words.groupsOptional} chosen={groups} />
					<Field label={words.loans} name="loans" type="number" min={0} max={100} required defaultValue={now?.kind === 'limit' ? now.loans : 1} />
				</>
			)
		case 'qualified':
			return (
				<>
					<Field
						label={words.qualification}
						hint={words.qualificationHint}
						name="qualification"
						required
						maxLength={80}
						pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*"
						defaultValue={now?.kind === 'qualified' ? now.qualification : undefined}
					/>
					<About now={now?.kind === 'qualified' ? now.about : undefined} />
				</>
			)
		case 'approved':
			return (
				<>
					<Select
						label={words.approvers}
						name="people"
						options={[
							['1', words.approversOf[1]],
							['2', words.approversOf[2]],
						]}
						defaultValue={now?.kind === 'approved' ? String(now.people) : '2'}
					/>
					<About now={now?.kind === 'approved' ? now.about : undefined} />
				</>
			)
		case 'storage-level':
			return (
				<>
					<Select
						label={words.level}
						name="level"
						options={Object.entries(words.levelOf)}
						defaultValue={now?.kind === 'storage-level' ? String(now.level) : '1'}
					/>
					<About now={now?.kind === 'storage-level' ? now.about : undefined} />
				</>
			)
		case 'second-factor':
		case 'online':
			return <About now={now && 'about' in now ? now.about : undefined} />
		case 'overdue':
			return null
	}
}

type Times = NonNullable<Extract<PolicyStatement, { kind: 'take' }>['times']>
type AboutWhat = Extract<PolicyStatement, { kind: 'online' }>['about']

function Times({ now }: { readonly now: Times | undefined }) {
	const [timed, setTimed] = useState(now !== undefined)
	return (
		<>
			<label className="check">
				<input type="checkbox" checked={timed} onChange={() => setTimed(!timed)} name="timed" />
				{words.timed}
			</label>
			{timed && (
				<>
					<Choices
						legend={words.days}
						name="day"
						options={DAYS.map((day, i) => [String(i + 1), day] as const)}
						chosen={(now?.days ?? [1, 2, 3, 4, 5]).map(String)}
					/>
					<div className="pair">
						<Field label={words.from} name="from" type="time" required defaultValue={now?.from ?? '08:00'} />
						<Field label={words.to} name="to" type="time" required defaultValue={now?.to ?? '18:00'} />
					</div>
				</>
			)}
		</>
	)
}

function About({ now }: { readonly now: AboutWhat | undefined }) {
	const [what, setWhat] = useState(now === undefined || 'valueClass' in now ? 'high' : 'types' in now ? 'types' : 'anything')
	return (
		<>
			<Select
				label={words.about}
				name="about"
				value={what}
				onChange={(event) => setWhat(event.currentTarget.value)}
				options={[
					['high', words.aboutHigh],
					['types', words.aboutTypes],
					['anything', words.aboutAnything],
				]}
			/>
			{what === 'types' && <Types chosen={now && 'types' in now ? now.types : undefined} />}
		</>
	)
}

function Groups({ legend, chosen }: { readonly legend: string; readonly chosen: readonly string[] | undefined }) {
	const { data = [] } = useQuery(allGroups)
	return <Choices legend={legend} name="group" options={known(data, chosen)} chosen={chosen ?? []} none={words.groupsNone} />
}

function Types({ chosen }: { readonly chosen: readonly string[] | undefined }) {
	const { data = [] } = useQuery(allTypes)
	return <Choices legend={words.types} name="type" options={known(data, chosen)} chosen={chosen ?? []} none={words.typesNone} />
}

/** What there is, and what the sentence names although there is no such thing any more. */
const known = (all: readonly { readonly code: string; readonly name: string }[], chosen: readonly string[] = []) => [
	...all.map(({ code, name }) => [code, name] as const),
	...chosen.filter((code) => !all.some((one) => one.code === code)).map((code) => [code, code] as const),
]

interface ChoicesProps {
	readonly legend: string
	readonly name: string
	readonly options: readonly (readonly [value: string, words: string])[]
	readonly chosen: readonly string[]
	readonly none?: string
}
function Choices({ legend, name, options, chosen, none }: ChoicesProps) {
	return (
		<fieldset className="reasons choices">
			<legend>{legend}</legend>
			{options.map(([value, said]) => (
				<label key={`${value} ${chosen.includes(value)}`}>
					<input type="checkbox" name={name} value={value} defaultChecked={chosen.includes(value)} />
					<span>{said}</span>
				</label>
			))}
			{options.length === 0 && none !== undefined && <p className="mute">{none}</p>}
		</fieldset>
	)
}

/** What was filled in; the server says what is missing. */
export function statementFrom(kind: PolicyStatement['kind'], form: FormData): PolicyStatement {
	const all = (name: string) => form.getAll(name).map(String)
	const text = (name: string) => String(form.get(name) ?? '')
	const groups = all('group')
	const about = (): AboutWhat =>
		text('about') === 'types' ? { types: all('type') } : text('about') === 'anything' ? { anything: true } : { valueClass: 'high' }
	switch (kind) {
		case 'take': {
			const times = form.get('timed') === null ? undefined : { days: all('day').map(Number), from: text('from'), to: text('to') }
			return { kind, groups, types: all('type'), ...(times && { times }) }
		}
		case 'carry':
			return { kind, groups, acts: all('act') as ('deposit' | 'collect')[] }
		case 'serve':
			return { kind, groups }
		case 'hours':
			return { kind, ...(groups.length > 0 && { except: groups }) }
		case 'limit':
			return { kind, ...(groups.length > 0 && { groups }), loans: Number(text('loans')) }
		case 'qualified':
			return { kind, qualification: text('qualification').trim(), about: about() }
		case 'approved':
			return { kind, people: Number(text('people')), about: about() }
		case 'storage-level':
			return { kind, level: Number(text('level')), about: about() }
		case 'second-factor':
		case 'online':
			return { kind, about: about() }
		case 'overdue':
			return { kind }
	}
}
