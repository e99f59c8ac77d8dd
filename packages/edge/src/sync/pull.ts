import { type Clock, type Id, isFault, type Random } from '@latchwork/core/base'
import { DEVICE_PATHS } from '@latchwork/core/wire'
import type { AuthoritySource } from './authority.ts'
import { backoff } from './backoff.ts'
import type { DeviceHttp } from './device-http.ts'

type What = 'bundle' | 'lease'

/** Fetches the newest bundle and lease of the bank, one at a time each, until it has what the server has. */
export interface Pull {
	/** There may be a newer one: now, or as soon as the server can be reached. */
	want(what: What): void
	/** The server can be reached. */
	resume(): void
	pause(): void
}

export interface PullParts {
	readonly bank: Id<'bank'>
	readonly http: DeviceHttp
	readonly authority: Pick<AuthoritySource, 'take' | 'current' | 'moment'>
	/** Up to which deltas the bank knows them all; of the site's only where a bundle that counts what it missed is worth its bytes. */
	readonly held: () => { readonly deltas?: number; readonly people: number }
	readonly clock: Pick<Clock, 'after'>
	readonly random: Random
	/** The server has answered. */
	readonly reached: () => void
}

const FIRST_RETRY_MS = 1_000
const MOST_RETRY_MS = 300_000

export function openPull({ bank, http, authority, held, clock, random, reached }: PullParts): Pull {
	let running = false
	const one = (what: What) => {
		const patience = backoff(random, FIRST_RETRY_MS, MOST_RETRY_MS)
		let etag: string | undefined
		let wanted = false
		let busy = false
		let cancel = () => {}

		/** True: there is nothing newer to be had now. */
		const got = async (): Promise<boolean> => {
			const answer = await http.ask(
				'GET',
				what === 'bundle' ? DEVICE_PATHS.bundle(bank, held()) : DEVICE_PATHS.lease(bank),
				etag === undefined ? {} : { etag },
			)
			reached()
			if (answer.status === 304 || answer.status === 404) return true
			if (answer.status !== 200 || !running || !authority.take(what, answer.text, answer.keys)) return false
			etag = answer.etag
			// One that was made for this fetch is newer than the lease that came before it, which says nothing of it.
			if (what === 'bundle' && (authority.moment().lease?.bundleVersion ?? 0) < (authority.current()?.bundle.version ?? 0)) of.lease.want()
			return true
		}

		const turn = async (): Promise<void> => {
			if (busy || !wanted || !running) return
			busy = true
			wanted = false
			const done = await got().catch((fault) => {
				if (!isFault(fault, 'server-unreachable')) throw fault
				return false
			})
			busy = false
			if (done) {
				patience.reset()
				return turn()
			}
			wanted = true
			cancel = clock.after(patience.next(), turn)
		}

		return {
			want() {
				wanted = true
				cancel()
				void turn()
			},
			resume: () => void turn(),
			pause: () => cancel(),
		}
	}
	const of = { bundle: one('bundle'), lease: one('lease') }
	return {
		want: (what) => of[what].want(),
		resume() {
			running = true
			for (const pull of Object.values(of)) pull.resume()
		},
		pause() {
			running = false
			for (const pull of Object.values(of)) pull.pause()
		},
	}
}
