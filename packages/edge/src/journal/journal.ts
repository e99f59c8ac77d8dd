import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault, type Id, isFault, newId, type Random, type Sign } from '@latchwork/core/base'
import {
	type EventDraft,
	type MintContext,
	type Minted,
	mint,
	openStream,
	type SignedHead,
	type StreamEvent,
	type StreamHead,
	signHead,
	streamStarted,
} from '@latchwork/core/ledger'
import { lockDirectory } from './lock.ts'
import { type MarkFile, openMarkFile } from './mark.ts'
import { openReserve, type Reserve } from './reserve.ts'
import { newerThanThis, SCHEMA, SCHEMA_VERSION } from './schema.sql.ts'

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
	 * Throws `Fault` journal-full when the disk refuses or another program holds the file, and then nothing of the entry exists;
	 * journal-damaged when the store is broken (`JournalParts.broken`).
	 */
	commit(entry: Entry): readonly Minted[]
	/**
	 * A fact that no act waits for (a reader is lost, the clock was set): recorded now, or in its turn as soon as the disk takes it.
	 * Never throws; it is forgotten only if the process ends before there is room again.
	 */
	note(...events: readonly EventDraft[]): void
	/** All documents of a kind, by key: the live image of what is on disk, changed by `commit` alone. Bodies are never mutated. */
	facts<T>(kind: string): ReadonlyMap<string, T>
	fact<T>(kind: string, key: string): T | undefined
	/** Events of the present stream after `seq`, oldest first. */
	events(afterSeq: number, limit: number): { seq: number; event: StreamEvent }[]
	/** Streams on this disk that hold events, and the last sequence of each; oldest first, by the time in their ids. */
	streams(): { readonly stream: Id<'stream'>; readonly last: number }[]
	/** Events of a stream after `afterSeq` as minted, oldest first. */
	minted(stream: string, afterSeq: number, limit: number): { readonly seq: number; readonly bytes: Uint8Array }[]
	/** The last head of a stream that was signed. */
	signedHead(stream: string): SignedHead | undefined
	/** Calls `run` after each commit that left events, when they are durable; it must not throw. The answer ends it. */
	grown(run: () => void): () => void
	/** What the mark says was recorded and the database does not hold any more, until a person has confirmed it (trust.md §3.6). */
	lost(): LostRange | undefined
	/** True for a directory that held no journal before. */
	readonly fresh: boolean
	/** `low`: little of the disk is left, the reserve is given up, or the mark cannot be written; loans wait, returns go on. */
	storage(): 'good' | 'low'
	/** Looks at the disk again, takes the reserve back when there is room, and records what waited. */
	checkStorage(): void
	/** Signs where the stream stands, if it has moved since the last signature. */
	sealHead(): void
	close(): void
}

/** Events of an old stream that are gone. */
export interface LostRange {
	readonly stream: string
	readonly fromSeq: number
	readonly toSeq: number
}

/** Names the loss while a person has not confirmed it. */
export const HISTORY_LOST = { kind: 'edge', key: 'history-lost' } as const

export interface JournalParts {
	readonly directory: string
	readonly controller: Id<'controller'>
	readonly random: Random
	readonly now: () => number
	/** What is known at the moment of minting (trusted time, bank, bundle, link). */
	readonly context: () => MintContext
	/** Signs chain heads with the device's key (trust.md §3.6): at least every 64 events, and when `sealHead` is called. */
	readonly sealer: { readonly sign: Sign; readonly keyId: string }
	/** Hands over what an earlier run kept, before anything new is written. */
	readonly opened?: (fact: Journal['fact']) => void
	/** Written with every entry: what must never be older than the latest event (trusted time). */
	readonly standing: () => readonly (Key & { readonly body: unknown })[]
	/**
	 * The store itself is broken (damage, no memory): called before the fault is thrown. Nothing can be recorded any more, so nobody may
	 * go on as if it could; a new start finds out what is left.
	 */
	readonly broken?: (fault: Fault) => void
	/** Sees the database before anything is read: tests bound its size here, so that every write meets a full disk once. */
	readonly tune?: (db: DatabaseSync) => void
}

const SEAL_EVERY = 64
/** So long a commit waits for another program that holds the file; the whole controller waits with it. */
const BUSY_MS = 500
/** Facts kept in memory while the disk refuses them; a bus that flaps for hours must not fill the memory too. */
const NOTES_KEPT = 2_000

/**
 * Throws `Fault` data-in-use, data-newer, journal-full (no room even to open), journal-damaged (not a database any more),
 * config-invalid (the directory cannot be used).
 */
export function openJournal(parts: JournalParts): Journal {
	const files = openFiles(parts.directory, parts.tune)
	try {
		return journalOn(files, parts)
	} catch (cause) {
		files.close()
		throw asFault(cause, parts.directory)
	}
}

function journalOn({ db, marks, reserve, close }: Files, parts: JournalParts): Journal {
	const sql = statements(db)
	const image = new Map<string, Map<string, unknown>>()
	const notes: EventDraft[] = []
	const followers = new Set<() => void>()
	const mark = marks.read()
	const found = readHead(db)
	const gap = mark && lostRange(db, found, mark)
	let head: StreamHead
	let marked = true
	let sealed = 0
	let storage: 'good' | 'low' = reserve.held() && reserve.roomy() ? 'good' : 'low'
	let writing = false
	let givenUp = false

	const imageOf = (kind: string) => {
		let known = image.get(kind)
		if (!known) {
			known = new Map(sql.facts.all(kind).map((row) => [String(row.key), JSON.parse(String(row.body)) as unknown]))
			image.set(kind, known)
		}
		return known
	}
	/** The commit stands whether or not the mark can be written; a mark that lags is safe, one that keeps failing is reported. */
	const leaveMark = (at: StreamHead) => {
		try {
			marks.write(at)
			marked = true
		} catch {
			marked = false
		}
	}
	const seal = (at: StreamHead) => {
		const { sign, keyId } = parts.sealer
		sql.meta.run(`signed-head/${at.stream}`, JSON.stringify(signHead(at, parts.now(), keyId, sign)))
	}
	const broken = (cause: unknown): unknown => {
		if (codesOf(cause).sqlite === 0) return cause
		const fault = new Fault('journal-damaged', `The journal in ${parts.directory} cannot be written: ${(cause as Error).message}.`, { cause })
		parts.broken?.(fault)
		return fault
	}
	const transaction = (entry: Entry, put: NonNullable<Entry['put']>, from: StreamHead): Minted[] => {
		const minted: Minted[] = []
		let at = from
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
		return minted
	}
	const write = (entry: Entry, from: StreamHead): Minted[] => {
		let put: NonNullable<Entry['put']>
		let minted: Minted[]
		writing = true
		try {
			put = [...(entry.put ?? []), ...parts.standing()]
			db.exec('BEGIN IMMEDIATE')
			minted = transaction(entry, put, from)
			db.exec('COMMIT')
		} catch (cause) {
			if (db.isTransaction) db.exec('ROLLBACK')
			throw refusalOf(cause) ?? broken(cause)
		} finally {
			writing = false
		}
		for (const { kind, key, body } of put) image.get(kind)?.set(key, body)
		for (const { kind, key } of entry.drop ?? []) image.get(kind)?.delete(key)
		const at = minted.at(-1)?.head ?? from
		if (at.seq - sealed >= SEAL_EVERY) sealed = at.seq
		if (at !== from) leaveMark(at)
		head = at
		if (minted.length > 0) for (const run of followers) run()
		return minted
	}
	/** What is essential may use the space held back, also after it was given up; nothing else may. */
	const record = (entry: Entry, from = head): Minted[] => {
		if (givenUp && !entry.essential)
			throw new Fault('journal-full', 'The disk is full; what is left is kept for returns and alarms. Free some space.')
		try {
			return write(entry, from)
		} catch (fault) {
			const full = isFault(fault, 'journal-full') && diskRefused(fault.cause)
			if (!full || !entry.essential || !reserve.giveUp()) throw fault
			givenUp = true
			setStorage('low')
			return write(entry, from)
		}
	}
	const setStorage = (next: typeof storage) => {
		if (storage !== next) notes.push({ type: `controller.storage-${next}`, subject: parts.controller, actor: 'edge', data: {} })
		storage = next
	}
	const flush = () => {
		if (writing || notes.length === 0) return
		const due = notes.splice(0)
		try {
			record({ events: due, essential: true })
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
			notes.unshift(...due.slice(0, NOTES_KEPT))
		}
	}

	const begin = (gone?: { range: LostRange; after: StreamHead }) => {
		const after = gone && { from: gone.range.fromSeq, to: gone.range.toSeq }
		const subject = gone?.range.stream ?? ''
		// A controller that starts on a full disk has returns to take all the same.
		record(
			{
				events: [
					streamStarted(parts.controller, gone?.after),
					...(after ? [{ type: 'stream.history-lost', subject, actor: 'edge', data: after } satisfies EventDraft] : []),
					...(after ? [{ type: 'task.created', subject, actor: 'edge', data: { kind: 'check-history' } } satisfies EventDraft] : []),
				],
				put: gone ? [{ ...HISTORY_LOST, body: gone.range }] : [],
				essential: true,
			},
			openStream(newId('stream', parts.now(), parts.random)),
		)
	}

	const fact = <T>(kind: string, key: string) => imageOf(kind).get(key) as T | undefined

	head = found ?? openStream('str_none')
	parts.opened?.(fact)
	if (mark && gap) begin({ range: gap, after: mark })
	else if (!found) begin()
	else if (mark?.stream !== found.stream || mark.seq !== found.seq) leaveMark(found) // the crash fell between commit and mark

	return {
		head: () => head,
		commit(entry) {
			flush()
			const minted = record(entry)
			flush()
			return minted
		},
		note(...events) {
			notes.push(...events)
			flush()
		},
		facts: <T>(kind: string) => imageOf(kind) as ReadonlyMap<string, T>,
		fact,
		events: (afterSeq, limit) =>
			sql.events.all(head.stream, afterSeq, limit).map((row) => ({
				seq: Number(row.seq),
				event: JSON.parse(new TextDecoder().decode(row.bytes as Uint8Array)) as StreamEvent,
			})),
		streams: () => [...streamsIn(db)].map((stream) => ({ stream, last: Number(sql.last.get(stream)?.seq) })),
		minted: (stream, afterSeq, limit) =>
			sql.events.all(stream, afterSeq, limit).map((row) => ({ seq: Number(row.seq), bytes: row.bytes as Uint8Array })),
		signedHead(stream) {
			const row = sql.value.get(`signed-head/${stream}`)
			return row && (JSON.parse(String(row.value)) as SignedHead)
		},
		grown(run) {
			followers.add(run)
			return () => void followers.delete(run)
		},
		lost: () => fact(HISTORY_LOST.kind, HISTORY_LOST.key),
		fresh: found === undefined && mark === undefined,
		storage: () => (marked ? storage : 'low'),
		checkStorage() {
			if (!reserve.held()) reserve.restore()
			if (reserve.held()) givenUp = false
			setStorage(reserve.held() && reserve.roomy() ? 'good' : 'low')
			if (!marked) leaveMark(head)
			flush()
		},
		sealHead() {
			if (head.seq === sealed) return
			try {
				seal(head)
				sealed = head.seq
			} catch (cause) {
				if (!refusalOf(cause)) throw broken(cause) // the next one will do
			}
		},
		close,
	}
}

/** What the mark proves to have been there and the database does not hold. */
function lostRange(db: DatabaseSync, head: StreamHead | undefined, mark: StreamHead): LostRange | undefined {
	const { stream, seq } = mark
	if (head && head.stream !== stream) {
		// A crash between the first commit of a new stream and its mark leaves the old mark, which that stream names.
		const first = db.prepare('SELECT bytes FROM event WHERE stream = ? AND seq = 1').get(head.stream)
		const after = first && (JSON.parse(new TextDecoder().decode(first.bytes as Uint8Array)) as StreamEvent).data.after
		if ((after as { stream?: string } | undefined)?.stream === stream) return undefined
	}
	const last = db.prepare('SELECT max(seq) AS seq FROM event WHERE stream = ?').get(stream)
	const kept = head?.stream === stream ? head.seq : Number(last?.seq ?? 0)
	if (kept < seq) return { stream, fromSeq: kept + 1, toSeq: seq }
	const marked = db.prepare('SELECT hash FROM event WHERE stream = ? AND seq = ?').get(stream, seq)
	return marked && marked.hash !== mark.hash ? { stream, fromSeq: seq, toSeq: seq } : undefined
}

interface Files {
	readonly db: DatabaseSync
	readonly marks: MarkFile
	readonly reserve: Reserve
	close(): void
}

function openFiles(directory: string, tune: JournalParts['tune']): Files {
	const opened: { close(): void }[] = []
	const keep = <T extends { close(): void }>(file: T): T => {
		opened.unshift(file)
		return file
	}
	const close = () => {
		for (const file of opened.splice(0)) file.close()
	}
	try {
		mkdirSync(directory, { recursive: true, mode: 0o700 })
		keep(lockDirectory(directory, 'edge'))
		const reserve = openReserve(join(directory, 'reserve.bin'))
		const open = () => ({ db: keep(openDatabase(join(directory, 'edge.db'), tune)), marks: keep(openMarkFile(join(directory, 'edge.mark'))) })
		try {
			return { ...open(), reserve, close }
		} catch (cause) {
			// A controller that starts on a full disk has returns to take all the same.
			if (!diskRefused(cause) || !reserve.giveUp()) throw cause
			return { ...open(), reserve, close }
		}
	} catch (cause) {
		close()
		throw asFault(cause, directory)
	}
}

function openDatabase(path: string, tune: (db: DatabaseSync) => void = () => {}): DatabaseSync {
	const db = new DatabaseSync(path)
	try {
		tune(db)
		db.exec(`PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA busy_timeout=${BUSY_MS}`)
		const found = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0)
		if (found > SCHEMA_VERSION) throw newerThanThis(found)
		if (found < SCHEMA_VERSION) db.exec(`BEGIN; ${SCHEMA}; PRAGMA user_version=${SCHEMA_VERSION}; COMMIT`)
		return db
	} catch (cause) {
		db.close()
		throw cause
	}
}

const statements = (db: DatabaseSync) => ({
	event: db.prepare('INSERT INTO event (stream, seq, bytes, hash, type) VALUES (?, ?, ?, ?, ?)'),
	put: db.prepare('INSERT INTO fact (kind, key, body) VALUES (?, ?, ?) ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body'),
	drop: db.prepare('DELETE FROM fact WHERE kind = ? AND key = ?'),
	intent: db.prepare('INSERT INTO intent (command, session, compartment, fence) VALUES (?, ?, ?, ?)'),
	meta: db.prepare('INSERT INTO meta (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value'),
	facts: db.prepare('SELECT key, body FROM fact WHERE kind = ? ORDER BY key'),
	value: db.prepare('SELECT value FROM meta WHERE key = ?'),
	last: db.prepare('SELECT max(seq) AS seq FROM event WHERE stream = ?'),
	events: db.prepare('SELECT seq, bytes FROM event WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?'),
})

/** From one to the next by the index, so that a million events cost nothing; ids of streams begin with the time of their birth. */
function* streamsIn(db: DatabaseSync): Generator<Id<'stream'>> {
	const next = db.prepare('SELECT min(stream) AS stream FROM event WHERE stream > ?')
	for (let stream = next.get('')?.stream; typeof stream === 'string'; stream = next.get(stream)?.stream) yield stream as Id<'stream'>
}

function readHead(db: DatabaseSync): StreamHead | undefined {
	const row = db.prepare("SELECT value FROM meta WHERE key = 'head'").get()
	return row ? (JSON.parse(String(row.value)) as StreamHead) : undefined
}

/** The system's or SQLite's own code: extended SQLite codes keep the primary one in the low byte. */
const codesOf = (e: unknown): { sqlite: number; system: string } => {
	const { errcode = 0, code = '' } = e as { errcode?: number; code?: string }
	return { sqlite: errcode & 0xff, system: code }
}

/** SQLITE_FULL 13, SQLITE_IOERR 10, SQLITE_READONLY 8, SQLITE_CANTOPEN 14; ENOSPC and friends from the mark file. */
function diskRefused(e: unknown): boolean {
	const { sqlite, system } = codesOf(e)
	return [8, 10, 13, 14].includes(sqlite) || ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT'].includes(system)
}

/** A refusal that may be over at the next try: nothing was written. SQLITE_BUSY 5, SQLITE_LOCKED 6: another program holds the file. */
function refusalOf(cause: unknown): Fault | undefined {
	if (diskRefused(cause)) return new Fault('journal-full', 'The disk cannot take another record, so no door is opened. Free some space.', { cause })
	if (![5, 6].includes(codesOf(cause).sqlite)) return undefined
	return new Fault('journal-full', 'Another program holds the journal, so no door is opened. End that program.', { cause })
}

/** What went wrong at the start, in words for the person who started it. SQLITE_CORRUPT 11, SQLITE_NOTADB 26. */
function asFault(cause: unknown, directory: string): unknown {
	const { sqlite, system } = codesOf(cause)
	if (cause instanceof Fault) return cause
	if (sqlite === 11 || sqlite === 26)
		return new Fault(
			'journal-damaged',
			`The journal in ${directory} is damaged. Keep the directory for those who look into it, and start with another one.`,
			{ cause },
		)
	if (['EACCES', 'EPERM', 'ENOTDIR', 'EEXIST', 'EROFS'].includes(system) || sqlite === 8 || sqlite === 14)
		return new Fault('config-invalid', `${directory} cannot be written: choose a directory that this user owns with LATCHWORK_DATA.`, { cause })
	if (diskRefused(cause)) return new Fault('journal-full', `The disk of ${directory} is full, so no record can be kept. Free some space.`, { cause })
	return cause
}
