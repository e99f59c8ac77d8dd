import type { Bundle } from '@latchwork/core/access'
import { type Compartment, type Content, lastItem } from '@latchwork/core/door'
import type { Bank } from './bank.ts'

type Stocked = { readonly content: Content; readonly why?: string }

export interface StockParts {
	readonly bank: Bank
	/** Items that are known to be out on loan, or about to be. */
	readonly promised: ReadonlySet<string>
	/** Records are lost: what the bundle says was true before them. */
	readonly lost: boolean
}

/**
 * Tells the bank what lies in the compartments that this bundle is the first to name: a controller may start before its bundle, and a
 * bank may grow. What speaks against the bundle (the thing is elsewhere, the sensor sees otherwise, records are lost) makes it a
 * person's task to look. A compartment whose content sensor has not spoken yet waits for it.
 */
export function stock(bundle: Bundle, { bank, promised, lost }: StockParts): void {
	const compartments = Object.values(bank.state().compartments)
	const elsewhere = new Set([...promised, ...compartments.flatMap((c) => lastItem(c.content) ?? [])])
	const parcels = (bundle.cases ?? []).flatMap((of) =>
		of.lines.flatMap(({ id, asset, compartment, custodian, unverified }) =>
			// What the bank answers for lies in it; whatever is in doubt is for a person to look at.
			compartment && custodian === bundle.bank.id && !unverified && !asset ? [[compartment, id] as const] : [],
		),
	)
	const inside = new Map<string, string>([...bundle.initialContents.map((c) => [c.compartment, c.asset] as const), ...parcels])
	const named = new Set(bundle.bank.compartments.map((c) => c.id))
	const contents = compartments
		.filter((c) => c.content.kind === 'unknown' && c.content.unstocked && named.has(c.id))
		.filter((c) => lost || !c.senses.presence || c.presence !== 'unknown')
		.map((c) => ({ compartment: c.id, ...(lost ? unbelieved('history-lost') : stocked(c, inside.get(c.id), elsewhere)) }))
	if (contents.length) bank.input({ kind: 'stocked', contents })
}

function stocked({ presence }: Compartment, item: string | undefined, elsewhere: ReadonlySet<string>): Stocked {
	if (item !== undefined && elsewhere.has(item)) return unbelieved('item-elsewhere')
	if (presence === (item === undefined)) return unbelieved('sensor-disagrees')
	return { content: item === undefined ? { kind: 'empty' } : { kind: 'item', item } }
}

const unbelieved = (why: string): Stocked => ({ content: { kind: 'unknown' }, why })
