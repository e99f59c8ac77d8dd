import { isDeepStrictEqual } from 'node:util'
import { type Caller, type Permission, type Place, scopesOf } from '@latchwork/core/access'
import { type Clock, Fault, type Id, type Random, toBase64, toHex } from '@latchwork/core/base'
import { z } from 'zod'
import { answer, fromCursor, idOf, listFields, named, page, pageOf, type Route, raw, route, sse, time, toTime, whole } from '../http/index.ts'
import type { Db, Store } from '../store/index.ts'
import { append } from './append-write.ts'
import type { SignerOf } from './checkpoint-write.ts'
import { feeds } from './feed.ts'
import { proveEvent, proveGrowth, readLogFile, verifierKeyOf } from './log-read.ts'
import { type EventQuery, type LoggedEvent, readEvents, readSize, readStreams, readTrail } from './read.ts'
import { newestCheckpoint, readCheckpoints } from './tree-read.ts'
import type { Watch } from './watch.ts'

export interface LedgerRoutes {
	readonly store: Store
	readonly watch: Watch
	readonly pace: Pick<Clock, 'after'>
	readonly random: Random
	readonly signerOf: SignerOf
	/** Banks that lie in a place: the ledger knows sites and banks of its events, and no areas. */
	readonly bankIds: (db: Db, at: Place) => Promise<readonly Id<'bank'>[]>
	/** What events about somebody are about: they, and what is theirs. Undefined: there never was such a person. */
	readonly thingsOf: (db: Db, person: Id<'subject'>) => Promise<readonly string[] | undefined>
}

export function ledgerRoutes(terms: LedgerRoutes): Route[] {
	return [...eventRoutes(terms), ...auditRoutes(terms)]
}

const position = whole(0, Number.MAX_SAFE_INTEGER)
const positionCursor = z.tuple([z.number().int()])

/** CloudEvents 1.0 in JSON, with the extensions of the API's guide. */
const head = {
	specversion: z.literal('1.0'),
	id: z.string().describe('evt_… of the server’s own facts, stream/sequence of those of a controller'),
	source: z.string(),
	type: z.string().meta({ example: 'lockers.loan.started.v1' }),
	subject: z.string(),
	time: time,
	sequence: z.string().describe('position in the ledger'),
	tenantid: idOf('tenant'),
	siteid: idOf('site').optional(),
	bankid: idOf('bank').optional(),
}
const eventShape = named(
	'Event',
	z.object({
		...head,
		datacontenttype: z.literal('application/json'),
		actor: z.string().optional().describe('pseudonym of a person, or which part acted'),
		causationid: z.string().optional(),
		receivedtime: time,
		offline: z.boolean().optional(),
		clockquality: z.enum(['good', 'uncertain']).optional(),
		data: z.record(z.string(), z.unknown()),
	}),
)

/** What goes to those who only want to know that something happened. */
function headOf({ position: at, body, site }: LoggedEvent, tenant: Id<'tenant'>) {
	return {
		specversion: '1.0' as const,
		id: 'source' in body ? body.id : `${body.stream}/${body.seq}`,
		source: `/tenants/${tenant}${body.bank ? `/banks/${body.bank}` : ''}`,
		type: `lockers.${body.type}.v1`,
		subject: body.subject,
		time: toTime(body.at),
		sequence: String(at),
		tenantid: tenant,
		...(site && { siteid: site }),
		...(body.bank && { bankid: body.bank }),
	}
}

function envelopeOf(event: LoggedEvent, tenant: Id<'tenant'>) {
	const { body, received } = event
	return {
		...headOf(event, tenant),
		datacontenttype: 'application/json' as const,
		...(body.actor && { actor: body.actor }),
		...('source' in body ? { ...(body.cause && { causationid: body.cause }) } : { offline: body.offline, clockquality: body.clock }),
		receivedtime: toTime(received),
		data: body.data as z.input<typeof eventShape>['data'],
	}
}

const filterFields = {
	type: z
		.string()
		.max(120)
		.transform((text) => /^lockers\.(.+)\.v1$/.exec(text)?.[1] ?? text)
		.optional()
		.describe('lockers.loan.started.v1, or loan.started'),
	subject: z.string().max(200).optional(),
	bank: idOf('bank').optional(),
	site: idOf('site').optional(),
}

/** Sites and banks of which the caller may read events by this permission; undefined: all. */
async function withinOf(
	db: Db,
	caller: Caller,
	bankIds: LedgerRoutes['bankIds'],
	permission: Permission = 'event.read',
): Promise<EventQuery['within']> {
	const scopes = scopesOf(caller, permission)
	if (scopes.some(({ kind }) => kind === 'tenant')) return undefined
	const sites: string[] = []
	const banks: string[] = []
	for (const scope of scopes) {
		if (scope.kind === 'site') sites.push(scope.id)
		else if (scope.kind === 'bank') banks.push(scope.id)
		else if (scope.kind === 'area') banks.push(...(await bankIds(db, { area: scope.id })))
	}
	// In one order: whoever asks later whether it is still the same gets the same.
	return { sites: sites.sort(), banks: banks.sort() }
}

const proofShape = named(
	'EventProof',
	z.object({
		position: z.int(),
		size: z.int().describe('of the log under the checkpoint'),
		entry: z.base64().describe('the bytes of the event as they were minted: canonical JSON'),
		proof: z.array(z.base64()).describe('RFC 6962 §2.1.1, the sibling of the leaf first'),
		checkpoint: z.string().describe('signed note (C2SP tlog-checkpoint)'),
	}),
)

function eventRoutes({ store, watch, pace, bankIds, thingsOf }: LedgerRoutes): Route[] {
	const feed = feeds({ store, watch, pace })
	return [
		route({
			method: 'GET',
			path: '/v1/events',
			tag: 'Events',
			summary: 'Events of the ledger in their order, as CloudEvents.',
			permission: 'event.read',
			scope: 'anywhere',
			query: z.strictObject({
				limit: listFields.limit,
				cursor: listFields.cursor,
				order: z
					.enum(['rising', 'falling'])
					.default('rising')
					.describe('rising: from the beginning, or behind `after`; falling: the newest first, or before `before`'),
				after: position.optional(),
				before: position.optional(),
				...filterFields,
			}),
			answers: { 200: pageOf('Events', eventShape) },
			handle: ({ read, query, caller, tenant }) =>
				read(async (db) => {
					const { limit, cursor, order, after, before, ...filter } = query
					const from = fromCursor(cursor, positionCursor)?.[0] ?? (order === 'rising' ? after : before)
					if (order === 'rising' && from !== undefined)
						reached(from, await readSize(db, tenant), cursor === undefined ? 'query.after' : 'query.cursor')
					const within = await withinOf(db, caller, bankIds)
					const events = await readEvents(db, tenant, { ...filter, within, order, from, limit: limit + 1 })
					return page(
						events,
						limit,
						(event) => envelopeOf(event, tenant),
						(event) => [event.position],
					)
				}),
		}),
		route({
			method: 'GET',
			path: '/v1/events/stream',
			tag: 'Events',
			summary: 'Events as they get their positions: ids and types, as server-sent events. Comes back where `Last-Event-ID` says.',
			permission: 'event.read',
			scope: 'anywhere',
			query: z.strictObject({ after: position.optional().describe('instead of Last-Event-ID; without both: from now on'), ...filterFields }),
			answers: {
				200: z
					.string()
					.describe(
						'each message has the position as its id and the head of a CloudEvent as its data; between them come events `beat` without data, every 5 s',
					),
			},
			produces: 'text/event-stream',
			handle: ({ read, query, caller, tenant, headers }) =>
				read(async (db) => {
					const { after, ...filter } = query
					const within = await withinOf(db, caller, bankIds)
					const size = await readSize(db, tenant)
					const last = lastEventOf(headers['last-event-id'])
					const from = last ?? after ?? size - 1
					reached(from, size, last === undefined ? 'query.after' : 'Last-Event-ID')
					return sse(
						async function* (signal) {
							for await (const event of feed(tenant, from, { ...filter, within }, signal))
								yield { id: String(event.position), data: JSON.stringify(headOf(event, tenant)) }
						},
						// With other rights it is another stream: this one ends, and its client comes back with what it saw last.
						async (db, caller) => isDeepStrictEqual(await withinOf(db, caller, bankIds), within),
					)
				}),
		}),
		route({
			method: 'GET',
			path: '/v1/events/{position}/proof',
			tag: 'Audit',
			summary: 'The bytes of an event, and the proof that they are in the signed log: verified without trusting this server.',
			permission: 'audit.read',
			params: z.strictObject({ position }),
			answers: { 200: proofShape },
			handle: ({ read, params, tenant }) => read((db) => proveEvent(db, tenant, params.position)),
		}),
		route({
			method: 'GET',
			path: '/v1/users/{user}/events',
			tag: 'Audit',
			summary:
				'All that is recorded of one person at the places where the caller may read it, the newest first: what they did, and what was done to them, their badges, PINs and cases.',
			permission: 'audit.read.person',
			scope: 'anywhere',
			params: z.strictObject({ user: idOf('subject') }),
			query: z.strictObject({ limit: listFields.limit, cursor: listFields.cursor, before: position.optional() }),
			answers: { 200: pageOf('Trail', eventShape) },
			handle: ({ read, params: { user: person }, query, caller, tenant }) =>
				read(async (db) => {
					const subjects = await thingsOf(db, person)
					if (!subjects) throw new Fault('not-found', 'There is no such person.')
					const within = await withinOf(db, caller, bankIds, 'audit.read.person')
					const { limit, cursor } = query
					const before = fromCursor(cursor, positionCursor)?.[0] ?? query.before
					const events = await readTrail(db, tenant, { person, subjects, within, before, limit: limit + 1 })
					return page(
						events,
						limit,
						(event) => envelopeOf(event, tenant),
						(event) => [event.position],
					)
				}),
		}),
	]
}

function lastEventOf(header: string | string[] | undefined): number | undefined {
	if (header === undefined || header === '') return undefined
	const parsed = position.safeParse(header)
	if (!parsed.success)
		throw new Fault('request-invalid', 'Last-Event-ID: a position, as the last message gave it.', { detail: { field: 'Last-Event-ID' } })
	return parsed.data
}

/**
 * Whoever has seen more than there is heard it from a log that was lost: a database was put back from an older day. What gets those positions anew is
 * something else, and whoever waited behind them would miss it without a word.
 */
function reached(from: number, size: number, field: string): void {
	if (from < size) return
	const end = size === 0 ? 'is empty' : `ends at position ${size - 1}`
	throw new Fault(
		'request-refused',
		`The log ${end}, and you ask for what comes behind ${from}. If you had that position from here, the database was put back from an older day: compare what you hold, and go on from a position that is there.`,
		{ detail: { field } },
	)
}

const checkpointShape = named('Checkpoint', z.object({ number: z.int(), size: z.int(), root: z.base64(), note: z.string(), signedAt: time }))
const growthShape = named(
	'GrowthProof',
	z.object({ from: z.int(), to: z.int(), proof: z.array(z.base64()), old: z.string().optional(), checkpoint: z.string() }),
)
const streamShape = named(
	'Stream',
	z.object({
		stream: idOf('stream'),
		controller: idOf('controller'),
		bank: idOf('bank'),
		site: idOf('site'),
		seq: z.int().describe('everything up to it is recorded, once'),
		hash: z.string(),
		startedAt: time,
		receivedAt: time,
		gap: z.object({ from: z.int(), to: z.int(), since: time }).optional(),
		alarm: z.enum(['gap', 'equivocation']).optional(),
		alarmAt: time.optional(),
	}),
)
const exportShape = named(
	'LogExport',
	z.object({
		event: idOf('event').describe('the fact that it was exported'),
		size: z.int(),
		checkpoint: z.string(),
		key: z.string().describe('verifier key (C2SP signed-note); compare it with one that came another way'),
		path: z.string().describe('where the files of the log are, as tlog-tiles lays them out'),
	}),
)

const logFile = z.strictObject({ '*': z.string().max(200) })

function auditRoutes({ random, signerOf }: LedgerRoutes): Route[] {
	const fileOf = async (db: Db, tenant: Id<'tenant'>, path: string) => {
		const file = await readLogFile(db, tenant, path, () => signerOf(db, tenant))
		if (!file) throw new Fault('not-found', 'The log has no such file.')
		return raw(file.content, { 'content-type': file.type, 'cache-control': file.final ? 'private, max-age=31536000, immutable' : 'no-cache' })
	}
	return [
		route({
			method: 'GET',
			path: '/v1/audit/checkpoints',
			tag: 'Audit',
			summary: 'What was signed about the log, the newest first.',
			permission: 'audit.read',
			query: z.strictObject({ limit: listFields.limit, cursor: listFields.cursor }),
			answers: { 200: pageOf('Checkpoints', checkpointShape) },
			handle: ({ read, query, tenant }) =>
				read(async (db) =>
					page(
						await readCheckpoints(db, tenant, query.limit + 1, fromCursor(query.cursor, positionCursor)?.[0]),
						query.limit,
						({ root, signedAt, ...rest }) => ({ ...rest, root: toBase64(root), signedAt: toTime(signedAt) }),
						({ number }) => [number],
					),
				),
		}),
		route({
			method: 'GET',
			path: '/v1/audit/proofs',
			tag: 'Audit',
			summary: 'That one signed log grew out of an earlier one by appending alone.',
			permission: 'audit.read',
			query: z.strictObject({ from: position, to: position.optional().describe('without it: the newest checkpoint') }),
			answers: { 200: growthShape },
			handle: ({ read, query, tenant }) => read((db) => proveGrowth(db, tenant, query.from, query.to)),
		}),
		route({
			method: 'GET',
			path: '/v1/audit/streams',
			tag: 'Audit',
			summary: 'Streams of controllers: how far each is recorded, what is missing, and alarms.',
			permission: 'audit.read',
			query: z.strictObject({ limit: listFields.limit, cursor: listFields.cursor }),
			answers: { 200: pageOf('Streams', streamShape) },
			handle: ({ read, query, tenant }) =>
				read(async (db) =>
					page(
						await readStreams(db, tenant, query.limit + 1, fromCursor(query.cursor, z.tuple([z.number().int(), z.string().max(80)]))),
						query.limit,
						({ gap, alarm, alarmAt, startedAt, receivedAt, ...rest }) => ({
							...rest,
							startedAt: toTime(startedAt),
							receivedAt: toTime(receivedAt),
							...(gap && { gap: { ...gap, since: toTime(gap.since) } }),
							...(alarm && { alarm }),
							...(alarmAt !== null && { alarmAt: toTime(alarmAt) }),
						}),
						({ startedAt, stream }) => [startedAt, stream],
					),
				),
		}),
		route({
			method: 'GET',
			path: '/v1/audit/log/*',
			tag: 'Audit',
			summary:
				'What proves the log, as files: checkpoint, log.vkey, checkpoints/…, tile/… (C2SP tlog-tiles). It holds hashes and nothing of an event.',
			permission: 'audit.read',
			params: logFile,
			answers: { 200: z.string().describe('the bytes of the file') },
			// An encoded slash comes here, though the route of the entries was meant.
			handle: ({ read, params, tenant }) => read((db) => fileOf(db, tenant, params['*'].startsWith('tile/entries') ? '' : params['*'])),
		}),
		route({
			method: 'GET',
			path: '/v1/audit/log/tile/entries/*',
			tag: 'Audit',
			summary: 'The events themselves, 256 a file: an export. Record it with `POST /v1/audit/exports` first.',
			permission: 'audit.export',
			params: logFile,
			answers: { 200: z.string().describe('the bytes of the file') },
			handle: ({ read, params, tenant }) => read((db) => fileOf(db, tenant, `tile/entries/${params['*']}`)),
		}),
		route({
			method: 'POST',
			path: '/v1/audit/exports',
			tag: 'Audit',
			summary: 'Records that the log is exported up to the newest checkpoint, and says where its files are.',
			permission: 'audit.export',
			body: z.strictObject({}),
			answers: { 201: exportShape },
			handle: ({ write, caller, tenant, now }) =>
				write(async (tx) => {
					const checkpoint = await newestCheckpoint(tx, tenant)
					if (!checkpoint) throw new Fault('request-refused', 'No checkpoint was signed yet: it is within a minute of the first event.')
					const { size, root, note } = checkpoint
					const data = { size, root: toHex(root) }
					const [fact] = await append(tx, [{ type: 'audit.exported', subject: tenant, actor: caller.subject, data }], { now, random })
					if (!fact) throw new Fault('event-invalid', 'The export could not be recorded.')
					const key = verifierKeyOf(await signerOf(tx, tenant))
					return answer(201, { event: fact.id, size, checkpoint: note, key, path: '/v1/audit/log' })
				}),
		}),
	]
}
