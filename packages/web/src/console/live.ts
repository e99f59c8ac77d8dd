import type { QueryClient } from '@tanstack/react-query'
import { useEffect, useSyncExternalStore } from 'react'
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

/**
 * One feed a page. An event carries no data: whatever it is about is asked for anew, at most so often. The browser connects again by itself
 * and goes on behind the last event that it had.
 */
export class Live {
	#source: EventSource | undefined
	#state: LiveState = 'off'
	readonly #heard = new Set<(head: LiveHead) => void>()
	readonly #changed = new Set<() => void>()
	readonly #waiting = new Map<string, { readonly key: readonly unknown[]; readonly timer: ReturnType<typeof setTimeout> }>()
	readonly #client: QueryClient

	constructor(client: QueryClient) {
		this.#client = client
	}

	open(): void {
		if (this.#source) return
		const source = new EventSource('/v1/events/stream')
		this.#source = source
		source.onopen = () => {
			// What happened while nobody listened is not told again when this is a new feed.
			if (this.#state === 'waiting') void this.#client.invalidateQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' })
			this.#become('live')
		}
		source.onerror = () => this.#become(source.readyState === EventSource.CLOSED ? 'off' : 'waiting')
		source.onmessage = ({ data }) => this.#hear(JSON.parse(data) as LiveHead)
	}

	close(): void {
		this.#source?.close()
		this.#source = undefined
		for (const { timer } of this.#waiting.values()) clearTimeout(timer)
		this.#waiting.clear()
		this.#become('off')
	}

	#hear(head: LiveHead): void {
		if (head.bankid) {
			this.#refresh(['bank', head.bankid], BANK_MS)
			this.#refresh(['history', head.bankid], REST_MS)
		}
		const type = bareType(head.type)
		this.#refresh(['overview'], REST_MS)
		if (/^(?:case|delivery|loan|custody|credential|notice|door-session)\./.test(type)) this.#refresh(['case'], REST_MS)
		if (/^(?:user|group|credential)\./.test(type)) this.#refresh(['people'], REST_MS)
		if (/^(?:controller)\./.test(type)) this.#refresh(['estate', 'controllers'], REST_MS)
		if (/^(?:asset|custody)\./.test(type)) this.#refresh(['estate', 'assets'], REST_MS)
		if (type.startsWith('task.')) this.#refresh(['tasks'], REST_MS)
		for (const heard of this.#heard) heard(head)
	}

	#refresh(key: readonly unknown[], after: number): void {
		const name = key.join('/')
		if (this.#waiting.has(name)) return
		const timer = setTimeout(() => {
			this.#waiting.delete(name)
			void this.#client.invalidateQueries({ queryKey: key })
		}, after)
		this.#waiting.set(name, { key, timer })
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
