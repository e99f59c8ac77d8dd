import type { Bundle } from '@latchwork/core/access'
import { type Content, lastItem } from '@latchwork/core/door'
import type { Bank } from './bank.ts'

/**
 * Tells the bank what lies in the compartments that this bundle is the first to name: a controller may start before its bundle, and a
 * bank may grow. One thing lies in one place, so what is known to be elsewhere (`promised`: out on loan, or about to be) is for a
 * person to look for.
 */
export function stock(bank: Bank, bundle: Bundle, promised: ReadonlySet<string>): void {
	const compartments = Object.values(bank.state().compartments)
	const elsewhere = new Set([...promised, ...compartments.flatMap((c) => lastItem(c.content) ?? [])])
	const inside = new Map(bundle.initialContents.map((c) => [c.compartment, c.asset]))
	const named = new Set(bundle.bank.compartments.map((c) => c.id))
	const contents = compartments
		.filter((c) => c.content.kind === 'unknown' && c.content.unstocked && named.has(c.id))
		.map(({ id }) => ({ compartment: id, content: contentOf(inside.get(id), elsewhere) }))
	if (contents.length) bank.input({ kind: 'stocked', contents })
}

function contentOf(item: string | undefined, elsewhere: ReadonlySet<string>): Content {
	if (item === undefined) return { kind: 'empty' }
	return elsewhere.has(item) ? { kind: 'unknown' } : { kind: 'item', item }
}
