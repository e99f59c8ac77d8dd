import type { Readable } from 'node:stream'
import type { Caller } from '@latchwork/core/access'
import type { Db } from '../store/index.ts'

/** What a handler answers when a plain body with the route's one success status is not enough. */
export class Answer {
	readonly status: number | undefined
	readonly body: unknown
	readonly headers: Readonly<Record<string, string>>
	constructor(status: number | undefined, body: unknown, headers: Readonly<Record<string, string>> = {}) {
		this.status = status
		this.body = body
		this.headers = headers
	}
}

/** A chosen status, or headers of its own. */
export const answer = (status: number, body?: unknown, headers?: Readonly<Record<string, string>>): Answer => new Answer(status, body, headers)

export class Raw {
	readonly content: Uint8Array | Readable
	constructor(content: Uint8Array | Readable) {
		this.content = content
	}
}

/** Bytes as they are: tiles, exports. The route says `produces`. A stream is read after the request's transaction has ended. */
export const raw = (content: Uint8Array | Readable, headers?: Readonly<Record<string, string>>): Answer =>
	new Answer(undefined, new Raw(content), headers)

export interface SseMessage {
	/** Comes back as `Last-Event-ID` when the connection breaks. */
	readonly id?: string
	readonly event?: string
	readonly data: string
}
/** Yields what is there and what comes, until the signal is aborted. It is asked for the next message only when the last one was taken. */
export type Feed = (signal: AbortSignal) => AsyncIterable<SseMessage>

/** Whether the feed is still the caller's, asked every few seconds beside the route's own permission. */
export type Still = (db: Db, caller: Caller) => Promise<boolean>

export class Sse {
	readonly feed: Feed
	readonly still: Still
	constructor(feed: Feed, still: Still) {
		this.feed = feed
		this.still = still
	}
}

/** Server-sent events. The feed runs outside the request's transaction and reads on its own; it ends with the session, the client or the server. */
export const sse = (feed: Feed, still: Still = async () => true): Answer => new Answer(200, new Sse(feed, still))
