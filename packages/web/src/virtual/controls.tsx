import { type FormEvent, type ReactNode, useState } from 'react'
import { Icon, type IconName } from '../ui/icon.tsx'

/** The bench's few controls: a card, a button, a line of text, a switch and a choice. */
export function Card({ title, end, children }: { readonly title: string; readonly end?: ReactNode; readonly children: ReactNode }) {
	return (
		<section className="card">
			<div className="head">
				<h2>{title}</h2>
				{end && <div className="end">{end}</div>}
			</div>
			<div className="body">{children}</div>
		</section>
	)
}

interface ButtonProps {
	readonly icon?: IconName
	readonly kind?: 'primary' | 'danger'
	readonly off?: boolean
	readonly onPress: () => void
	readonly children: ReactNode
}

export function Button({ icon, kind, off = false, onPress, children }: ButtonProps) {
	return (
		<button type="button" className={`btn ${kind ?? ''}`} disabled={off} onClick={onPress}>
			{icon && <Icon name={icon} />}
			{children}
		</button>
	)
}

/** One line of text and the button that sends it. */
export function Line({
	label,
	button,
	icon,
	initial = '',
	onSend,
}: {
	readonly label: string
	readonly button: string
	readonly icon: IconName
	/** What stands in the line to begin with. */
	readonly initial?: string
	onSend(text: string): void
}) {
	const [text, setText] = useState(initial)
	const send = (event: FormEvent) => {
		event.preventDefault()
		if (text.trim() !== '') onSend(text.trim())
	}
	return (
		<form className="line" onSubmit={send}>
			<label>
				<span>{label}</span>
				<input value={text} maxLength={4096} autoComplete="off" spellCheck={false} onChange={(event) => setText(event.target.value)} />
			</label>
			<button type="submit" className="btn">
				<Icon name={icon} />
				{button}
			</button>
		</form>
	)
}

export function Switch({ label, on, onChange }: { readonly label: string; readonly on: boolean; onChange(on: boolean): void }) {
	return (
		<label className="switch">
			<input type="checkbox" checked={on} onChange={(event) => onChange(event.target.checked)} />
			<span>{label}</span>
		</label>
	)
}

interface SelectProps<V extends string | number> {
	readonly label: string
	readonly value: V
	readonly options: readonly (readonly [value: V, label: string])[]
	onChange(value: V): void
}

export function Select<V extends string | number>({ label, value, options, onChange }: SelectProps<V>) {
	// A script may have set a value that is not in the list; it is shown as it is.
	const known = options.some(([option]) => option === value)
	const all = known ? options : [...options, [value, String(value)] as const]
	return (
		<label className="select">
			<span>{label}</span>
			<select value={value} onChange={(event) => onChange(all[event.target.selectedIndex]?.[0] ?? value)}>
				{all.map(([option, name]) => (
					<option key={option} value={option}>
						{name}
					</option>
				))}
			</select>
		</label>
	)
}
