import { randomBytes } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { Fault, ID_PREFIXES, type Id, type IdKind, isId, newId } from '@latchwork/core/base'
import { bankLayout } from '@latchwork/core/wire'
import { systemClock } from '@latchwork/edge/clock-file'
import { writeJson } from '@latchwork/edge/durable'
import { z } from 'zod'
import { drawBadges } from './seed.ts'

/**
 * What `latchwork dev` keeps of the estate that it made through the API: the administrator's password and token, badge numbers and PINs of the
 * demo people. It is drawn and written before anything is made with it, so a start that was cut short goes on where it was.
 */
const idOf = <K extends IdKind>(kind: K) => z.custom<Id<K>>((v) => isId(kind, v), `must be an id like ${ID_PREFIXES[kind]}_…`)
const seeded = z.object({
	sites: z.array(
		z.object({
			id: idOf('site'),
			name: z.string(),
			bank: idOf('bank'),
			bankName: z.string(),
			controller: idOf('controller'),
			layout: bankLayout,
			compartments: z.array(z.object({ id: idOf('compartment'), number: z.int(), board: z.int(), channel: z.int() })),
		}),
	),
	people: z.array(z.object({ id: idOf('subject'), name: z.string(), group: z.string(), badge: z.string(), pin: z.string() })),
	assets: z.array(z.object({ id: idOf('asset'), tag: z.string(), name: z.string(), door: z.int() })),
	parcels: z.array(z.object({ case: idOf('case'), order: z.string(), tag: z.string(), code: z.string(), picture: z.string() })),
})
const FORMAT = 1
const estateFile = z.object({
	format: z.literal(FORMAT),
	demo: z.boolean(),
	admin: z.object({ email: z.string(), password: z.string() }),
	/** Keys of the requests that make the estate. */
	key: z.string(),
	badges: z.array(z.string()),
	readers: z.array(z.object({ id: idOf('reader'), key: z.string() })),
	token: z.string().optional(),
	seeded: seeded.optional(),
	/** The parcel that waits has been put in. */
	waiting: z.boolean().default(false),
})
export type EstateFile = z.infer<typeof estateFile>

const BANKS = 2
const ADMIN = 'admin@fernholt.example'

/** Reads it, or draws it and writes it. Throws `Fault` data-newer, config-invalid. */
export function estateOf(file: string, demo: boolean): EstateFile {
	if (existsSync(file)) return readEstate(file)
	const now = Math.floor(systemClock.now())
	const made: EstateFile = {
		format: FORMAT,
		demo,
		admin: { email: ADMIN, password: randomBytes(12).toString('base64url') },
		key: randomBytes(12).toString('hex'),
		badges: drawBadges(),
		readers: Array.from({ length: BANKS }, () => ({ id: newId('reader', now, randomBytes), key: randomBytes(16).toString('hex') })),
		waiting: false,
	}
	writeJson(file, made)
	return made
}

export function readEstate(file: string): EstateFile {
	let raw: { readonly format?: unknown }
	try {
		raw = JSON.parse(readFileSync(file, 'utf8')) as { format?: unknown }
	} catch (cause) {
		throw damaged(file, 'it is not whole', cause)
	}
	if (typeof raw.format === 'number' && raw.format > FORMAT)
		throw new Fault(
			'data-newer',
			`This data directory was written by a newer Latchwork (estate.json has format ${raw.format}, this one knows ${FORMAT}). Install that version, or start with another directory.`,
		)
	const read = estateFile.safeParse(raw)
	if (read.success) return read.data
	const [first] = read.error.issues
	throw damaged(file, `${first?.path.join('.') || 'the file'}: ${first?.message}`, read.error)
}

const damaged = (file: string, why: string, cause: unknown) =>
	new Fault('config-invalid', `${file} is damaged (${why}). Put it back from a copy, or begin anew with --fresh.`, { cause })
