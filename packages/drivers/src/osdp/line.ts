import { sleep } from '@latchwork/core/base'
import type { DriverClock, DriverStats, Transport } from '../transport/index.ts'
import { MARK, packetParser } from './codec.ts'
import type { Message } from './messages.ts'
import type { CpSession, Verdict } from './session.ts'

/** The standard's answer limit (hardware design §2.1); the characters' own time on the wire comes on top. */
const ANSWER_LIMIT_MS = 200
/** Longest answer that we ask for, in characters. */
const ANSWER_CHARS = 64
/** Tries without a single byte back after which the reader is gone. */
const SILENT_TRIES = 8
/** A noisy line: something comes back, but nothing whole. Ends before the reader itself closes its session, after 8 s. */
const TRIES = 32
/** Before the same bytes go out again to a reader that was busy or got them damaged. */
const REPEAT_MS = 50
/** Silence on the line before the sender changes, in characters. */
const TURNAROUND_CHARS = 2

export type Outcome =
	| Extract<Verdict, { kind: 'answer' | 'lost' }>
	/** No answer to any try. */
	| { readonly kind: 'silent' }
	/** The pipe is down, or the driver stops. */
	| { readonly kind: 'closed' }

export interface Line {
	/** One command and its answer; one at a time. Repeats by itself, with the same number and bytes. */
	exchange(message: Message): Promise<Outcome>
	stats(): DriverStats
	close(): void
}

export interface LineParts {
	readonly io: Transport
	readonly session: CpSession
	readonly clock: DriverClock
	readonly stopped: AbortSignal
	readonly onAlarm: (code: Extract<Verdict, { kind: 'alarm' }>['code']) => void
}

/** Timing and bytes below the session: sends, waits, repeats, gives up. */
export function openLine({ io, session, clock, stopped, onAlarm }: LineParts): Line {
	const stats = { tx: 0, rx: 0, timeouts: 0, badFrames: 0, resyncs: 0, lastOkMono: -1 }
	/** Since the last packet was sent. */
	let bytesBack = 0
	let hear: ((heard: Outcome | { kind: 'repeat' }) => void) | undefined

	const parser = packetParser(
		(packet) => {
			const verdict = session.judge(packet)
			if (verdict.kind === 'alarm') onAlarm(verdict.code)
			else if (verdict.kind !== 'ignored') hear?.(verdict)
		},
		(why) => {
			if (why === 'noise') stats.resyncs++
			else stats.badFrames++
		},
	)
	const offData = io.onData((bytes) => {
		stats.rx += bytes.length
		bytesBack += bytes.length
		parser.push(bytes)
	})
	const offState = io.onState((open) => {
		if (!open) hear?.({ kind: 'closed' })
	})

	function send(bytes: Uint8Array): Promise<Outcome | { kind: 'repeat' }> {
		if (stopped.aborted) return Promise.resolve({ kind: 'closed' })
		parser.clear()
		bytesBack = 0
		const framed = Uint8Array.of(MARK, ...bytes)
		return new Promise((resolve) => {
			const limit = ANSWER_LIMIT_MS + (framed.length + ANSWER_CHARS) * io.charTimeMs
			const cancel = clock.after(limit, () => hear?.({ kind: 'silent' }))
			hear = (heard) => {
				cancel()
				hear = undefined
				resolve(heard)
			}
			stats.tx += framed.length
			io.write(framed).catch(() => hear?.({ kind: 'closed' }))
		})
	}

	const pause = (ms: number) => sleep(clock, ms, stopped).catch(() => {})

	return {
		async exchange(message) {
			let heard = await send(session.command(message))
			let silent = 0
			for (let tries = 1; heard.kind === 'silent' || heard.kind === 'repeat'; tries++) {
				if (heard.kind === 'silent') stats.timeouts++
				silent = bytesBack === 0 ? silent + 1 : 0
				if (silent === SILENT_TRIES || tries === TRIES) return { kind: 'silent' }
				await pause(heard.kind === 'repeat' ? REPEAT_MS : 0)
				heard = await send(session.again())
			}
			if (heard.kind === 'answer') stats.lastOkMono = clock.mono()
			if (heard.kind !== 'closed') await pause(TURNAROUND_CHARS * io.charTimeMs)
			return heard
		},
		stats: () => ({ ...stats }),
		close() {
			offData()
			offState()
			hear?.({ kind: 'closed' })
		},
	}
}
