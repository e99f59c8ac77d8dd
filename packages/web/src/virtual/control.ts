import type { VirtualFault, VirtualState } from '@latchwork/core/wire'
import { words } from './words.ts'

/** What the page shows; `said` is the answer to the last control when it was not plain success. */
export interface Bench {
	readonly state: VirtualState | undefined
	readonly lost: boolean
	readonly said: string
}

/** The controls of one bank, named as the control API names them. */
export interface Hands {
	badge(number: string): void
	keypad(keys: string): void
	scan(text: string): void
	door(compartment: number, state: 'open' | 'closed'): void
	item(compartment: number, item: { present: boolean; tag?: string }): void
	fault(fault: VirtualFault): void
	clearFaults(): void
}

export interface Control {
	get(): Bench
	subscribe(listener: () => void): () => void
	hands(bank: string): Hands
	advance(seconds: number): void
}

const RETRY_MS = 1000

export function control(): Control {
	let bench: Bench = { state: undefined, lost: false, said: '' }
	const listeners = new Set<() => void>()
	const set = (change: Partial<Bench>) => {
		bench = { ...bench, ...change }
		for (const listener of listeners) listener()
	}

	const listen = () => {
		const source = new EventSource('/events')
		source.onmessage = (event: MessageEvent<string>) => set({ state: JSON.parse(event.data) as VirtualState, lost: false })
		source.onerror = () => {
			set({ lost: true })
			if (source.readyState === EventSource.CLOSED) window.setTimeout(listen, RETRY_MS)
		}
	}
	listen()

	const send = async (method: string, path: string, body?: unknown) => {
		try {
			const init = body === undefined ? {} : { headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
			const answer = await fetch(path, { method, ...init })
			set({ said: answer.ok ? '' : words.refused(await reason(answer)) })
		} catch {
			set({ said: words.unreachable })
		}
	}

	return {
		get: () => bench,
		subscribe(listener) {
			listeners.add(listener)
			return () => void listeners.delete(listener)
		},
		hands(bank) {
			const at = `/banks/${encodeURIComponent(bank)}`
			return {
				badge: (number) => void send('POST', `${at}/badge`, { number }),
				keypad: (keys) => void send('POST', `${at}/keypad`, { keys }),
				scan: (text) => void send('POST', `${at}/scan`, { text }),
				door: (n, state) => void send('POST', `${at}/compartments/${n}/door`, { state }),
				item: (n, item) => void send('POST', `${at}/compartments/${n}/item`, item),
				fault: (fault) => void send('POST', `${at}/faults`, fault),
				clearFaults: () => void send('DELETE', `${at}/faults`),
			}
		},
		advance: (advanceSeconds) => void send('POST', '/clock', { advanceSeconds }),
	}
}

/** The server's own sentence when it sent a problem document (RFC 9457), else the status. */
async function reason(answer: Response): Promise<string> {
	const body: unknown = await answer.json().catch(() => undefined)
	const { detail, title } = (typeof body === 'object' && body !== null ? body : {}) as { detail?: unknown; title?: unknown }
	const text = detail ?? title
	return typeof text === 'string' ? text : `${answer.status} ${answer.statusText}`
}
