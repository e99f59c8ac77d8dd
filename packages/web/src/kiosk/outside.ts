import type { Outside } from './connection.ts'

const RETRY_MS = 1000
/** A touch that is not answered by then is said to be lost; the controller answers within milliseconds. */
const ACT_TIMEOUT_MS = 2000

/** The real outer world: the controller that served this page, and this machine's monotonic time. */
export function browserOutside(): Outside {
	return {
		listen(on) {
			let source: EventSource
			let timer: number | undefined
			const open = () => {
				source = new EventSource('/api/screen')
				source.onopen = () => on.up()
				source.onmessage = (event: MessageEvent<string>) => on.view(event.data)
				source.addEventListener('beat', (event: MessageEvent<string>) => on.beat(Number(event.data)))
				source.onerror = () => {
					on.down()
					// A browser reconnects by itself only after a broken stream, not after an answer that is no stream.
					if (source.readyState === EventSource.CLOSED) timer = window.setTimeout(open, RETRY_MS)
				}
			}
			open()
			return () => {
				window.clearTimeout(timer)
				source.close()
			}
		},
		async post(body) {
			const answer = await fetch('/api/act', {
				method: 'POST',
				headers: { 'content-type': 'application/json' },
				body: JSON.stringify(body),
				signal: AbortSignal.timeout(ACT_TIMEOUT_MS),
			})
			return answer.status
		},
		mono: () => performance.now(),
		after(ms, run) {
			const timer = window.setTimeout(run, ms)
			return () => window.clearTimeout(timer)
		},
	}
}
