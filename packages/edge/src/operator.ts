import { Fault, type Id } from '@latchwork/core/base'
import type { Content } from '@latchwork/core/door'
import { z } from 'zod'
import type { Bank } from './bank/index.ts'
import type { Cases } from './cases/index.ts'
import { HISTORY_LOST, type Journal } from './journal/index.ts'
import type { AuthoritySource } from './sync/authority.ts'

const request = z.strictObject({
	door: z.int().positive(),
	/** What was found inside: nothing, or the item with this tag. */
	found: z.union([z.literal('nothing'), z.strictObject({ tag: z.string().min(1) })]),
	/** The item that was found is on loan: yes, it came back, and the loan ends. */
	returned: z.boolean().optional(),
})

const historyRequest = z.strictObject({ history: z.literal('checked') })

export interface OperatorParts {
	readonly bank: Bank
	readonly cases: Cases
	readonly authority: AuthoritySource
	readonly journal: Journal
}

/** What a person at the bank found out by looking; recorded when this returns. Throws `Fault` request-refused, not-found or journal-full with what to do instead. */
export function settleRequest(body: unknown, parts: OperatorParts): object {
	return historyRequest.safeParse(body).success ? settleHistory(parts.journal) : settleDoor(body, parts)
}

/** What is inside was counted, so the records that are lost stand in nobody's way any more: loans go on (trust.md §3.6). */
function settleHistory(journal: Journal): object {
	const lost = journal.lost()
	if (!lost) throw new Fault('request-refused', 'No records are missing; nothing waits to be confirmed.')
	journal.commit({
		events: [{ type: 'task.done', subject: lost.stream, actor: 'staff', data: { kind: 'check-history' } }],
		drop: [HISTORY_LOST],
		essential: true,
	})
	return { history: 'checked', was: lost }
}

/** A person at the bank looked into a held compartment and says what is there; it may then be used again. */
function settleDoor(body: unknown, { bank, authority, cases }: OperatorParts): object {
	const parsed = request.safeParse(body)
	if (!parsed.success)
		throw new Fault(
			'request-refused',
			'Say which door, and what was found: {"door": 14, "found": "nothing"} or {"door": 14, "found": {"tag": "LT-0418"}}.',
		)
	const { door, found, returned } = parsed.data
	const bundle = authority.current()?.bundle
	const id = bundle?.bank.compartments.find((c) => c.number === door)?.id as Id<'compartment'> | undefined
	const compartment = id && bank.state().compartments[id]
	if (!id || !compartment) throw new Fault('not-found', `This bank has no door ${door}.`)
	if (compartment.session) throw new Fault('request-refused', `Door ${door} is in use.`)
	if (!compartment.hold && compartment.content.kind !== 'unknown')
		throw new Fault('request-refused', `Door ${door} is in service; nothing waits to be settled.`)
	const content = contentOf(found, bundle)
	const elsewhere =
		content.kind === 'item' &&
		Object.values(bank.state().compartments).find((c) => c.id !== id && !c.hold && c.content.kind === 'item' && c.content.item === content.item)
	if (elsewhere) {
		const other = bundle?.bank.compartments.find((c) => c.id === elsewhere.id)?.number
		throw new Fault('request-refused', `The records say that it lies behind door ${other}. One thing lies in one place: look there first.`)
	}
	// A slip of the pen must not end somebody's loan; where the doubt is about this very item, no second word is needed.
	const expected = compartment.content.kind === 'unknown' && content.kind === 'item' && compartment.content.last === content.item
	if (content.kind === 'item' && !expected && !returned && cases.isOut(content.item)) {
		throw new Fault(
			'request-refused',
			`The records say that it is on loan. If it really lies behind door ${door}, say so with "returned": true (--returned); that ends the loan.`,
		)
	}
	if (bank.settle(id, content) === 'storage-full')
		throw new Fault(
			'journal-full',
			`Nothing can be recorded at present, so door ${door} stays as it was. Free some space on the disk, then say it again.`,
		)
	return { door, was: compartment.hold ?? { kind: 'unknown', why: 'never-looked' } }
}

function contentOf(
	found: z.infer<typeof request>['found'],
	bundle: NonNullable<ReturnType<AuthoritySource['current']>>['bundle'] | undefined,
): Content {
	if (found === 'nothing') return { kind: 'empty' }
	const asset = bundle?.assets.find((a) => a.tag === found.tag)
	if (!asset) throw new Fault('not-found', `No asset of this bank has the tag ${found.tag}.`)
	return { kind: 'item', item: asset.id }
}
