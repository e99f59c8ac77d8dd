import { useQueryClient } from '@tanstack/react-query'
import { useId, useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Form, wordsOf } from '../forms.tsx'
import { Card, Chip } from '../parts.tsx'
import type { Policy, PolicyCheck } from '../shapes.ts'
import { policies as words } from '../words/policies.ts'

interface CedarProps {
	readonly policy: Policy
	readonly check: PolicyCheck | undefined
	/** The text in force, where the draft says something else. */
	readonly live: string | undefined
}
/** The text that banks decide by, with its lines numbered: problems, warnings and decisions name them. */
export function CedarText({ policy, check, live }: CedarProps) {
	const [editing, setEditing] = useState(false)
	const mayDraft = useMay('policy.draft', useEstate().place(policy))
	const before = live === undefined ? undefined : new Set(live.split('\n'))
	const marked = new Set([check?.problem?.line, ...(check?.warnings.map(({ line }) => line) ?? [])])
	return (
		<Card
			title={words.cedar}
			end={
				check &&
				(check.problem ? (
					<Chip tone="bad" icon="alarm">
						{words.broken}
					</Chip>
				) : (
					<Chip tone="ok" icon="check">
						{words.fits}
					</Chip>
				))
			}
		>
			{/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by key. */}
			{/* biome-ignore lint/a11y/useSemanticElements: it is no group of fields. */}
			<div className="cedar" role="group" aria-label={words.lines} tabIndex={0}>
				<ol>
					{policy.draft
						.replace(/\n$/, '')
						.split('\n')
						.map((line, i) => (
							// biome-ignore lint/suspicious/noArrayIndexKey: a line is its number.
							<li key={i} className={marked.has(i + 1) ? 'marked' : before && !before.has(line) ? 'changed' : ''}>
								<Coloured line={line} />
							</li>
						))}
				</ol>
			</div>
			{mayDraft && (
				<button type="button" className="btn small" onClick={() => setEditing(true)}>
					{words.edit}
				</button>
			)}
			{editing && <EditCedar policy={policy} close={() => setEditing(false)} />}
		</Card>
	)
}

/** Comments, strings and the words of the language; what is none of these stays as it is. */
function Coloured({ line }: { readonly line: string }) {
	const parts = line.split(/(\/\/.*$|"(?:[^"\\]|\\.)*"|@[a-z]+|\b(?:permit|forbid|when|unless|principal|action|resource|context|in|is)\b)/)
	return parts.map((part, i) => {
		const kind = part.startsWith('//') ? 'c' : part.startsWith('"') ? 's' : part.startsWith('@') ? 'a' : i % 2 === 1 ? 'k' : undefined
		return (
			// biome-ignore lint/suspicious/noArrayIndexKey: parts of one line never change their order.
			<span key={i} className={kind}>
				{part}
			</span>
		)
	})
}

function EditCedar({ policy, close }: { readonly policy: Policy; close(): void }) {
	const client = useQueryClient()
	const id = useId()
	return (
		<Dialog title={words.editTitle} lead={policy.statements ? words.editWarn : undefined} close={close} className="wide">
			<Form
				submit={words.editSubmit}
				cancel={close}
				send={async (form) => {
					await send('PATCH', `/v1/policies/${policy.id}`, { draft: String(form.get('draft')) }, policy.version)
					await client.invalidateQueries({ queryKey: ['policies'] })
					close()
				}}
			>
				<div className="field">
					<label htmlFor={id}>{words.cedar}</label>
					<textarea
						id={id}
						className="input mono"
						name="draft"
						rows={18}
						spellCheck={false}
						defaultValue={policy.draft}
						required
						maxLength={60_000}
					/>
				</div>
			</Form>
		</Dialog>
	)
}

interface CheckedProps {
	readonly asked: { readonly data: PolicyCheck | undefined; readonly error: unknown }
	/** What is said where nothing is warned of. */
	readonly fine?: string
}
/** What was tried out on the people and things that there are. */
export function Checked({ asked: { data, error }, fine = words.fine }: CheckedProps) {
	if (error && !data) return <p className="mute">{wordsOf(error)}</p>
	if (!data)
		return (
			<p className="mute" role="status">
				{words.checking}
			</p>
		)
	if (data.problem)
		return (
			<p className="problem" role="alert">
				<Icon name="alarm" />
				<span>
					<b>{words.line(data.problem.line)}</b>: {data.problem.text}
				</span>
			</p>
		)
	return (
		<div role="status">
			<ul className="checked">
				{data.warnings.length === 0 ? (
					<li className="ok">
						<Icon name="check" />
						<span>{fine}</span>
					</li>
				) : (
					data.warnings.map(({ code, text, line }) => (
						<li key={`${code} ${text} ${line}`} className="warn">
							<Icon name="alarm" />
							<span>
								<b>{words.warned[code]}</b>
								{line !== undefined && `, ${words.line(line)}`}. {text}
							</span>
						</li>
					))
				)}
			</ul>
		</div>
	)
}
