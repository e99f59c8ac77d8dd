import type { KioskAct, KioskView } from '@latchwork/core/wire'

/** What the page knows: the last whole view, when it came (`mono` time of this machine), and whether the controller is reachable. */
export interface Link {
	readonly view: KioskView | undefined
	readonly arrivedAt: number
	readonly lost: boolean
	/** The last touch did not arrive, although the controller is there: the person has to touch again. */
	readonly unheard: boolean
}

/** The outer world of the page, an argument so that tests own it. */
export interface Outside {
	/** Server-sent events of `GET /api/screen`; the returned function closes. */
	/** `beat`: the controller lives, and says so again within `nextMs`. */
	listen(on: { view(text: string): void; beat(nextMs: number): void; up(): void; down(): void }): () => void
	/** `POST /api/act`; resolves with the HTTP status, rejects when the controller cannot be reached or does not answer. */
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
/** Two beats may be missed; a live-looking screen that answers no touch is worse than a screen that says so. */
const BEATS_MISSED = 2.5

export function connect(outside: Outside): Connection {
	let link: Link = { view: undefined, arrivedAt: 0, lost: false, unheard: false }
	let cancelGrace: (() => void) | undefined
	let cancelWatch: (() => void) | undefined
	const listeners = new Set<() => void>()
	const set = (change: Partial<Link>) => {
		link = { ...link, ...change }
		for (const listener of listeners) listener()
	}
	const unheard = () => set({ unheard: true })
	const keys = typing(outside, () => link.view, unheard)

	const close = outside.listen({
		view(text) {
			// Same origin, same release: the controller that sent this page also sends the views.
			set({ view: JSON.parse(text) as KioskView, arrivedAt: outside.mono(), lost: false, unheard: false })
			keys.viewChanged()
		},
		beat(nextMs) {
			cancelWatch?.()
			cancelWatch = outside.after(nextMs * BEATS_MISSED, () => set({ lost: true }))
			if (link.lost) set({ lost: false })
		},
		up() {
			cancelGrace?.()
			cancelGrace = undefined
			// Still lost until the view comes, the first thing a stream says: the old one may be somebody else's by now.
		},
		down() {
			// A stream that is known to be broken needs no watch; the next one begins with a beat.
			cancelWatch?.()
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
			else if (link.view) outside.post({ turn: link.view.turn, act }).then((status) => set({ unheard: !heard(status) }), unheard)
		},
		close() {
			cancelGrace?.()
			cancelWatch?.()
			close()
		},
	}
}

/** 409: the screen moved on and the next view is on its way. */
const heard = (status: number) => status < 400 || status === 409

/**
 * Digits typed faster than views come back. Every accepted key makes a new turn, so keys wait here for the turn they can
 * answer, in order, and are forgotten as soon as the screen is no longer the PIN screen.
 */
function typing(outside: Outside, view: () => KioskView | undefined, unheard: () => void) {
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
				else if (!heard(status)) giveUp()
				else outside.after(UNCHANGED_MS, () => release(now.turn))
			})
			.catch(giveUp)
			.finally(() => {
				busy = false
				flush()
			})
	}

	/** Whether they counted is not known; the dots on the screen show it, and the person goes on from there. */
	function giveUp() {
		waiting = ''
		answered = -1
		unheard()
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
