import { Fault, type Id } from '@latchwork/core/base'
import type { Compartment, Content } from '@latchwork/core/door'
import { z } from 'zod'
import type { Bank } from './bank/index.ts'
import type { Cases } from './cases/index.ts'
import { HISTORY_LOST, type Journal } from './journal/index.ts'
import type { AuthoritySource } from './sync/authority.ts'

const request = z.strictObject({
	door: z.int().positive(),
	/** What was found inside: nothing, the item with this tag, or the parcel with this label. */
	found: z.union([z.literal('nothing'), z.strictObject({ tag: z.string().min(1) })]),
	/** The item that was found is on loan: yes, it came back, and the loan ends. */
	returned: z.boolean().optional(),
	/** The content sensor says otherwise: yes, looked at twice, and the sensor is wrong. */
	sure: z.boolean().optional(),
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
	return historyRequest.safeParse(body).success ? settleHistory(parts) : settleDoor(body, parts)
}

/** What is inside was counted, so the records that are lost stand in nobody's way any more: loans go on (trust.md §3.6). */
function settleHistory({ journal, bank, authority }: OperatorParts): object {
	const lost = journal.lost()
	if (!lost) throw new Fault('request-refused', 'No records are missing; nothing waits to be confirmed.')
	const bundle = authority.current()?.bundle
	if (!bundle) throw new Fault('request-refused', 'There is no bundle yet, so nobody can say which doors to look behind. Let it arrive first.')
	const unseen = bundle.bank.compartments.filter((c) => bank.state().compartments[c.id]?.content.kind === 'unknown').map((c) => c.number)
	if (unseen.length)
		throw new Fault(
			'request-refused',
			`Nobody has said yet what lies behind door ${unseen.join(', ')}. Look inside and say it for each, such as \`latchwork edge settle ${unseen[0]} nothing\`; then confirm this.`,
		)
	journal.commit({
		events: [{ type: 'task.done', subject: lost.stream, actor: 'staff', data: { kind: 'check-history' } }],
		drop: [HISTORY_LOST],
		essential: true,
	})
	return { history: 'checked', was: lost }
}

/** A person at the bank looked into a held compartment and says what is there; it may then be used again. */
function settleDoor(body: unknown, parts: OperatorParts): object {
	const { bank, authority, journal } = parts
	const parsed = request.safeParse(body)
	if (!parsed.success)
		throw new Fault(
			'request-refused',
			'Say which door, and what was found: {"door": 14, "found": "nothing"} or {"door": 14, "found": {"tag": "LT-0418"}}.',
		)
	const { door, found } = parsed.data
	const bundle = authority.current()?.bundle
	const id = bundle?.bank.compartments.find((c) => c.number === door)?.id as Id<'compartment'> | undefined
	const compartment = id && bank.state().compartments[id]
	if (!bundle || !compartment) throw new Fault('not-found', `This bank has no door ${door}.`)
	if (compartment.session) throw new Fault('request-refused', `Door ${door} is in use.`)
	const waits = compartment.hold !== undefined || compartment.content.kind === 'unknown'
	// With records lost any record may be the old one, so whoever counts may say so of every door; else it takes a second word.
	if (!waits && !parsed.data.sure && !journal.lost())
		throw new Fault(
			'request-refused',
			`Door ${door} is in service; nothing waits to be settled. If you have looked inside and the records are wrong, say so with "sure": true (--sure).`,
		)
	if (compartment.door === 'open')
		throw new Fault('request-refused', `Door ${door} stands open, so what is in it may still change. Push it shut first.`)
	const content = contentOf(found, bundle, parts.cases)
	for (const doubt of [lyingElsewhere, onLoan, unlikeTheSensor]) doubt(parsed.data, compartment, content, parts)
	if (bank.settle(compartment.id, content, !waits) === 'storage-full')
		throw new Fault(
			'journal-full',
			`Nothing can be recorded at present, so door ${door} stays as it was. Free some space on the disk, then say it again.`,
		)
	return {
		door,
		was:
			compartment.hold ??
			(waits ? { kind: 'unknown', why: 'never-looked' } : { kind: 'in-service', why: journal.lost() ? 'history-lost' : 'counted-anew' }),
	}
}

/** What speaks against it is asked back; throws `Fault` request-refused with how to say it all the same, if it can be. */
type Doubt = (said: z.infer<typeof request>, compartment: Compartment, content: Content, parts: OperatorParts) => void

const lyingElsewhere: Doubt = (_, { id }, content, { bank, authority }) => {
	const elsewhere =
		content.kind === 'item' &&
		Object.values(bank.state().compartments).find((c) => c.id !== id && !c.hold && c.content.kind === 'item' && c.content.item === content.item)
	if (!elsewhere) return
	const other = authority.current()?.bundle.bank.compartments.find((c) => c.id === elsewhere.id)?.number
	throw new Fault(
		'request-refused',
		`The records say that it lies behind door ${other}. One thing lies in one place: look there first, and settle that door.`,
	)
}

const unlikeTheSensor: Doubt = ({ door, sure }, { presence }, content) => {
	if (sure || presence === 'unknown' || presence === (content.kind === 'item')) return
	throw new Fault(
		'request-refused',
		`The sensor behind door ${door} sees ${presence ? 'something' : 'nothing'}. Look again; if the sensor is wrong, say so with "sure": true (--sure).`,
	)
}

/** A slip of the pen must not end somebody's loan; where the doubt is about this very item, no second word is needed. */
const onLoan: Doubt = ({ door, returned }, compartment, content, { cases }) => {
	if (content.kind !== 'item' || returned || !cases.isOut(content.item)) return
	if (compartment.content.kind === 'unknown' && compartment.content.last === content.item) return
	throw new Fault(
		'request-refused',
		`The records say that it is on loan. If it really lies behind door ${door}, say so with "returned": true (--returned); that ends the loan.`,
	)
}

function contentOf(
	found: z.infer<typeof request>['found'],
	bundle: NonNullable<ReturnType<AuthoritySource['current']>>['bundle'],
	cases: Cases,
): Content {
	if (found === 'nothing') return { kind: 'empty' }
	const item =
		bundle.assets.find((a) => a.tag === found.tag)?.id ??
		cases.parcels().find((p) => p.tag === found.tag || (p.tag === undefined && (p.part ?? p.label) === found.tag))?.lineId
	if (!item) throw new Fault('not-found', `No asset and no parcel of this bank has the tag ${found.tag}.`)
	return { kind: 'item', item }
}
