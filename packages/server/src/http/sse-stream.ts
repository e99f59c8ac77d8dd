import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { type Clock, sleep } from '@latchwork/core/base'
import type { Feed, SseMessage } from './answer.ts'

export interface SseTerms {
	readonly feed: Feed
	readonly headers: Readonly<Record<string, string>>
	readonly signal: AbortSignal
	/** Asked with each beat; a session that ended takes its streams along. */
	readonly still: () => Promise<boolean>
	readonly clock: Clock
}

/**
 * Proxies cut a connection that is silent for a minute; a revoked session keeps its stream no longer than this. A beat is an event with a name and
 * nothing to say, and not a comment: a page hears no comments, and so could not tell a server that hangs from one where nothing happens.
 */
const BEAT_MS = 5_000

/** Sends a feed until the client, the session or the server ends. A client that does not read is waited for: the feed is not asked for more. */
export async function streamSse(raw: ServerResponse, { feed, headers, signal, still, clock }: SseTerms): Promise<void> {
	const end = new AbortController()
	const stop = () => end.abort()
	raw.on('close', stop)
	signal.addEventListener('abort', stop, { once: true })
	raw.writeHead(200, { ...headers, 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' })
	const send = async (text: string) => {
		if (!raw.write(text)) await once(raw, 'drain', { signal: end.signal })
	}
	const beats = async () => {
		for (;;) {
			await sleep(clock, BEAT_MS, end.signal)
			if (!(await still())) return stop()
			if (!raw.writableNeedDrain) raw.write('event: beat\ndata:\n\n')
		}
	}
	raw.write('retry: 2000\n\n')
	const beating = beats().catch(() => {})
	try {
		for await (const message of feed(end.signal)) {
			if (end.signal.aborted) break
			await send(textOf(message))
		}
	} catch (fault) {
		// Aborted on purpose; anything else ends the stream, and the client comes back with the last id that it saw.
		if (!end.signal.aborted) throw fault
	} finally {
		stop()
		signal.removeEventListener('abort', stop)
		raw.end()
		await beating
	}
}

const oneLine = (text: string) => text.replaceAll(/[\r\n]/g, ' ')
const textOf = ({ id, event, data }: SseMessage): string =>
	`${id === undefined ? '' : `id: ${oneLine(id)}\n`}${event === undefined ? '' : `event: ${oneLine(event)}\n`}${data
		.split(/\r\n|\r|\n/)
		.map((part) => `data: ${part}\n`)
		.join('')}\n`
