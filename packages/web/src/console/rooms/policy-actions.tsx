import { useQuery, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { useMay, useSeat } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Form, wordsOf } from '../forms.tsx'
import { Table } from '../lists.tsx'
import { Who } from '../names.tsx'
import { Shown } from '../parts.tsx'
import { policyCheck, policyVersions } from '../queries.ts'
import type { Policy, PolicyCheck, PolicyVersion } from '../shapes.ts'
import { when } from '../time.ts'
import { policies as words } from '../words/policies.ts'
import { Checked } from './policy-cedar.tsx'

/** What can be done with the draft and with what is in force. */
export function PolicyActions({ policy, check }: { readonly policy: Policy; readonly check: PolicyCheck | undefined }) {
	const client = useQueryClient()
	const { me } = useSeat()
	const [asking, setAsking] = useState<'publish' | 'versions' | 'retire'>()
	const [problem, setProblem] = useState<string>()
	const place = useEstate().place(policy)
	const mayPublish = useMay('policy.publish', place)
	const mayReview = useMay('policy.review', place)
	const close = () => setAsking(undefined)
	const done = () => client.invalidateQueries({ queryKey: ['policies'] })
	const review = async (verdict: 'approved' | 'rejected') => {
		setProblem(undefined)
		await send('POST', `/v1/policies/${policy.id}/reviews`, { version: policy.version, verdict }).catch((error: unknown) =>
			setProblem(wordsOf(error)),
		)
		await done()
	}
	const mine = policy.draftedBy === me.user
	const said = policy.reviews.find(({ by }) => by === me.user)?.verdict
	const isLive = policy.published !== undefined && policy.retiredAt === undefined
	return (
		<>
			{problem !== undefined && (
				<p className="problem" role="alert">
					<Icon name="alarm" />
					{problem}
				</p>
			)}
			{policy.published !== undefined && (
				<button type="button" className="btn" onClick={() => setAsking('versions')}>
					{words.versions}
				</button>
			)}
			{mayReview && policy.changed && !mine && (
				<>
					<button type="button" className="btn" aria-pressed={said === 'rejected'} onClick={() => void review('rejected')}>
						{words.reject}
					</button>
					<button type="button" className="btn" aria-pressed={said === 'approved'} onClick={() => void review('approved')}>
						{words.approve}
					</button>
				</>
			)}
			{mayPublish && isLive && (
				<button type="button" className="btn danger" onClick={() => setAsking('retire')}>
					{words.retire}
				</button>
			)}
			{mayPublish && (policy.changed || policy.retiredAt !== undefined) && (
				<button type="button" className="btn primary" onClick={() => setAsking('publish')}>
					<Icon name="shield" />
					{words.publish}
				</button>
			)}
			{asking === 'publish' && <Publish policy={policy} check={check} close={close} done={done} />}
			{asking === 'versions' && <Versions policy={policy} close={close} done={done} mayPublish={mayPublish} />}
			{asking === 'retire' && <Retire policy={policy} close={close} done={done} />}
		</>
	)
}

interface AskedProps {
	readonly policy: Policy
	close(): void
	done(): Promise<unknown>
}

interface HeedProps {
	readonly asked: { readonly data: PolicyCheck | undefined; readonly error: unknown }
	readonly fine?: string
}
/** What it would do, and the word that it is meant so. */
function Heed({ asked, fine }: HeedProps) {
	return (
		<>
			<Checked asked={asked} {...(fine !== undefined && { fine })} />
			{asked.data !== undefined && asked.data.warnings.length > 0 && (
				<label className="check">
					<input type="checkbox" name="accept" />
					{words.meant}
				</label>
			)}
		</>
	)
}
const accepted = (form: FormData): boolean => form.get('accept') !== null

function Retire({ policy, close, done }: AskedProps) {
	const asked = useQuery(policyCheck(policy, { without: true }))
	return (
		<Dialog title={words.retireTitle(policy.name)} lead={words.retireLead} close={close}>
			<Form
				submit={words.retireSubmit}
				danger
				cancel={close}
				send={async (form) => {
					await send('DELETE', `/v1/policies/${policy.id}?acceptWarnings=${accepted(form)}`, undefined, policy.version)
					await done()
					close()
				}}
			>
				<Heed asked={asked} fine={words.retireFine} />
			</Form>
		</Dialog>
	)
}

function Publish({ policy, check, close, done }: AskedProps & { readonly check: PolicyCheck | undefined }) {
	return (
		<Dialog title={words.publishTitle(policy.name)} lead={words.publishLead} close={close}>
			<Form
				submit={words.publishSubmit}
				cancel={close}
				send={async (form) => {
					await send('POST', `/v1/policies/${policy.id}/versions`, { version: policy.version, acceptWarnings: accepted(form) })
					await done()
					close()
				}}
			>
				<Heed asked={{ data: check, error: undefined }} />
			</Form>
		</Dialog>
	)
}

function Versions({ policy, close, done, mayPublish }: AskedProps & { readonly mayPublish: boolean }) {
	const asked = useQuery(policyVersions(policy.id))
	const estate = useEstate()
	const [back, setBack] = useState<PolicyVersion>()
	return (
		<Dialog
			title={back === undefined ? words.versionsTitle(policy.name) : words.backTitle(back.number)}
			lead={back === undefined ? undefined : words.backLead}
			close={close}
			className="wide"
		>
			{back === undefined ? (
				<Shown of={asked}>
					{({ items }) => (
						<Table heads={[words.version, words.published, words.publishedBy, words.reviewedBy, { text: words.back, as: 'unseen' }]}>
							{items.map((version) => {
								const { number, publishedAt, publishedBy, reviewedBy, returnedTo } = version
								return (
									<tr key={number}>
										<th scope="row">
											{number} {returnedTo !== undefined && <span className="mute">{words.returned(returnedTo)}</span>}
										</th>
										<td data-label={words.published} className="nowrap">
											{when(publishedAt, estate.home)}
										</td>
										<td data-label={words.publishedBy}>
											<Who id={publishedBy} link={false} />
										</td>
										<td data-label={words.reviewedBy}>{reviewedBy === undefined ? '–' : <Who id={reviewedBy} link={false} />}</td>
										<td>
											{mayPublish && (number !== policy.published || policy.retiredAt !== undefined) && (
												<button type="button" className="btn small" onClick={() => setBack(version)}>
													{words.back}
												</button>
											)}
										</td>
									</tr>
								)
							})}
						</Table>
					)}
				</Shown>
			) : (
				<Back policy={policy} to={back} cancel={() => setBack(undefined)} close={close} done={done} />
			)}
		</Dialog>
	)
}

function Back({ policy, to, cancel, close, done }: AskedProps & { readonly to: PolicyVersion; cancel(): void }) {
	const asked = useQuery(policyCheck(policy, { draft: to.cedar }))
	return (
		<Form
			submit={words.backSubmit}
			cancel={cancel}
			send={async (form) => {
				const body = { version: policy.version, to: to.number, acceptWarnings: accepted(form) }
				await send('POST', `/v1/policies/${policy.id}/rollbacks`, body)
				await done()
				close()
			}}
		>
			<pre className="code">{to.cedar}</pre>
			<Heed asked={asked} />
		</Form>
	)
}
