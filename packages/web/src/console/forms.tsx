import { type ComponentProps, type FormEvent, type ReactNode, useEffect, useId, useRef, useState } from 'react'
import { Icon } from '../ui/icon.tsx'
import { Refusal } from './api.ts'
import { general, shell } from './words/shell.ts'

interface DialogProps {
	readonly title: string
	readonly lead?: ReactNode
	close(): void
	readonly children: ReactNode
	readonly className?: string
}
/** The browser's own modal dialog: it keeps the focus, closes by Esc and gives the focus back. */
export function Dialog({ title, lead, close, children, className = '' }: DialogProps) {
	const dialog = useRef<HTMLDialogElement>(null)
	const id = useId()
	useEffect(() => {
		const shown = dialog.current
		const from = document.activeElement
		if (shown && !shown.open) shown.showModal()
		// The first thing to fill in, not the button that closes.
		shown?.querySelector<HTMLElement>('input, select')?.focus()
		return () => {
			shown?.close()
			if (from instanceof HTMLElement && from.isConnected) from.focus({ preventScroll: true })
		}
	}, [])
	return (
		<dialog
			ref={dialog}
			className={`dialog ${className}`}
			aria-labelledby={id}
			onCancel={(event) => {
				event.preventDefault()
				close()
			}}
		>
			<div className="dialog-head">
				<h2 id={id}>{title}</h2>
				<button type="button" className="iconbtn" aria-label={shell.close} onClick={close}>
					<Icon name="x" />
				</button>
			</div>
			{lead !== undefined && <p className="soft">{lead}</p>}
			{children}
		</dialog>
	)
}

interface FormProps {
	readonly submit: string
	readonly danger?: boolean
	cancel?(): void
	/** What it throws is shown under the fields; nothing that was typed is lost. */
	send(form: FormData): Promise<unknown>
	readonly children: ReactNode
}
export function Form({ submit, danger, cancel, send, children }: FormProps) {
	const [problem, setProblem] = useState<string>()
	const [busy, setBusy] = useState(false)
	const onSubmit = async (event: FormEvent<HTMLFormElement>) => {
		event.preventDefault()
		if (busy) return
		setBusy(true)
		setProblem(undefined)
		try {
			await send(new FormData(event.currentTarget))
		} catch (error) {
			setProblem(wordsOf(error))
		} finally {
			setBusy(false)
		}
	}
	return (
		<form className="form" onSubmit={(event) => void onSubmit(event)}>
			{children}
			{problem !== undefined && (
				<p className="problem" role="alert">
					<Icon name="alarm" />
					{problem}
				</p>
			)}
			<div className="form-end">
				{cancel && (
					<button type="button" className="btn" onClick={cancel}>
						{shell.cancel}
					</button>
				)}
				<button type="submit" className={danger ? 'btn danger' : 'btn primary'} aria-disabled={busy}>
					{submit}
				</button>
			</div>
		</form>
	)
}

export const wordsOf = (error: unknown): string =>
	error instanceof Refusal ? (error.status === 403 ? general.notPermitted : error.message.replace(/^(?:body|query)\.[\w.]+: /, '')) : general.failed

interface FieldProps extends ComponentProps<'input'> {
	readonly label: string
	readonly hint?: string
}
export function Field({ label, hint, ...input }: FieldProps) {
	const id = useId()
	return (
		<div className="field">
			<label htmlFor={id}>{label}</label>
			<input id={id} className="input" {...(hint !== undefined && { 'aria-describedby': `${id}-hint` })} {...input} />
			{hint !== undefined && (
				<p className="hint" id={`${id}-hint`}>
					{hint}
				</p>
			)}
		</div>
	)
}

interface SelectProps extends Omit<ComponentProps<'select'>, 'children'> {
	readonly label: string
	readonly options: readonly (readonly [value: string, words: string])[]
}
export function Select({ label, options, ...select }: SelectProps) {
	const id = useId()
	return (
		<div className="field">
			<label htmlFor={id}>{label}</label>
			<select id={id} className="input" {...select}>
				{options.map(([value, words]) => (
					<option key={value} value={value}>
						{words}
					</option>
				))}
			</select>
		</div>
	)
}

/** One of a few sentences: why something is done. None is chosen beforehand: what is recorded with a name is what its owner chose. */
export function Reasons({
	legend,
	name,
	reasons,
}: {
	readonly legend: string
	readonly name: string
	readonly reasons: readonly (readonly [string, string])[]
}) {
	return (
		<fieldset className="reasons">
			<legend>{legend}</legend>
			{reasons.map(([code, words]) => (
				<label key={code}>
					<input type="radio" name={name} value={code} required />
					<span>{words}</span>
				</label>
			))}
		</fieldset>
	)
}

/** Something that is shown this once. */
export function Secret({
	label,
	text,
	note,
	small,
}: {
	readonly label: string
	readonly text: string
	readonly note: string
	readonly small?: boolean
}) {
	return (
		<div className="secret" role="status">
			<p className="mute">{label}</p>
			<p className={small ? 'secret-text long' : 'secret-text'}>{text}</p>
			<p className="mute">{note}</p>
		</div>
	)
}
