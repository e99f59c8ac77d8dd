import type { OfferedCase, PickUpCode } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { LoadedTable } from '@latchwork/core/workflow'
import { codesToldTo } from '../space/index.ts'
import type { Db } from '../store/index.ts'
import { type CaseRow, casesToldTo, tableOf } from './case-read.ts'

/** What a bank is told of cases: those that it may go on with, the codes that open them, the tables that they follow. */
export interface CasePart {
	readonly cases: readonly OfferedCase[]
	readonly codes: readonly PickUpCode[]
	readonly tables: readonly LoadedTable[]
	/** Codes that the bank still knows and must not take. */
	readonly revoked: readonly string[]
	/** The longest code that somebody may type there. */
	readonly digits: number
}

const FEWEST_DIGITS = 8
const REMEMBERED_MS = 24 * 3_600_000

export async function casePart(db: Db, bank: Id<'bank'>, now: number): Promise<CasePart> {
	const open = (await casesToldTo(db, bank, now - REMEMBERED_MS)).filter(({ workflow }) => workflow !== 'loan')
	const over = new Set(open.filter(({ recalledAt, endedAt }) => recalledAt !== null || endedAt !== null).map(({ id }) => id))
	const ids = new Set(open.map(({ id }) => id))
	const codes = (await codesToldTo(db, bank, now, [...over])).filter((code) => ids.has(code.case))
	const tables = new Map<string, LoadedTable>()
	for (const { tableHash } of open) {
		const table = tables.has(tableHash) ? undefined : await tableOf(db, tableHash)
		if (table) tables.set(tableHash, table)
	}
	const digits = Math.max(FEWEST_DIGITS, ...codes.map((code) => code.digits))
	return {
		cases: open.map(offered),
		codes: codes.map(({ digits: _, revoked: __, ...code }) => code),
		revoked: codes.filter((one) => one.revoked).map(({ id }) => id),
		tables: [...tables.values()],
		digits,
	}
}

function offered({ body, label, hint, lines, recalledAt, orders }: CaseRow): OfferedCase {
	return {
		id: body.id,
		workflow: body.workflow,
		tableHash: body.tableHash,
		version: body.version,
		state: body.state,
		...(body.owner !== undefined && { owner: body.owner }),
		label,
		...(hint !== null && { hint }),
		lines: body.lines.map((line) => {
			const { accessible, ...note } = lines[line.id] ?? {}
			return { ...line, ...note, ...(accessible && { accessible }) }
		}),
		deadlines: body.deadlines,
		requests: body.requests,
		links: body.links,
		...(recalledAt !== null && { recalled: true as const }),
		...(Object.keys(orders).length > 0 && { due: orders }),
	} as OfferedCase
}
