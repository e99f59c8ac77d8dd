import { canonical } from '../base/index.ts'
import { MAX_EVENT_BYTES, type StreamEvent } from './event.ts'
import { shapeFault } from './shape.ts'

/** What bytes say, or why they are no event, in words that go behind a colon. */
export type ReadEvent = { readonly event: StreamEvent; readonly fault?: never } | { readonly event?: never; readonly fault: string }

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Are these the canonical bytes of a stream event? Whatever else they may be, they are refused. */
export function readEvent(bytes: Uint8Array): ReadEvent {
	if (bytes.length > MAX_EVENT_BYTES) return { fault: `it has ${bytes.length} bytes` }
	try {
		const text = utf8.decode(bytes)
		const value: unknown = JSON.parse(text)
		const fault = shapeFault(value) ?? (canonical(value) === text ? undefined : 'its bytes are not canonical')
		return fault === undefined ? { event: value as StreamEvent } : { fault }
	} catch {
		return { fault: 'it is not canonical JSON' }
	}
}
