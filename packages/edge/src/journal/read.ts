import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Fault, isFault } from '@latchwork/core/base'
import type { SignedHead, StreamEvent, StreamHead } from '@latchwork/core/ledger'
import { isLocked } from './lock.ts'
import { readMark } from './mark.ts'

/** One stream as it lies on disk, for those who check or export it. */
export interface StoredStream {
	readonly stream: string
	/** Event bytes in the order of their sequence; none at all when only other places still name the stream. */
	readonly lines: readonly Uint8Array[]
	/** The last head that the controller signed. */
	readonly head: SignedHead | undefined
	/** The high-water mark outside the database, if it is this stream's. */
	readonly mark: StreamHead | undefined
	/** How far the stream came, as every place outside its own events says: mark, journal head, the stream that follows it. Shortest first. */
	readonly ends: readonly StreamHead[]
}

/**
 * Reads the journal of a data directory: changes nothing in it, needs no right to, and disturbs no controller that runs on it.
 * Throws `Fault` not-found, and journal-damaged where the file is no whole database any more: what it says then proves nothing.
 */
export function readJournal(directory: string): StoredStream[] {
	const mark = readMark(join(directory, 'edge.mark'))
	if (!existsSync(join(directory, 'edge.db'))) {
		if (mark) return [{ stream: mark.stream, lines: [], head: undefined, mark, ends: [mark] }]
		throw new Fault('not-found', `There is no journal in ${directory}. Name the data directory of a controller.`)
	}
	return reading(directory, (db) => streamsOf(db, mark))
}

/** What a controller keeps of one kind and key; undefined where there is no journal. Throws `Fault` journal-damaged. */
export function readFact<T>(directory: string, kind: string, key: string): T | undefined {
	if (!existsSync(join(directory, 'edge.db'))) return undefined
	return reading(directory, (db) => {
		const row = db.prepare('SELECT body FROM fact WHERE kind = ? AND key = ?').get(kind, key)
		return row && (JSON.parse(String(row.body)) as T)
	})
}

/** A controller that starts keeps the database to itself while it recovers. */
const BUSY_MS = 10_000
const SQLITE_BUSY = 5

function reading<T>(directory: string, read: (db: DatabaseSync) => T): T {
	let copy: string | undefined
	let db: DatabaseSync | undefined
	try {
		// SQLite writes beside a database even to read it, so evidence is read from a copy.
		if (!isLocked(directory, 'edge')) {
			copy = mkdtempSync(join(tmpdir(), 'latchwork-read-'))
			for (const name of ['edge.db', 'edge.db-wal']) if (existsSync(join(directory, name))) copyFileSync(join(directory, name), join(copy, name))
		}
		// A controller that came meanwhile may have torn the copy.
		const from = copy === undefined || isLocked(directory, 'edge') ? directory : copy
		db = new DatabaseSync(join(from, 'edge.db'), { readOnly: true, timeout: BUSY_MS })
		// One moment for all that is read, also while a controller writes.
		db.exec('BEGIN')
		return read(db)
	} catch (cause) {
		throw damaged(cause, directory)
	} finally {
		db?.close()
		if (copy) rmSync(copy, { recursive: true, force: true })
	}
}

/** What the system refuses (a right, a file) keeps its own name; all else that keeps the file from being read is its damage. */
function damaged(cause: unknown, directory: string): unknown {
	if (isFault(cause) || (cause as { syscall?: string }).syscall !== undefined) return cause
	if (((cause as { errcode?: number }).errcode ?? 0) % 256 === SQLITE_BUSY)
		return new Fault('data-in-use', `Another program keeps the journal in ${directory} to itself. Try again in a moment.`, { cause })
	return new Fault(
		'journal-damaged',
		`The journal in ${directory} is damaged and proves nothing: ${(cause as Error).message}. Keep the directory as it is for those who look into it.`,
		{ cause },
	)
}

function streamsOf(db: DatabaseSync, mark: StreamHead | undefined): StoredStream[] {
	const [check] = db.prepare('PRAGMA integrity_check(1)').all()
	if (check?.integrity_check !== 'ok') throw new Error(String(check?.integrity_check))
	const rows = rowsOf(db)
	const { heads, last } = headsOf(db)
	const ends = [...(mark ? [mark] : []), ...(last ? [last] : []), ...[...rows.values()].flatMap((lines) => followed(lines[0]) ?? [])]
	// Whoever takes all events of a stream away has taken its rows, not the places that name it.
	const named = new Set([...rows.keys(), ...heads.keys(), ...ends.map((end) => end.stream)])
	const oldestFirst = [...[...named].filter((stream) => !rows.has(stream)), ...rows.keys()]
	return oldestFirst.map((stream) => ({
		stream,
		lines: rows.get(stream) ?? [],
		head: heads.get(stream),
		mark: mark?.stream === stream ? mark : undefined,
		ends: ends.filter((end) => end.stream === stream).sort((a, b) => a.seq - b.seq),
	}))
}

/** From the table alone: an index that was tampered with must not hide a row. */
function rowsOf(db: DatabaseSync): Map<string, Uint8Array[]> {
	const found = new Map<string, { seq: number; bytes: Uint8Array }[]>()
	for (const row of db.prepare('SELECT stream, seq, bytes FROM event NOT INDEXED ORDER BY rowid').all()) {
		const lines = found.get(String(row.stream)) ?? []
		lines.push({ seq: Number(row.seq), bytes: row.bytes instanceof Uint8Array ? row.bytes : new Uint8Array() })
		found.set(String(row.stream), lines)
	}
	return new Map([...found].map(([stream, lines]) => [stream, lines.sort((a, b) => a.seq - b.seq).map(({ bytes }) => bytes)]))
}

function headsOf(db: DatabaseSync): { heads: Map<string, SignedHead>; last: StreamHead | undefined } {
	const heads = new Map<string, SignedHead>()
	let last: StreamHead | undefined
	for (const { key, value } of db.prepare('SELECT key, value FROM meta NOT INDEXED').all()) {
		if (key === 'head') {
			last = headIn(JSON.parse(String(value)))
			if (!last) throw new Error('its head is none')
		} else if (String(key).startsWith(SIGNED)) heads.set(String(key).slice(SIGNED.length), JSON.parse(String(value)) as SignedHead)
	}
	return { heads, last }
}

const SIGNED = 'signed-head/'

/** The stream before this one and how far it had come, by the first event of a stream that began because history was lost. */
function followed(first: Uint8Array | undefined): StreamHead | undefined {
	try {
		const { type, data } = JSON.parse(new TextDecoder().decode(first)) as StreamEvent
		return type === 'stream.started' ? headIn(data.after) : undefined
	} catch {
		return undefined // no event any more; the check of its own stream says so
	}
}

function headIn(value: unknown): StreamHead | undefined {
	const { stream, seq, hash } = (value ?? {}) as Partial<StreamHead>
	return typeof stream === 'string' && Number.isSafeInteger(seq) && typeof hash === 'string' ? (value as StreamHead) : undefined
}
