import type { ReactNode } from 'react'
import { general } from './words/shell.ts'

interface FilterProps {
	readonly label: string
	/** What is said where nothing is chosen. */
	readonly any: string
	readonly options: readonly (readonly [value: string, words: string])[]
	readonly value: string | undefined
	choose(value: string | undefined): void
}

/** Narrows a list to one of several, or to none of them. */
export function Filter({ label, any, options, value = '', choose }: FilterProps) {
	return (
		<select className="input slim" aria-label={label} value={value} onChange={(event) => choose(event.currentTarget.value || undefined)}>
			<option value="">{any}</option>
			{options.map(([of, words]) => (
				<option key={of} value={of}>
					{words}
				</option>
			))}
		</select>
	)
}

/** A column by its word alone, or with how its head looks; `unseen`: the word is only heard. */
type Head = string | { readonly text: string; readonly as?: 'right' | 'wide' | 'unseen' }
interface TableProps {
	/** One that is false is of a column that the reader may not have. */
	readonly heads: readonly (Head | false)[]
	readonly className?: string
	/** Its rows: what each is about in a `th`, the rest in cells that name their column in `data-label`, since on a phone a row is a card (lists.css). */
	readonly children: ReactNode
}
export function Table({ heads, className = '', children }: TableProps) {
	return (
		<div className="scroll">
			<table className={`data cards ${className}`}>
				<thead>
					<tr>
						{heads.map((head) => {
							if (head === false) return null
							const { text, as }: Exclude<Head, string> = typeof head === 'string' ? { text: head } : head
							return (
								<th key={text} scope="col" className={as === 'unseen' ? undefined : as}>
									{as === 'unseen' ? <span className="unseen">{text}</span> : text}
								</th>
							)
						})}
					</tr>
				</thead>
				<tbody>{children}</tbody>
			</table>
		</div>
	)
}

/** Under a list that comes in pages. */
export function More({ of }: { readonly of: { readonly hasNextPage: boolean; fetchNextPage(): unknown } }) {
	if (!of.hasNextPage) return null
	return (
		<p className="foot">
			<button type="button" className="btn small" onClick={() => void of.fetchNextPage()}>
				{general.more}
			</button>
		</p>
	)
}
