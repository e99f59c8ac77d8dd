import { createHash } from 'node:crypto'
import { Fault } from '@latchwork/core/base'
import { z } from 'zod'
import { checkText } from './json.ts'
import { named } from './shape.ts'

/** `{items, next?}`: `next` is the cursor of the following page. */
export const pageOf = <S extends z.ZodType>(name: string, item: S) =>
	named(name, z.object({ items: z.array(item), next: z.string().optional().describe('cursor of the next page; absent on the last one') }))

/** Rows were read with `limit + 1`: one too many says that there is another page. */
export function page<R, T>(rows: readonly R[], limit: number, item: (row: R) => T, cursor: (row: R) => readonly (string | number)[]) {
	const shown = rows.slice(0, limit)
	const last = shown.at(-1)
	return { items: shown.map(item), ...(rows.length > limit && last !== undefined && { next: toCursor(cursor(last)) }) }
}

/**
 * A page of a list that is short enough to be read whole. `key`: what it is ordered by, unique in it; a row that has gone meanwhile leaves no hole.
 */
export function pageWithin<R, T>(
	rows: readonly R[],
	{ limit, cursor }: { readonly limit: number; readonly cursor?: string | undefined },
	item: (row: R) => T,
	key: (row: R) => string,
) {
	const after = fromCursor(cursor, z.tuple([z.string().max(200)]))?.[0]
	const keyed = rows.map((row) => ({ row, key: key(row) })).sort((a, b) => (a.key < b.key ? -1 : 1))
	const left = after === undefined ? keyed : keyed.filter((one) => one.key > after)
	return page(
		left,
		limit,
		({ row }) => item(row),
		(one) => [one.key],
	)
}

/** Opaque to callers, and no secret: row-level security and the route's own filter hold whatever it says. */
const toCursor = (parts: readonly (string | number)[]): string => Buffer.from(JSON.stringify(parts)).toString('base64url')

export function fromCursor<T>(text: string | undefined, parts: z.ZodType<T>): T | undefined {
	if (text === undefined) return undefined
	try {
		const given: unknown = JSON.parse(Buffer.from(text, 'base64url').toString('utf8'))
		checkText(given, 'cursor')
		return parts.parse(given)
	} catch (cause) {
		throw badCursor('', cause)
	}
}

/** For rows ordered by (updated_at, id). */
export const updatedCursor = z.tuple([z.number().int(), z.string().max(80)])

/**
 * A cursor is good for the list that gave it: the same address with the same order. In another one it would name a row that is not there, and quietly
 * leave some out. The server marks what goes out and looks at what comes in, so that no route can forget it; handlers see neither.
 */
export const markOf = (path: string, params: unknown, query: unknown): string =>
	createHash('sha256')
		.update(JSON.stringify([path, params, (query as { order?: unknown } | undefined)?.order]))
		.digest('base64url')
		.slice(0, 8)

export const markCursor = (mark: string, cursor: string): string => `${mark}.${cursor}`

export function unmarkCursor(mark: string, cursor: string): string {
	if (!cursor.startsWith(`${mark}.`)) throw badCursor('It is of another list, or of another order.')
	return cursor.slice(mark.length + 1)
}

const badCursor = (more: string, cause?: unknown) =>
	new Fault('request-invalid', `cursor: use what the last page gave as \`next\`, unchanged. ${more}`.trimEnd(), {
		cause,
		detail: { field: 'cursor' },
	})
