import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
import { query } from './api.ts'
import { bareType } from './words/events.ts'

/** What comes over the feed: that something happened, and to what. */
export interface LiveHead {
	readonly type: string
	readonly subject: string
	readonly sequence: string
	readonly bankid?: string
}
export type LiveState = 'live' | 'waiting' | 'off'

/** Pictures follow within this time; what happens in between is fetched once. */
const BANK_MS = 400
const REST_MS = 1_500

/** Beats come every 5 s; with the third missed one the server hangs, or the network swallows what it says. */
const SILENT_MS = 14_000
/** A feed that was refused is asked for anew, from now on. */
const AGAIN_MS = 10_000

/** The outer world of the feed, an argument so that tests own it. */
export interface Outside {
	/** Opens a feed; the returned function closes it. `down`: it broke, and `again` says whether the browser comes back by itself. */
	listen(path: string, on: { up(): void; down(again: boolean): void; message(data: string): void; beat(): void }): () => void
	after(ms: number, run: () => void): () => void
}

const browser: Outside = {
	listen(path, on) {
		const source = new EventSource(path)
		source.onopen = () => on.up()
		source.onerror = () => on.down(source.readyState !== EventSource.CLOSED)
		source.onmessage = ({ data }: MessageEvent<string>) => on.message(data)
		source.addEventListener('beat', () => on.beat())
		return () => source.close()
	},
	after(ms, run) {
		const timer = setTimeout(run, ms)
		return () => clearTimeout(timer)
	},
}

/**
 * One feed a page. An event carries no data: whatever it is about is asked for anew, at most so often. The browser connects again by itself
 * and goes on behind the last event that it had; of a server that keeps the connection and says nothing only the missing beats tell, and a new
 * feed takes the place of the old one.
 */
export class Live {
	#close: (() => void) | undefined
	#cancelWatch: (() => void) | undefined
	#last: string | undefined
	#state: LiveState = 'off'
	readonly #heard = new Set<(head: LiveHead) => void>()
	readonly #changed = new Set<() => void>()
	readonly #waiting = new Map<string, () => void>()
	readonly #client: Pick<QueryClient, 'invalidateQueries'>
	readonly #outside: Outside

	constructor(client: Pick<QueryClient, 'invalidateQueries'>, outside = browser) {
		this.#client = client
		this.#outside = outside
	}

	open(): void {
		if (!this.#close) this.#listen()
	}

	#listen(): void {
		this.#close = this.#outside.listen(`/v1/events/stream${query({ after: this.#last })}`, {
			up: () => {
				// What happened while nobody listened is not told again when this is a new feed.
				if (this.#state === 'waiting') void this.#client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' })
				this.#alive()
			},
			down: (again) => {
				this.#cancelWatch?.()
				this.#become('waiting')
				if (!again) this.#refused()
			},
			message: (data) => {
				this.#alive()
				this.#hear(JSON.parse(data) as LiveHead)
			},
			beat: () => this.#alive(),
		})
		this.#watch()
	}

	#alive(): void {
		this.#become('live')
		this.#watch()
	}

	#watch(): void {
		this.#cancelWatch?.()
		this.#cancelWatch = this.#outside.after(SILENT_MS, () => {
			this.#become('waiting')
			this.#close?.()
			this.#listen()
		})
	}

	/** The browser gives up where it is refused: too many feeds, a log that was put back from an older day, a server that starts. Whoever is signed out closes. */
	#refused(): void {
		this.#close?.()
		this.#last = undefined
		this.#cancelWatch = this.#outside.after(AGAIN_MS, () => this.#listen())
	}

	close(): void {
		this.#close?.()
		this.#close = undefined
		this.#last = undefined
		this.#cancelWatch?.()
		for (const cancel of this.#waiting.values()) cancel()
		this.#waiting.clear()
		this.#become('off')
	}

	#hear(head: LiveHead): void {
		this.#last = head.sequence
		if (head.bankid) {
			this.#refresh(['bank', head.bankid], BANK_MS)
			this.#refresh(['history', head.bankid], REST_MS)
		}
		const type = bareType(head.type)
		this.#refresh(['overview'], REST_MS)
		if (/^(?:case|delivery|loan|custody|credential|notice|door-session)\./.test(type)) this.#refresh(['case'], REST_MS)
		if (/^(?:user|group|credential|role|qualification|approval)\./.test(type)) this.#refresh(['people'], REST_MS)
		if (/^(?:controller)\./.test(type)) this.#refresh(['estate', 'controllers'], REST_MS)
		if (/^(?:bundle|controller|setting|site)\./.test(type)) this.#refresh(['site'], REST_MS)
		if (/^(?:asset|custody)\./.test(type)) this.#refresh(['estate', 'assets'], REST_MS)
		if (type.startsWith('policy.')) this.#refresh(['policies'], REST_MS)
		if (type.startsWith('decision.')) this.#refresh(['decisions'], REST_MS)
		if (type.startsWith('task.')) this.#refresh(['tasks'], REST_MS)
		for (const heard of this.#heard) heard(head)
	}

	#refresh(key: readonly unknown[], after: number): void {
		const name = key.join('/')
		if (this.#waiting.has(name)) return
		const cancel = this.#outside.after(after, () => {
			this.#waiting.delete(name)
			void this.#client.invalidateQueries({ queryKey: key })
		})
		this.#waiting.set(name, cancel)
	}

	#become(state: LiveState): void {
		if (state === this.#state) return
		this.#state = state
		for (const changed of this.#changed) changed()
	}

	/** Answers how to stop. */
	onEvent(heard: (head: LiveHead) => void): () => void {
		this.#heard.add(heard)
		return () => void this.#heard.delete(heard)
	}

	readonly subscribe = (changed: () => void): (() => void) => {
		this.#changed.add(changed)
		return () => void this.#changed.delete(changed)
	}
	readonly state = (): LiveState => this.#state
}

export const useLiveState = (live: Live): LiveState => useSyncExternalStore(live.subscribe, live.state)

export function useEvents(live: Live, heard: (head: LiveHead) => void): void {
	useEffect(() => live.onEvent(heard), [live, heard])
}
