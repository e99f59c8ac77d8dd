import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Fault, type Random, toHex } from '@latchwork/core/base'
import { type MasterKey, SEAL_BYTES } from './sealing.ts'

/** Photos, logs, software: bytes too big for a row. What is in the database is their digest. */
export interface Blobs {
	/** SHA-256 of the content in hex. Durable when it resolves; kept once however often it is put. Throws `Fault` request-invalid when it is too big, database-full. */
	put(bytes: Uint8Array): Promise<string>
	/** Throws `Fault` not-found, sealed-unreadable. */
	get(digest: string): Promise<Uint8Array>
	has(digest: string): Promise<boolean>
	/** Gone for good; of one that is not there, nothing. */
	remove(digest: string): Promise<void>
}

export interface BlobsConfig {
	readonly directory: string
	/** Two owners of blobs have two directories and two keys: whoever may read one cannot learn whether the other has it. */
	readonly key: MasterKey
	readonly random: Random
	/** Bytes of one blob at most. */
	readonly limit: number
}

const DIGEST = /^[0-9a-f]{64}$/
const DRAFTS = 'drafts'
const STALE_MS = 3_600_000

/** Sealed files, `ab/abcdef…`. Removes what a killed process was writing an hour ago. */
export async function openBlobs({ directory, key, random, limit }: BlobsConfig): Promise<Blobs> {
	const drafts = join(directory, DRAFTS)
	await full(async () => {
		await mkdir(drafts, { recursive: true, mode: 0o700 })
		await sweep(drafts, random)
	})
	const pathOf = (digest: string): string => {
		if (!DIGEST.test(digest)) throw new Fault('not-found', 'A blob is named by 64 hex digits.')
		return join(directory, digest.slice(0, 2), digest)
	}
	const has = (digest: string) =>
		stat(pathOf(digest)).then(
			(found) => found.isFile(),
			() => false,
		)
	return {
		has,
		async put(bytes) {
			if (bytes.length > limit) throw new Fault('request-invalid', `The content has ${bytes.length} bytes; ${limit} are allowed.`)
			const digest = digestOf(bytes)
			const path = pathOf(digest)
			if (await has(digest)) return digest
			const draft = join(drafts, `${toHex(random(16))}.new`)
			try {
				await full(async () => {
					await writeFile(draft, key.seal(bytes, contextOf(digest)), { mode: 0o600, flush: true, flag: 'wx' })
					if (await made(dirname(path))) await sync(directory)
					await rename(draft, path)
					// The name is in the directory, and that is synced like any file.
					await sync(dirname(path))
				})
			} finally {
				await rm(draft, { force: true })
			}
			return digest
		},
		async get(digest) {
			const sealed = await read(pathOf(digest), limit + SEAL_BYTES)
			const bytes = key.open(sealed, contextOf(digest))
			if (digestOf(bytes) !== digest) throw new Fault('sealed-unreadable', `The blob ${digest} holds something else.`)
			return bytes
		},
		async remove(digest) {
			const path = pathOf(digest)
			if (!(await has(digest))) return
			await rm(path, { force: true })
			await sync(dirname(path))
		},
	}
}

/** Another process may be writing there now: only what is old by the file system's own clock was left by a dead one. */
async function sweep(drafts: string, random: Random): Promise<void> {
	const probe = join(drafts, toHex(random(16)))
	await writeFile(probe, '', { flag: 'wx' })
	const { mtimeMs: now } = await stat(probe)
	await rm(probe)
	for (const name of await readdir(drafts)) {
		const found = await stat(join(drafts, name)).catch(() => undefined)
		if (found && now - found.mtimeMs > STALE_MS) await rm(join(drafts, name), { force: true })
	}
}

const digestOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const contextOf = (digest: string): string => `blob ${digest}`

/** A file that grew behind our back is not read into memory. */
async function read(path: string, limit: number): Promise<Uint8Array> {
	let file: FileHandle | undefined
	try {
		file = await open(path)
		const { size } = await file.stat()
		if (size > limit) throw new Fault('sealed-unreadable', `${path} has ${size} bytes; no blob is that big.`)
		return await file.readFile()
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code === 'ENOENT') throw new Fault('not-found', 'There is no such blob.', { cause })
		throw cause
	} finally {
		await file?.close()
	}
}

async function made(folder: string): Promise<boolean> {
	return (await mkdir(folder, { recursive: true, mode: 0o700 })) !== undefined
}

async function sync(folder: string): Promise<void> {
	const handle = await open(folder)
	try {
		await handle.sync()
	} finally {
		await handle.close()
	}
}

async function full<T>(work: () => Promise<T>): Promise<T> {
	try {
		return await work()
	} catch (cause) {
		const { code = '', message } = cause as NodeJS.ErrnoException
		if (code === 'ENOSPC' || code === 'EDQUOT') throw new Fault('database-full', `There is no room left for files: ${message}`, { cause })
		throw cause
	}
}
