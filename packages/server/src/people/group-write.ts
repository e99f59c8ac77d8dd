import { defined, Fault, type Id, newId } from '@latchwork/core/base'
import { markBundles, markPeople, unchangedSince } from '../estate/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { type PeopleChange, recordOf } from './person-write.ts'
import { findGroup, type Group, nothing } from './read.ts'

export interface GroupFields {
	readonly code: string
	readonly name: string
	readonly labels?: Readonly<Record<string, string>> | undefined
	readonly externalRefs?: readonly { readonly system: string; readonly id: string }[] | undefined
	readonly clientData?: Readonly<Record<string, unknown>> | undefined
}

export async function createGroup(tx: Tx, change: PeopleChange, fields: GroupFields): Promise<Group> {
	const { now, random } = change
	const id = newId('group', now, random)
	const made =
		await tx.run(sql`INSERT INTO person_group (tenant_id, group_id, code, name, labels, external_refs, client_data, version, created_at, updated_at)
		VALUES (${tx.tenant}, ${id}, ${fields.code}, ${fields.name}, ${json(fields.labels ?? {})}, ${json(fields.externalRefs ?? [])}, ${json(fields.clientData ?? {})}, 1, ${now}, ${now})
		ON CONFLICT (tenant_id, code) DO NOTHING`)
	if (made === 0) throw new Fault('already-exists', `There is a group with the code ${fields.code} already.`, { detail: { field: 'body.code' } })
	await recordOf(tx, change, 'group.created', id)
	return (await findGroup(tx, id)) as Group
}

/** The code stays: policies name it. */
export async function changeGroup(
	tx: Tx,
	change: PeopleChange,
	id: Id<'group'>,
	ifMatch: number,
	patch: Partial<{ [K in keyof Omit<GroupFields, 'code'>]: GroupFields[K] | undefined }>,
): Promise<Group> {
	const before = await lockGroup(tx, id, ifMatch)
	const after = { ...before, ...defined(patch) }
	await tx.run(sql`UPDATE person_group SET name = ${after.name}, labels = ${json(after.labels)}, external_refs = ${json(after.externalRefs)},
		client_data = ${json(after.clientData)}, version = version + 1, updated_at = ${change.now} WHERE tenant_id = ${tx.tenant} AND group_id = ${id}`)
	await recordOf(tx, change, 'group.changed', id, { fields: Object.keys(patch), version: before.version + 1 })
	return (await findGroup(tx, id)) as Group
}

export async function removeGroup(tx: Tx, change: PeopleChange, id: Id<'group'>, ifMatch: number): Promise<void> {
	await lockGroup(tx, id, ifMatch)
	await tx.run(sql`DELETE FROM person_group WHERE tenant_id = ${tx.tenant} AND group_id = ${id}`)
	await recordOf(tx, change, 'group.removed', id)
	await markBundles(tx, change.now)
}

/** True: it was not so before. */
export async function joinGroup(tx: Tx, change: PeopleChange, group: Id<'group'>, subject: Id<'subject'>): Promise<boolean> {
	await lockBoth(tx, group, subject)
	const joined =
		await tx.run(sql`INSERT INTO membership (tenant_id, group_id, subject_id, since) VALUES (${tx.tenant}, ${group}, ${subject}, ${change.now})
		ON CONFLICT DO NOTHING`)
	if (joined === 1) await moved(tx, change, 'group.joined', group, subject)
	return joined === 1
}

export async function leaveGroup(tx: Tx, change: PeopleChange, group: Id<'group'>, subject: Id<'subject'>): Promise<boolean> {
	await lockBoth(tx, group, subject)
	const left = await tx.run(sql`DELETE FROM membership WHERE tenant_id = ${tx.tenant} AND group_id = ${group} AND subject_id = ${subject}`)
	if (left === 1) await moved(tx, change, 'group.left', group, subject)
	return left === 1
}

async function moved(tx: Tx, change: PeopleChange, type: 'group.joined' | 'group.left', group: Id<'group'>, subject: Id<'subject'>): Promise<void> {
	await tx.run(sql`UPDATE person SET updated_at = ${change.now}, version = version + 1 WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject}`)
	await recordOf(tx, change, type, subject, { group })
	await markPeople(tx, change.now, [subject])
}

async function lockBoth(tx: Tx, group: Id<'group'>, subject: Id<'subject'>): Promise<void> {
	if (!(await findGroup(tx, group))) throw nothing('group')
	const person = await tx.first(sql`SELECT 1 FROM person WHERE tenant_id = ${tx.tenant} AND subject_id = ${subject} AND erased_at IS NULL FOR UPDATE`)
	if (!person) throw nothing('person')
}

async function lockGroup(tx: Tx, id: Id<'group'>, ifMatch: number): Promise<Group> {
	await tx.run(sql`SELECT 1 FROM person_group WHERE tenant_id = ${tx.tenant} AND group_id = ${id} FOR UPDATE`)
	const before = await findGroup(tx, id)
	if (!before) throw nothing('group')
	unchangedSince(ifMatch, before)
	return before
}

const json = (value: unknown) => sql`${JSON.stringify(value)}::jsonb`
