import type { Id } from '@latchwork/core/base'
import { bankOf, findCompartment, siteOf } from '../estate/index.ts'
import { type Command, findCommand } from '../space/index.ts'
import { type Db, sql } from '../store/index.ts'
import type { OpenedBy } from './step-write.ts'

/** A door behind which something of theirs lay, and which somebody opened from afar, or tried to. */
export interface OwnOpening {
	readonly notice: Id<'notice'>
	readonly at: number
	readonly command: Command
	readonly case: { readonly id: Id<'case'>; readonly number: string; readonly label: string }
	/** Undefined: from before it was kept. */
	readonly by: OpenedBy | undefined
	readonly door: number | undefined
	readonly bankName: string
	readonly siteName: string
	readonly timeZone: string
}

/** Those of a person, the newest first; `before`: the last one seen. */
export async function ownOpenings(
	db: Db,
	owner: Id<'subject'>,
	{ limit, before }: { readonly limit: number; readonly before?: readonly [number, string] | undefined },
): Promise<OwnOpening[]> {
	const rows = await db.rows(sql<{
		notice: Id<'notice'>
		at: number
		command: string
		told: OpenedBy | null
		id: Id<'case'>
		number: string
		label: string
	}>`SELECT n.notice_id AS notice, n.due_at AS at, n.occasion AS command, n.told, t.case_id AS id, t.number, t.label
		FROM notice n JOIN workflow_case t ON t.tenant_id = n.tenant_id AND t.case_id = n.case_id
		WHERE n.tenant_id = ${db.tenant} AND t.owner = ${owner} AND n.kind = 'opened-from-afar'
			${before ? sql`AND (n.due_at, n.notice_id) < (${before[0]}, ${before[1]})` : sql``} ORDER BY n.due_at DESC, n.notice_id DESC LIMIT ${limit}`)
	const found: OwnOpening[] = []
	for (const { notice, at, command: of, told, id, number, label } of rows) {
		const command = await findCommand(db, of)
		if (!command) continue
		const [{ name: bankName }, { name: siteName, timeZone }] = [await bankOf(db, command.bank), await siteOf(db, command.site)]
		const door = command.compartment === null ? undefined : (await findCompartment(db, command.compartment))?.number
		found.push({ notice, at, command, case: { id, number, label }, by: told ?? undefined, door, bankName, siteName, timeZone })
	}
	return found
}
