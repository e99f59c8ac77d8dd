import { hash } from 'node:crypto'
import {
	existsSync,
	lstatSync,
	mkdirSync,
	mkdtempSync,
	readdirSync,
	readFileSync,
	renameSync,
	rmdirSync,
	rmSync,
	statSync,
	writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '@latchwork/core/base'

/** What a bundle is made of, by its path inside. */
export type Files = ReadonlyMap<string, Uint8Array>

export interface EdgeBundle {
	/** Paths inside the bundle, sorted, with their size in bytes. */
	readonly files: readonly { readonly path: string; readonly bytes: number }[]
	readonly bytes: number
	/** sha-256 (hex) of the file `SHA256SUMS`, which names all others: one number for the whole bundle. */
	readonly digest: string
}

/** It names every file of a bundle: what it does not name is not ours. */
const SUMS = 'SHA256SUMS'
const ASIDE = '.latchwork-bundle-'

/** Before anything is built: a folder that holds something, and no bundle. Throws `Fault` config-invalid. */
export function refuseForeign(out: string): void {
	if (!existsSync(out)) return
	if (!statSync(out).isDirectory()) throw new Fault('config-invalid', `${out} is a file. Name a folder with --out.`)
	const holds = readdirSync(out).filter((name) => !name.startsWith(ASIDE))
	if (holds.length > 0 && !holds.includes(SUMS)) throw new Fault('config-invalid', `${out} holds something else. Name an empty folder with --out.`)
}

/**
 * Puts the files into the folder: all of them are written aside first, then each takes its place by one rename, and what only an earlier
 * bundle had is removed. Whatever else lies there (an `edge.json`, a journal) stays. Throws `Fault` config-invalid where one of the new files
 * would take the place of somebody's.
 */
export function write(files: Files, out: string): EdgeBundle {
	const sorted = [...files].sort(([a], [b]) => (a < b ? -1 : 1))
	const sums = Buffer.from(sorted.map(([path, bytes]) => `${hash('sha256', bytes)}  ${path}\n`).join(''))
	const earlier = earlierFiles(out)
	refuseTaken(out, files, earlier)
	mkdirSync(out, { recursive: true })
	const aside = mkdtempSync(join(out, ASIDE))
	try {
		// The list goes first: a swap that is cut short leaves one that names what came, and the next bundle mends it.
		const all = [[SUMS, sums] as const, ...sorted]
		for (const [path, bytes] of all) {
			mkdirSync(dirname(join(aside, path)), { recursive: true })
			writeFileSync(join(aside, path), bytes)
		}
		for (const [path] of all) {
			mkdirSync(dirname(join(out, path)), { recursive: true })
			renameSync(join(aside, path), join(out, path))
		}
	} finally {
		rmSync(aside, { recursive: true, force: true })
	}
	for (const path of earlier) if (!files.has(path)) removeFile(out, path)
	const listed = sorted.map(([path, { length: bytes }]) => ({ path, bytes }))
	return { files: listed, bytes: listed.reduce((sum, { bytes }) => sum + bytes, 0), digest: hash('sha256', sums) }
}

/** A list that somebody wrote leads nowhere outside. */
function earlierFiles(out: string): ReadonlySet<string> {
	const list = join(out, SUMS)
	if (!existsSync(list)) return new Set()
	const paths = readFileSync(list, 'utf8')
		.split('\n')
		.flatMap((line) => /^[0-9a-f]{64} {2}(.+)$/.exec(line)?.[1] ?? [])
	return new Set(paths.filter((path) => !path.startsWith('/') && !path.split('/').includes('..')))
}

function refuseTaken(out: string, files: Files, earlier: ReadonlySet<string>): void {
	for (const path of files.keys()) {
		for (const part of wayTo(path)) {
			const found = lstatSync(join(out, part), { throwIfNoEntry: false })
			if (!found) break
			if (part === path ? earlier.has(path) && !found.isDirectory() : found.isDirectory()) continue
			throw new Fault(
				'config-invalid',
				`${join(out, part)} is not part of an earlier bundle, and the new one needs its place. Move it away, or name another folder with --out.`,
			)
		}
	}
}

/** `a`, `a/b`, `a/b/c`. */
const wayTo = (path: string): string[] => path.split('/').map((_, i, names) => names.slice(0, i + 1).join('/'))

function removeFile(out: string, path: string): void {
	rmSync(join(out, path), { force: true })
	for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) {
		const found = lstatSync(join(out, folder), { throwIfNoEntry: false })
		if (!found?.isDirectory() || readdirSync(join(out, folder)).length > 0) return
		rmdirSync(join(out, folder))
	}
}
