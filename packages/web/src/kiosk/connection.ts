import type { KioskAct, KioskView } from '@latchwork/core/wire'

/** What the page knows: the last whole view, when it came (`mono` time of this machine), and whether the controller is reachable. */
export interface Link {
	readonly view: KioskView | undefined
	readonly arrivedAt: number
	readonly lost: boolean
}

/** The outer world of the page, an argument so that tests own it. */
export interface Outside {
	/** Server-sent events of `GET /api/screen`; the returned function closes. */
	listen(on: { view(text: string): void; up(): void; down(): void }): () => void
	/** `POST /api/act`; resolves with the HTTP status, rejects when the controller cannot be reached. */
	post(body: { turn: number; act: KioskAct }): Promise<number>
	mono(): number
	after(ms: number, run: () => void): () => void
}

export interface Connection {
	get(): Link
	subscribe(listener: () => void): () => void
	act(act: KioskAct): void
	close(): void
}

/** A restart of the controller takes a moment; a screen that flickers is worse than one that waits. */
const GRACE_MS = 1500
/** A view follows its key within milliseconds; after this long none will. */
const UNCHANGED_MS = 250

export function connect(outside: Outside): Connection {
	let link: Link = { view: undefined, arrivedAt: 0, lost: false }
	let cancelGrace: (() => void) | undefined
	const listeners = new Set<() => void>()
	const set = (change: Partial<Link>) => {
		link = { ...link, ...change }
		for (const listener of listeners) listener()
	}
	const keys = typing(outside, () => link.view)

	const close = outside.listen({
		view(text) {
			// Same origin, same release: the controller that sent this page also sends the views.
			set({ view: JSON.parse(text) as KioskView, arrivedAt: outside.mono(), lost: false })
			keys.viewChanged()
		},
		up() {
			cancelGrace?.()
			cancelGrace = undefined
			if (link.lost) set({ lost: false })
		},
		down() {
			cancelGrace ??= outside.after(GRACE_MS, () => set({ lost: true }))
		},
	})

	return {
		get: () => link,
		subscribe(listener) {
			listeners.add(listener)
			return () => void listeners.delete(listener)
		},
		act(act) {
			if (act.kind === 'keys') keys.type(act.keys)
			// 409: the screen moved on and the next view is on its way. Unreachable: the stream notices by itself.
			else if (link.view) outside.post({ turn: link.view.turn, act }).catch(() => undefined)
		},
		close() {
			cancelGrace?.()
			close()
		},
	}
}

/**
 * Digits typed faster than views come back. Every accepted key makes a new turn, so keys wait here for the turn they can
 * answer, in order, and are forgotten as soon as the screen is no longer the PIN screen.
 */
function typing(outside: Outside, view: () => KioskView | undefined) {
	let waiting = ''
	let busy = false
	/** A turn that was answered already: the next view comes with another one. */
	let answered = -1

	function flush() {
		const now = view()
		if (now?.screen.name !== 'pin') waiting = ''
		if (!now || waiting === '' || busy || now.turn === answered) return
		const keys = waiting.slice(0, 32)
		waiting = waiting.slice(keys.length)
		busy = true
		answered = now.turn
		outside
			.post({ turn: now.turn, act: { kind: 'keys', keys } })
			.then((status) => {
				if (status === 409) waiting = keys + waiting
				else outside.after(UNCHANGED_MS, () => release(now.turn))
			})
			.catch(() => {
				waiting = ''
			})
			.finally(() => {
				busy = false
				flush()
			})
	}

	/** No new view came: the keys changed nothing, and the turn still stands. */
	function release(turn: number) {
		if (answered !== turn || busy) return
		answered = -1
		flush()
	}

	return {
		type(keys: string) {
			waiting += keys
			flush()
		},
		viewChanged: flush,
	}
}
