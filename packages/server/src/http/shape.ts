import { ID_PREFIXES, type Id, type IdKind } from '@latchwork/core/base'
import { z } from 'zod'

/** Shapes that all resources share (docs/guides/api.md). A schema with a name becomes a component of the API's description. */
export const named = <S extends z.ZodType>(name: string, schema: S): S => schema.meta({ id: name })

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}'

/** `sit_…` */
export const idOf = <K extends IdKind>(kind: K): z.ZodType<Id<K>, Id<K>> =>
	z.string().regex(new RegExp(`^${ID_PREFIXES[kind]}_${UUID}$`), `must be an id like ${ID_PREFIXES[kind]}_…`) as unknown as z.ZodType<Id<K>, Id<K>>

/** A time in the API: RFC 3339, UTC. */
export const time = z.iso.datetime({ offset: true }).meta({ example: '2026-01-05T09:00:00.000Z' })
export const toTime = (ms: number): string => new Date(ms).toISOString()
export const fromTime = (text: string): number => Date.parse(text)

/** Text that people wrote, on one line: no control characters, nothing but white space is not text. */
export const line = (max: number) =>
	z
		.string()
		.trim()
		.min(1)
		.max(max)
		.regex(/^[^\p{Cc}\p{Zl}\p{Zp}]*$/u, 'must be one line without control characters')

export const labels = z
	.record(z.string().regex(/^[a-z0-9][a-z0-9._/-]{0,62}$/, 'must be lower case letters, digits, . _ / -'), z.string().max(200))
	.refine((all) => Object.keys(all).length <= 32, 'has at most 32 labels')
export const externalRefs = z.array(z.strictObject({ system: line(60), id: line(200) })).max(16)
/** The caller's own data, given back as it came. */
export const clientData = z
	.record(z.string().max(60), z.unknown())
	.refine((data) => JSON.stringify(data).length <= 4_096, 'is at most 4096 characters of JSON')

/** What a caller may say about every record, and what every record says about itself. */
export const noteFields = { labels: labels.optional(), externalRefs: externalRefs.optional(), clientData: clientData.optional() }
export const recordFields = { version: z.int(), createdAt: time, updatedAt: time, labels, externalRefs, clientData }

interface Recorded {
	readonly version: number
	readonly createdAt: number
	readonly updatedAt: number
	readonly labels: Readonly<Record<string, string>>
	readonly externalRefs: readonly { readonly system: string; readonly id: string }[]
	readonly clientData: Readonly<Record<string, unknown>>
}
/** The `recordFields` of a row. */
export const showRecord = ({ version, createdAt, updatedAt, labels, externalRefs, clientData }: Recorded) => ({
	version,
	createdAt: toTime(createdAt),
	updatedAt: toTime(updatedAt),
	labels: { ...labels },
	externalRefs: [...externalRefs],
	clientData: { ...clientData },
})

/** A whole number in an address: digits and nothing else, for `1e3`, `0x10` and nothing at all are numbers to JavaScript, too. */
export const whole = (min: number, max: number) =>
	z.preprocess((text) => (typeof text === 'string' && /^\d{1,16}$/.test(text) ? Number(text) : text), z.int().min(min).max(max))

/** Query of every list. */
export const listFields = {
	limit: whole(1, 200).default(50),
	cursor: z.string().max(500).optional(),
	updatedSince: time.optional(),
}
export const listQuery = z.strictObject(listFields)
/** Of a list whose records never change. */
export const pageQuery = z.strictObject({ limit: listFields.limit, cursor: listFields.cursor })
