import { Fault, type Id, newId } from '@latchwork/core/base'
import type { BankLayout } from '@latchwork/core/wire'
import { sql, type Tx } from '../store/index.ts'
import {
	type Change,
	changedFields,
	type Given,
	merged,
	NOTE_COLUMNS,
	type Notes,
	noteValues,
	record,
	touched,
	unchangedSince,
	unlessReferred,
	unlessTaken,
} from './change-write.ts'
import { markBundles } from './dirty-write.ts'
import { checkLayout, checkRedrawn, doorsOf, type LayoutDoor, redrawDoor } from './layout.ts'
import { openCompartments, refreshAllocation } from './live-write.ts'
import {
	asJson,
	type Bank,
	type Compartment,
	findArea,
	findBank,
	findCompartment,
	findModule,
	findSite,
	type Module,
	modulesOf,
	present,
} from './read.ts'

export interface BankFields {
	readonly site: Id<'site'>
	readonly area?: Id<'area'> | undefined
	readonly name: string
	readonly helpPhone: string
	readonly layout: BankLayout
}

/** A bank with a module for each column of its drawing and a compartment for each door. */
export async function createBank(tx: Tx, change: Change, { site, area, name, helpPhone, layout, ...notes }: BankFields & Notes): Promise<Bank> {
	checkLayout(layout)
	present(await findSite(tx, site), 'site')
	if (area !== undefined) await areaIn(tx, area, site)
	const { now } = change
	const id = newId('bank', now, change.random)
	await tx.run(sql`INSERT INTO bank (tenant_id, bank_id, site_id, area_id, name, help_phone, layout, ${NOTE_COLUMNS})
		VALUES (${tx.tenant}, ${id}, ${site}, ${area ?? null}, ${name}, ${helpPhone}, ${asJson(layout)}, ${noteValues(notes, now)})`)
	await tx.run(sql`INSERT INTO bank_state (tenant_id, bank_id, online, bundle_version, boards, readers, storage, clock, history_lost, tampered)
		VALUES (${tx.tenant}, ${id}, false, 0, '{}', '{}', 'good', 'good', false, false)`)
	for (const [position] of layout.columns.entries())
		await addModule(
			tx,
			change,
			id,
			position,
			`${position + 1}`,
			doorsOf(layout).filter((d) => d.column === position),
		)
	await record(tx, change, 'bank.created', id, { site, bank: id }, { doors: doorsOf(layout).length, modules: layout.columns.length })
	await markBundles(tx, now, { bank: id })
	return present(await findBank(tx, id), 'bank')
}

type BankPatch = Given<Pick<Bank, 'area' | 'name' | 'helpPhone' | 'layout'>> & Notes

/** A bank stays at its site: moving the cabinet is a new bank, because people's credentials are keyed by site. */
export async function changeBank(tx: Tx, change: Change, id: Id<'bank'>, ifMatch: number, patch: BankPatch): Promise<Bank> {
	const before = present(await findBank(tx, id, true), 'bank')
	unchangedSince(ifMatch, before)
	const fields = changedFields(before, patch)
	if (fields.length === 0) return before
	if (patch.layout) checkRedrawn(before.layout, patch.layout)
	if (patch.area) await areaIn(tx, patch.area, before.site)
	const { area, name, helpPhone, layout } = merged<Pick<Bank, 'area' | 'name' | 'helpPhone' | 'layout'>>(before, patch)
	await tx.run(sql`UPDATE bank SET area_id = ${area}, name = ${name}, help_phone = ${helpPhone}, layout = ${asJson(layout)},
		${touched(patch, change.now)} WHERE tenant_id = ${tx.tenant} AND bank_id = ${id}`)
	if (patch.layout) await takeOver(tx, change, id, patch.layout)
	await record(tx, change, 'bank.changed', id, { site: before.site, bank: id }, { fields, version: before.version + 1 })
	await markBundles(tx, change.now, { bank: id })
	return present(await findBank(tx, id), 'bank')
}

/** The compartments as redrawn: which column they hang in, their size and height. */
async function takeOver(tx: Tx, change: Change, bank: Id<'bank'>, layout: BankLayout): Promise<void> {
	const modules = await modulesOf(tx, bank)
	for (const { number, size, accessible, column } of doorsOf(layout)) {
		const module = present(modules[column], 'module').id
		await tx.run(sql`UPDATE compartment SET module_id = ${module}, size = ${size}, accessible = ${accessible}, ${touched({}, change.now)}
			WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank} AND number = ${number}
			AND (module_id, size, accessible) IS DISTINCT FROM (${module}, ${size}, ${accessible}::boolean)`)
	}
}

export async function removeBank(tx: Tx, change: Change, id: Id<'bank'>, ifMatch: number): Promise<void> {
	const before = present(await findBank(tx, id, true), 'bank')
	unchangedSince(ifMatch, before)
	await unlessReferred(tx, 'bank', [
		['controller', sql`SELECT count(*) AS n FROM controller WHERE tenant_id = ${tx.tenant} AND bank_id = ${id} AND revoked_at IS NULL`],
		[
			'compartment with something in it',
			sql`SELECT count(*) AS n FROM compartment_state WHERE tenant_id = ${tx.tenant} AND bank_id = ${id} AND ${IN_USE}`,
		],
	])
	await unlessKept(
		(async () => {
			for (const table of ['controller', 'compartment', 'module', 'bank'])
				await tx.run(sql`DELETE FROM ${sql.table(table)} WHERE tenant_id = ${tx.tenant} AND bank_id = ${id}`)
		})(),
		'bank',
	)
	await record(tx, change, 'bank.closed', id, { site: before.site, bank: id })
}

/** Something lies there, is promised, or may do so. */
const IN_USE = sql`(content = 'item' OR (content = 'unknown' AND asset_id IS NOT NULL) OR session_id IS NOT NULL OR reserved_for IS NOT NULL)`

/** Another domain's rows refer to it (SQLSTATE 23503): reservations, cases, role assignments. */
async function unlessKept(work: Promise<void>, what: string): Promise<void> {
	try {
		await work
	} catch (cause) {
		const { code, table } = cause as { code?: string; table?: string }
		if (code !== '23503') throw cause
		throw new Fault('request-refused', `The ${what} is still in use: ${(table ?? 'a record').replaceAll('_', ' ')} refers to it.`, { cause })
	}
}

async function areaIn(tx: Tx, area: Id<'area'>, site: Id<'site'>): Promise<void> {
	const found = present(await findArea(tx, area), 'area')
	if (found.site !== site) throw new Fault('request-invalid', 'area: it belongs to another site.')
}

type Column = BankLayout['columns'][number]

/** A cabinet column more, at the right end, with doors whose labels the bank does not have yet. */
export async function createModule(
	tx: Tx,
	change: Change,
	{ bank, name, column }: { bank: Id<'bank'>; name?: string | undefined; column: Column },
): Promise<Module> {
	const before = present(await findBank(tx, bank, true), 'bank')
	const layout = { columns: [...before.layout.columns, column] }
	checkLayout(layout)
	const position = before.layout.columns.length
	const doors = doorsOf(layout).filter((d) => d.column === position)
	const id = await addModule(tx, change, bank, position, name ?? `${position + 1}`, doors)
	await redraw(tx, change, before, layout)
	await record(tx, change, 'module.created', id, { site: before.site, bank }, { doors: doors.length })
	return present(await findModule(tx, id), 'module')
}

export async function changeModule(
	tx: Tx,
	change: Change,
	id: Id<'module'>,
	ifMatch: number,
	patch: { name?: string | undefined } & Notes,
): Promise<Module> {
	const before = present(await findModule(tx, id, true), 'module')
	unchangedSince(ifMatch, before)
	const fields = changedFields(before, patch)
	if (fields.length === 0) return before
	await tx.run(
		sql`UPDATE module SET name = ${patch.name ?? before.name}, ${touched(patch, change.now)} WHERE tenant_id = ${tx.tenant} AND module_id = ${id}`,
	)
	await record(tx, change, 'module.changed', id, { bank: before.bank }, { fields, version: before.version + 1 })
	return present(await findModule(tx, id), 'module')
}

/** The column is carried away, with its compartments; refused while something is in one of them. */
export async function removeModule(tx: Tx, change: Change, id: Id<'module'>, ifMatch: number): Promise<void> {
	const before = present(await findModule(tx, id, true), 'module')
	unchangedSince(ifMatch, before)
	const bank = present(await findBank(tx, before.bank, true), 'bank')
	if (bank.layout.columns.length === 1) throw new Fault('request-refused', 'A bank has at least one module. Remove the bank instead.')
	await unlessReferred(tx, 'module', [
		[
			'compartment with something in it',
			sql`SELECT count(*) AS n FROM compartment_state WHERE tenant_id = ${tx.tenant} AND ${IN_USE} AND compartment_id IN
				(SELECT compartment_id FROM compartment WHERE tenant_id = ${tx.tenant} AND module_id = ${id})`,
		],
	])
	const layout = { columns: bank.layout.columns.filter((_, i) => i !== before.position) }
	checkLayout(layout)
	await unlessKept(
		(async () => {
			await tx.run(sql`DELETE FROM compartment WHERE tenant_id = ${tx.tenant} AND module_id = ${id}`)
			await tx.run(sql`DELETE FROM module WHERE tenant_id = ${tx.tenant} AND module_id = ${id}`)
			await tx.run(
				sql`UPDATE module SET position = position - 1 WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank.id} AND position > ${before.position}`,
			)
		})(),
		'module',
	)
	await redraw(tx, change, bank, layout)
	await record(tx, change, 'module.removed', id, { site: bank.site, bank: bank.id })
}

async function redraw(tx: Tx, { now }: Change, bank: Bank, layout: BankLayout): Promise<void> {
	await tx.run(sql`UPDATE bank SET layout = ${asJson(layout)}, ${touched({}, now)} WHERE tenant_id = ${tx.tenant} AND bank_id = ${bank.id}`)
	await markBundles(tx, now, { bank: bank.id })
}

async function addModule(
	tx: Tx,
	{ now, random }: Change,
	bank: Id<'bank'>,
	position: number,
	name: string,
	doors: readonly LayoutDoor[],
): Promise<Id<'module'>> {
	const id = newId('module', now, random)
	await tx.run(sql`INSERT INTO module (tenant_id, module_id, bank_id, position, name, ${NOTE_COLUMNS})
		VALUES (${tx.tenant}, ${id}, ${bank}, ${position}, ${name}, ${noteValues({}, now)})`)
	const made = doors.map((door) => ({ id: newId('compartment', now, random), door }))
	for (const { id: compartment, door } of made)
		await tx.run(sql`INSERT INTO compartment
			(tenant_id, compartment_id, bank_id, module_id, number, size, accessible, powered, wired, ${NOTE_COLUMNS}) VALUES
			(${tx.tenant}, ${compartment}, ${bank}, ${id}, ${door.number}, ${door.size}, ${door.accessible}, false, false, ${noteValues({}, now)})`)
	await openCompartments(
		tx,
		bank,
		made.map((m) => m.id),
		now,
	)
	return id
}

type Changeable = Pick<Compartment, 'number' | 'size' | 'accessible' | 'powered' | 'wired' | 'widthMm' | 'heightMm' | 'depthMm' | 'outOfService'>
export type CompartmentPatch = Given<Changeable> & Notes

/** Label, use and measures of a compartment; what it is stays its id. */
export async function changeCompartment(
	tx: Tx,
	change: Change,
	id: Id<'compartment'>,
	ifMatch: number,
	patch: CompartmentPatch,
): Promise<Compartment> {
	const before = present(await findCompartment(tx, id, true), 'compartment')
	unchangedSince(ifMatch, before)
	const fields = changedFields(before, patch)
	if (fields.length === 0) return before
	const bank = present(await findBank(tx, before.bank, true), 'bank')
	const after = merged<Changeable>(before, patch)
	await unlessTaken(
		tx.run(sql`UPDATE compartment SET number = ${after.number}, size = ${after.size}, accessible = ${after.accessible}, powered = ${after.powered},
			wired = ${after.wired}, width_mm = ${after.widthMm}, height_mm = ${after.heightMm}, depth_mm = ${after.depthMm}, out_of_service = ${after.outOfService},
			${touched(patch, change.now)} WHERE tenant_id = ${tx.tenant} AND compartment_id = ${id}`),
		`This bank has a door ${after.number} already; a label is unique within its bank.`,
	)
	const { number, size, accessible } = after
	const layout = redrawDoor(bank.layout, before.number, { number, size, accessible })
	if (JSON.stringify(layout) !== JSON.stringify(bank.layout)) await redraw(tx, change, bank, layout)
	else await markBundles(tx, change.now, { bank: bank.id })
	const place = { site: bank.site, bank: bank.id }
	if (fields.includes('outOfService')) {
		const { outOfService } = after
		if (outOfService === null) await record(tx, change, 'compartment.returned-to-service', id, place)
		else await record(tx, change, 'compartment.taken-out-of-service', id, place, { why: outOfService })
		await refreshAllocation(tx, id, change.now)
	}
	const others = fields.filter((field) => field !== 'outOfService')
	if (others.length) await record(tx, change, 'compartment.changed', id, place, { fields: others, version: before.version + 1 })
	return present(await findCompartment(tx, id), 'compartment')
}
