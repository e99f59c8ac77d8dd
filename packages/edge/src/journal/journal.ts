import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault, type Id, newId, type Random, type Sign } from '@latchwork/core/base'
import {
	type EventDraft,
	type MintContext,
	type Minted,
	mint,
	openStream,
	type StreamEvent,
	type StreamHead,
	signHead,
	streamStarted,
} from '@latchwork/core/ledger'
import { lockDirectory } from './lock.ts'
import { openMarkFile } from './mark.ts'
import { openReserve } from './reserve.ts'
import { SCHEMA, SCHEMA_VERSION } from './schema.sql.ts'

/** Names a present-state document; its owner folder decides what `kind` and `key` are. */
export interface Key {
	readonly kind: string
	readonly key: string
}

/** One durable transaction: what happened, and the state that it led to. */
export interface Entry {
	readonly events: readonly EventDraft[]
	readonly put?: readonly (Key & { readonly body: unknown })[]
	readonly drop?: readonly Key[]
	/** The `releasing` row of a door session; without it no pulse (R1). */
	readonly intent?: { readonly command: string; readonly session: string; readonly compartment: string; readonly fence: number }
	/** Returns, pick-ups and alarms may use the space held back; a loan or a deposit for someone else may not. */
	readonly essential?: boolean
}

export interface Journal {
	/** Where the stream stands; what the last commit left. */
	head(): StreamHead
	/**
	 * Writes all of it or nothing, synced to disk before it returns (WAL, synchronous=FULL, then the mark file).
	 * Throws `Fault` journal-full when the disk refuses, and then nothing of the entry exists.
	 */
	commit(entry: Entry): readonly Minted[]
	/** All documents of a kind, by key: the live image of what is on disk, changed by `commit` alone. Bodies are never mutated. */
	facts<T>(kind: string): ReadonlyMap<string, T>
	fact<T>(kind: string, key: string): T | undefined
	/** Events of the present stream after `seq`, oldest first. */
	events(afterSeq: number, limit: number): { seq: number; event: StreamEvent }[]
	/** The mark was ahead of the database at start: this range of the old stream is gone. */
	readonly lost: { readonly stream: string; readonly fromSeq: number; readonly toSeq: number } | undefined
	/** True for a directory that held no journal before. */
	readonly fresh: boolean
	/** `low`: over 95 % of the disk used or the reserve given up; loans and deposits wait. */
	storage(): 'good' | 'low'
	/** Looks at the disk again and takes the reserve back when there is room. */
	checkStorage(): void
	/** Signs where the stream stands, if it has moved since the last signature. */
	sealHead(): void
	close(): void
}

export interface JournalParts {
	readonly directory: string
	readonly controller: Id<'controller'>
	readonly random: Random
	readonly now: () => number
	/** What is known at the moment of minting (trusted time, bank, bundle, link). */
	readonly context: () => MintContext
	/** Signs chain heads with the device's key (trust.md §3.6): at least every 64 events, and when `sealHead` is called. */
	readonly sealer: { readonly sign: Sign; readonly keyId: string }
	/** Written with every entry: what must never be older than the latest event (trusted time). */
	readonly standing: () => readonly (Key & { readonly body: unknown })[]
}

const LOW = 0.95
const SEAL_EVERY = 64

export function openJournal(parts: JournalParts): Journal {
	mkdirSync(parts.directory, { recursive: true, mode: 0o700 })
	const lock = lockDirectory(parts.directory, 'edge')
	const db = openDatabase(join(parts.directory, 'edge.db'))
	const markFile = openMarkFile(join(parts.directory, 'edge.mark'))
	const reserve = openReserve(join(parts.directory, 'reserve.bin'))
	const sql = statements(db)
	const mark = markFile.read()
	let head = readHead(db)
	const fresh = head === undefined && mark === undefined
	let lost: Journal['lost']
	let marked = true
	let sealed = 0
	let storage: 'good' | 'low' = 'good'

	/** The commit stands whether or not the mark can be written; a mark that lags is safe, one that keeps failing is reported. */
	const leaveMark = (at: StreamHead) => {
		try {
			markFile.write(at)
			marked = true
		} catch {
			marked = false
		}
	}
	const image = new Map<string, Map<string, unknown>>()
	const imageOf = (kind: string) => {
		let found = image.get(kind)
		if (!found) {
			found = new Map(sql.facts.all(kind).map((row) => [String(row.key), JSON.parse(String(row.body)) as unknown]))
			image.set(kind, found)
		}
		return found
	}
	const seal = (at: StreamHead) => {
		const { sign, keyId } = parts.sealer
		sql.meta.run(`signed-head/${at.stream}`, JSON.stringify(signHead(at, parts.now(), keyId, sign)))
		sealed = at.seq
	}
	const write = (entry: Entry, from: StreamHead): { minted: Minted[]; head: StreamHead } => {
		const minted: Minted[] = []
		const put = [...(entry.put ?? []), ...parts.standing()]
		let at = from
		db.exec('BEGIN IMMEDIATE')
		try {
			for (const draft of entry.events) {
				const next = mint(at, draft, parts.context())
				sql.event.run(next.head.stream, next.head.seq, next.bytes, next.head.hash, draft.type)
				minted.push(next)
				at = next.head
			}
			for (const { kind, key, body } of put) sql.put.run(kind, key, JSON.stringify(body))
			for (const { kind, key } of entry.drop ?? []) sql.drop.run(kind, key)
			if (entry.intent) sql.intent.run(entry.intent.command, entry.intent.session, entry.intent.compartment, entry.intent.fence)
			sql.meta.run('head', JSON.stringify(at))
			if (at.seq - sealed >= SEAL_EVERY) seal(at)
			db.exec('COMMIT')
		} catch (cause) {
			if (db.isTransaction) db.exec('ROLLBACK')
			throw diskRefused(cause)
				? new Fault('journal-full', 'The disk cannot take another record, so no door is opened. Free some space.', { cause })
				: cause
		}
		for (const { kind, key, body } of put) image.get(kind)?.set(key, body)
		for (const { kind, key } of entry.drop ?? []) image.get(kind)?.delete(key)
		if (at.seq !== from.seq || at.stream !== from.stream) leaveMark(at)
		return { minted, head: at }
	}

	const begin = (after?: StreamHead) => {
		const started = openStream(newId('stream', parts.now(), parts.random))
		markFile.reset()
		const gap: EventDraft[] = lost
			? [{ type: 'stream.history-lost', subject: lost.stream, actor: 'edge', data: { from: lost.fromSeq, to: lost.toSeq } }]
			: []
		head = write(
			{ events: [streamStarted(parts.controller, after), ...gap], put: gap.length ? [{ kind: 'edge', key: 'history-lost', body: lost }] : [] },
			started,
		).head
	}

	if (mark && (head === undefined || head.stream !== mark.stream || head.seq < mark.seq || (head.seq === mark.seq && head.hash !== mark.hash))) {
		// The same stream, further on outside than inside: the WAL tail is gone. Another stream inside: its mark was never written (crash in `begin`).
		if (head === undefined || head.stream === mark.stream) {
			lost = { stream: mark.stream, fromSeq: (head?.seq ?? 0) + 1, toSeq: mark.seq }
			begin({ stream: mark.stream as Id<'stream'>, seq: mark.seq, hash: mark.hash })
		}
	} else if (head === undefined) begin()

	if (!reserve.held() || reserve.used() > LOW) storage = 'low'

	return {
		head: () => head as StreamHead,
		commit(entry) {
			const from = head as StreamHead
			try {
				const done = write(entry, from)
				head = done.head
				return done.minted
			} catch (fault) {
				if (!(fault instanceof Fault) || fault.code !== 'journal-full' || !entry.essential || !reserve.giveUp()) throw fault
				storage = 'low'
				const done = write(entry, from)
				head = done.head
				return done.minted
			}
		},
		facts: <T>(kind: string) => imageOf(kind) as ReadonlyMap<string, T>,
		fact: <T>(kind: string, key: string) => imageOf(kind).get(key) as T | undefined,
		events: (afterSeq, limit) =>
			sql.events.all((head as StreamHead).stream, afterSeq, limit).map((row) => ({
				seq: Number(row.seq),
				event: JSON.parse(new TextDecoder().decode(row.bytes as Uint8Array)) as StreamEvent,
			})),
		lost,
		fresh,
		storage: () => (marked ? storage : 'low'),
		checkStorage() {
			if (!reserve.held()) reserve.restore()
			storage = reserve.held() && reserve.used() <= LOW ? 'good' : 'low'
		},
		sealHead() {
			if ((head as StreamHead).seq === sealed) return
			try {
				seal(head as StreamHead)
			} catch (cause) {
				if (!diskRefused(cause)) throw cause // the next one will do
			}
		},
		close() {
			db.close()
			markFile.close()
			lock.close()
		},
	}
}

function openDatabase(path: string): DatabaseSync {
	const db = new DatabaseSync(path)
	db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=2000')
	const found = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
	if (found > SCHEMA_VERSION) {
		db.close()
		throw new Fault(
			'data-newer',
			`This data directory was written by a newer Latchwork (format ${found}, this one knows ${SCHEMA_VERSION}). Install that version, or start with another directory.`,
		)
	}
	db.exec(`${SCHEMA}; PRAGMA user_version=${SCHEMA_VERSION}`)
	return db
}

const statements = (db: DatabaseSync) => ({
	event: db.prepare('INSERT INTO event (stream, seq, bytes, hash, type) VALUES (?, ?, ?, ?, ?)'),
	put: db.prepare('INSERT INTO fact (kind, key, body) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body'),
	drop: db.prepare('DELETE FROM fact WHERE kind = ? AND key = ?'),
	intent: db.prepare('INSERT INTO intent (command, session, compartment, fence) VALUES (?, ?, ?, ?)'),
	meta: db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value'),
	facts: db.prepare('SELECT key, body FROM fact WHERE kind = ? ORDER BY key'),
	events: db.prepare('SELECT seq, bytes FROM event WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?'),
})

function readHead(db: DatabaseSync): StreamHead | undefined {
	const row = db.prepare("SELECT value FROM meta WHERE key = 'head'").get()
	return row ? (JSON.parse(String(row.value)) as StreamHead) : undefined
}

/** SQLITE_FULL 13, SQLITE_IOERR 10, SQLITE_READONLY 8, SQLITE_CANTOPEN 14 (extended codes keep these in the low byte); ENOSPC and friends from the mark file. */
function diskRefused(e: unknown): boolean {
	const { errcode, code } = e as { errcode?: number; code?: string }
	return (errcode !== undefined && [8, 10, 13, 14].includes(errcode & 0xff)) || ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT'].includes(code ?? '')
}
