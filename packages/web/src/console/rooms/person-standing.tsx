import { instantAt } from '@latchwork/core/base'
import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { send, serverNow } from '../api.ts'
import { useMay, useSeat } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Field, Form, Select, wordsOf } from '../forms.tsx'
import { Who } from '../names.tsx'
import { Card } from '../parts.tsx'
import { allTypes, approvalsOf, qualificationsOf } from '../queries.ts'
import type { Person } from '../shapes.ts'
import { longTime } from '../time.ts'
import { person as words } from '../words/people.ts'

/** What policies may ask of somebody beside their groups: what they have learnt, and whom others let take what. */
export function Standing({ person: { id, name } }: { readonly person: Person }) {
	const client = useQueryClient()
	const estate = useEstate()
	const { me } = useSeat()
	const { data: qualifications } = useQuery(qualificationsOf(id))
	const { data: approvals } = useQuery({ ...approvalsOf(id), enabled: useMay('policy.read') })
	const { data: types = [] } = useQuery(allTypes)
	const mayManage = useMay('people.manage', {})
	const mayApprove = useMay('approval.give', {}) && me.user !== id
	const [asking, setAsking] = useState<'qualification' | 'approval'>()
	const [problem, setProblem] = useState<string>()
	const close = () => setAsking(undefined)
	const done = () => client.invalidateQueries({ queryKey: ['people'] })
	const remove = async (path: string) => {
		setProblem(undefined)
		await send('DELETE', path).catch((error: unknown) => setProblem(wordsOf(error)))
		await done()
	}
	const typeName = (code: string) => types.find((one) => one.code === code)?.name ?? code
	const until = (at: string | undefined) =>
		at === undefined ? words.forGood : Date.parse(at) <= serverNow() ? words.hasEnded : longTime(at, estate.home)
	const held = [...(qualifications?.items ?? []), ...(approvals?.items ?? [])].length
	return (
		<Card title={words.standing}>
			{held === 0 && <p className="mute">{words.noStanding}</p>}
			<ul className="roles-held">
				{qualifications?.items.map((one) => (
					<li key={one.code}>
						<b>{one.code}</b>
						<span className="mute">{until(one.until)}</span>
						{mayManage && (
							<button
								type="button"
								className="chip-x"
								aria-label={words.takeBack(one.code)}
								onClick={() => void remove(`/v1/users/${id}/qualifications/${one.code}`)}
							>
								<Icon name="x" />
							</button>
						)}
					</li>
				))}
				{approvals?.items.map((one) => (
					<li key={one.id}>
						<span>
							{words.mayTake} <b>{typeName(one.type)}</b> · <Who id={one.givenBy} link={false} />
						</span>
						<span className="mute">{until(one.until)}</span>
						{mayApprove && (
							<button
								type="button"
								className="chip-x"
								aria-label={words.takeBack(typeName(one.type))}
								onClick={() => void remove(`/v1/approvals/${one.id}`)}
							>
								<Icon name="x" />
							</button>
						)}
					</li>
				))}
			</ul>
			{problem !== undefined && (
				<p className="problem" role="alert">
					<Icon name="alarm" />
					{problem}
				</p>
			)}
			<p className="row wrap foot-acts">
				{mayManage && (
					<button type="button" className="btn small" onClick={() => setAsking('qualification')}>
						{words.giveQualification}
					</button>
				)}
				{mayApprove && types.length > 0 && (
					<button type="button" className="btn small" onClick={() => setAsking('approval')}>
						{words.approve}
					</button>
				)}
			</p>
			{asking === 'qualification' && (
				<Dialog title={words.qualificationTitle} lead={words.qualificationLead} close={close}>
					<Form
						submit={words.add}
						cancel={close}
						send={async (form) => {
							const at = endOf(form, estate.home)
							const code = String(form.get('code')).trim()
							await send('PUT', `/v1/users/${id}/qualifications/${encodeURIComponent(code)}`, at ? { until: at } : {})
							await done()
							close()
						}}
					>
						<Field label={words.qualificationCode} name="code" required maxLength={80} pattern="[A-Za-z0-9][A-Za-z0-9_.\-]*" />
						<Field label={words.untilDay} hint={words.untilHint} name="until" type="date" />
					</Form>
				</Dialog>
			)}
			{asking === 'approval' && (
				<Dialog title={words.approveTitle(name ?? '')} lead={words.approveLead} close={close}>
					<Form
						submit={words.approveSubmit}
						cancel={close}
						send={async (form) => {
							await send('POST', '/v1/approvals', { user: id, type: String(form.get('type')), until: endOf(form, estate.home) })
							await done()
							close()
						}}
					>
						<Select label={words.assetType} name="type" options={types.map((one) => [one.code, one.name] as const)} />
						<Field label={words.untilDay} name="until" type="date" required />
					</Form>
				</Dialog>
			)}
		</Card>
	)
}

/** The end of the day that was chosen. */
function endOf(form: FormData, zone: string): string | undefined {
	const date = String(form.get('until') ?? '')
	return date === '' ? undefined : new Date(instantAt(Date.parse(`${date}T12:00Z`), zone, 1, 0)).toISOString()
}
