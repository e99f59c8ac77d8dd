import { defined, Fault, type Id, type Json, type Random } from '@latchwork/core/base'
import { append, type ServerDraft } from '../ledger/index.ts'
import { type Sql, sql, type Tx } from '../store/index.ts'
import { asJson, type Noted } from './read.ts'

/** Who changes something, and when. */
export interface Change {
	readonly actor: Id<'subject'> | 'server'
	readonly now: number
	readonly random: Random
}

/** What a request may leave out. */
export type Given<T> = { readonly [K in keyof T]?: T[K] | undefined }
export type Notes = Given<Pick<Noted, 'labels' | 'externalRefs' | 'clientData'>>

/** What a caller saw is what is there; else nothing is changed. */
export function unchangedSince(ifMatch: number, { version }: { readonly version: number }): void {
	if (ifMatch === version) return
	throw new Fault('version-conflict', `This is version ${version} by now, and the change was made for version ${ifMatch}. Read it again.`, {
		detail: { version },
	})
}

interface Place {
	readonly site?: Id<'site'>
	readonly bank?: Id<'bank'>
}

/** One fact about a thing of the estate, in the transaction of the change. Names and addresses stay in the tables: the fact names the fields. */
export async function record(
	tx: Tx,
	{ actor, now, random }: Change,
	type: ServerDraft['type'],
	subject: string,
	place: Place,
	data: { readonly [key: string]: Json } = {},
): Promise<void> {
	await append(tx, [{ type, subject, actor, ...place, data }], { now, random })
}

/** Names of the fields that a patch really changes, for the fact and to tell a change from none. */
export function changedFields(before: object, patch: object): string[] {
	const was = before as Record<string, unknown>
	return Object.entries(patch)
		.filter(([name, value]) => value !== undefined && JSON.stringify(was[name]) !== JSON.stringify(value))
		.map(([name]) => name)
}

/** A record as it will be: what is not given stays. */
export function merged<T extends object>(before: T, patch: Given<T>): T {
	return { ...before, ...defined(patch) }
}

/** The columns of a new record's notes, in the order of `NOTE_COLUMNS`. */
export const noteValues = ({ labels = {}, externalRefs = [], clientData = {} }: Notes, now: number): Sql<unknown> =>
	sql`${asJson(labels)}, ${asJson(externalRefs)}, ${asJson(clientData)}, 1, ${now}, ${now}`
export const NOTE_COLUMNS = sql`labels, external_refs, client_data, version, created_at, updated_at`

/** The assignments of every change: a new version, and the notes that were given. */
export const touched = ({ labels, externalRefs, clientData }: Notes, now: number): Sql<unknown> =>
	sql.join([
		sql`version = version + 1`,
		sql`updated_at = ${now}`,
		...(labels ? [sql`labels = ${asJson(labels)}`] : []),
		...(externalRefs ? [sql`external_refs = ${asJson(externalRefs)}`] : []),
		...(clientData ? [sql`client_data = ${asJson(clientData)}`] : []),
	])

/** Something unique is there already: the database says so by itself (SQLSTATE 23505), the text is ours. */
export async function unlessTaken<T>(work: Promise<T>, text: string): Promise<T> {
	try {
		return await work
	} catch (cause) {
		if ((cause as { code?: string }).code === '23505') throw new Fault('already-exists', text, { cause })
		throw cause
	}
}

/** Deleting is refused while something refers to it, and the refusal says what. */
export async function unlessReferred(tx: Tx, what: string, referring: readonly (readonly [string, Sql<{ n: number }>])[]): Promise<void> {
	for (const [name, count] of referring) {
		const { n = 0 } = (await tx.first(count)) ?? {}
		if (n > 0) throw new Fault('request-refused', `The ${what} is still in use: ${n} ${name}${n === 1 ? '' : 's'}. Move or remove them first.`)
	}
}
