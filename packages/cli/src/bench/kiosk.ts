import { Fault } from '@latchwork/core/base'
import type { KioskAct, KioskView } from '@latchwork/core/wire'

/** A kiosk page without a page: follows the screen of a controller and touches it, over HTTP as the browser does. */
export interface Kiosk {
	/** Resolves with the first view that is as wanted, from the present one on. */
	until(wanted: (view: KioskView) => boolean): Promise<KioskView>
	act(act: KioskAct): Promise<void>
	close(): void
}

export async function kioskAt(url: string): Promise<Kiosk> {
	const stop = new AbortController()
	const { body } = await fetch(`${url}api/screen`, { signal: stop.signal })
	let view: KioskView | undefined
	let looked = () => {}
	let broken: unknown
	void follow(body as ReadableStream<Uint8Array>, (next) => {
		view = next
		looked()
	}).catch((cause: unknown) => {
		broken = cause
		looked()
	})
	return {
		until: (wanted) =>
			new Promise((resolve, reject) => {
				looked = () => {
					if (broken) return reject(new Fault('transport-closed', 'The controller ended.', { cause: broken }))
					if (!view || !wanted(view)) return
					looked = () => {}
					resolve(view)
				}
				looked()
			}),
		async act(act) {
			const body = JSON.stringify({ turn: view?.turn, act })
			const answer = await fetch(`${url}api/act`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
			if (!answer.ok) throw new Fault('request-refused', `The kiosk refused ${act.kind}: ${await answer.text()}`)
		},
		close: () => stop.abort(),
	}
}

async function follow(stream: ReadableStream<Uint8Array>, take: (view: KioskView) => void): Promise<void> {
	let rest = ''
	const decoder = new TextDecoder()
	for await (const bytes of stream) {
		rest += decoder.decode(bytes, { stream: true })
		for (let end = rest.indexOf('\n\n'); end >= 0; end = rest.indexOf('\n\n')) {
			const message = rest.slice(0, end)
			rest = rest.slice(end + 2)
			if (message.startsWith('data: ')) take(JSON.parse(message.slice(6)) as KioskView)
		}
	}
}

/** Waits for the offer and takes the first of that kind. */
export async function chooseFirst(kiosk: Kiosk, kind: 'borrow' | 'return'): Promise<void> {
	const { screen } = await kiosk.until((v) => v.screen.name === 'choose')
	const choice = screen.name === 'choose' ? screen.choices.find((c) => c.kind === kind && c.denied === undefined) : undefined
	if (!choice) throw new Fault('request-refused', `There is nothing to ${kind}: ${JSON.stringify(screen)}`)
	await kiosk.act({ kind: 'choose', id: choice.id })
}
