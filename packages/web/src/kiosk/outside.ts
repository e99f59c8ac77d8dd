import type { Outside } from './connection.ts'

const RETRY_MS = 1000

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
			const answer = await fetch('/api/act', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
			return answer.status
		},
		mono: () => performance.now(),
		after(ms, run) {
			const timer = window.setTimeout(run, ms)
			return () => window.clearTimeout(timer)
		},
	}
}
