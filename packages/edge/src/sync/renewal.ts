import { type Clock, isFault, type Random } from '@latchwork/core/base'
import { DEVICE_PATHS, renewalAnswer } from '@latchwork/core/wire'
import type { Identity } from '../identity.ts'
import { backoff } from './backoff.ts'
import type { DeviceHttp } from './device-http.ts'

/** Keeps the device's certificate alive; its endpoint also takes one that has run out (trust.md §3.8). */
export interface Renewal {
	start(): void
	/** The server does not know this certificate any more, whatever our clock says. */
	doubted(): void
	/** The server has judged that this certificate is not to be renewed any more: somebody must let the machine in anew. */
	refused(): boolean
	/** Somebody has. */
	settled(): void
	stop(): void
}

export interface RenewalParts {
	readonly identity: Identity
	readonly http: DeviceHttp
	readonly clock: Pick<Clock, 'after'>
	readonly random: Random
	/** Trusted time. */
	readonly now: () => number
	/** There is a new certificate. */
	readonly renewed: () => void
	/** `refused` is another than before. */
	readonly changed: () => void
}

const LOOK_EVERY_MS = 3_600_000
const FIRST_RETRY_MS = 60_000
const MOST_RETRY_MS = 6 * 3_600_000

export function openRenewal({ identity, http, clock, random, now, renewed, changed }: RenewalParts): Renewal {
	const patience = backoff(random, FIRST_RETRY_MS, MOST_RETRY_MS)
	let cancel = () => {}
	let doubted = false
	/** After a try that came to nothing, the next one waits its time, whoever asks. */
	let waiting = false
	let busy = false
	let stopped = false
	let refused = false

	const judged = (next: boolean): void => {
		if (next === refused) return
		refused = next
		changed()
	}

	const renew = async (): Promise<boolean> => {
		const answer = await http.ask('POST', DEVICE_PATHS.renewals, { body: JSON.stringify({ csr: identity.request() }) })
		const told = answer.status === 200 || answer.status === 201 ? renewalAnswer.safeParse(JSON.parse(answer.text)) : undefined
		if (answer.status === 403) judged((JSON.parse(answer.text) as { code?: unknown }).code === 'certificate-invalid')
		if (!told?.success || stopped) return false
		identity.take(told.data)
		judged(false)
		renewed()
		return true
	}

	const look = async (): Promise<void> => {
		if (busy || stopped) return
		cancel()
		busy = true
		const due = doubted || now() >= identity.renewAt()
		const done = !due || (await renew().catch(unsaid))
		busy = false
		waiting = !done
		if (stopped) return
		if (done) {
			doubted = false
			patience.reset()
		}
		cancel = clock.after(done ? LOOK_EVERY_MS : patience.next(), () => void look())
	}

	return {
		start: () => void look(),
		doubted() {
			doubted = true
			if (!waiting) void look()
		},
		refused: () => refused,
		settled() {
			doubted = false
			waiting = false
			patience.reset()
			judged(false)
			void look()
		},
		stop() {
			stopped = true
			cancel()
		},
	}
}

/** A server that is away, an answer that is none, a disk that is full: the next look tries again. */
function unsaid(fault: unknown): false {
	const system = (fault as { syscall?: string }).syscall !== undefined
	if (!isFault(fault) && !(fault instanceof SyntaxError) && !system) throw fault
	return false
}
