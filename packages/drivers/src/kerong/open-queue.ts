import { Fault } from '@latchwork/core/base'
import type { BoardCaps, OpenCommand, OpenResult } from '../board.ts'
import type { DriverClock } from '../transport/index.ts'

/** Results kept for repeated commands. An older one could not pulse again either: its deadline is long past. */
const REMEMBERED_RESULTS = 4096

export interface OpenQueue {
	/** The same id again is the first result and no second pulse. A `refusal` is a result too. */
	add(command: OpenCommand, refusal: Fault | undefined): Promise<OpenResult>
	/** Answers every command that can no longer be sent in time. */
	dropExpired(): void
	/** The next command, if the supply can take another solenoid now. */
	due(): (() => Promise<void>) | undefined
	/** When something happens to the queue by itself: monotonic times. */
	wakeTimes(canSend: boolean): number[]
	refuseAll(fault: Fault): void
}

/**
 * Open commands of one bus in the order in which they came: once each, never after their deadline, and never more solenoids
 * at a time than `maxConcurrent`, `cooldownMs` apart. `release` writes the frame; only `sent: true` counts as a pulse.
 */
export function createOpenQueue(caps: BoardCaps, clock: DriverClock, release: (command: OpenCommand) => Promise<OpenResult>): OpenQueue {
	const waiting: { readonly command: OpenCommand; settle(result: OpenResult): void }[] = []
	const results = new Map<string, Promise<OpenResult>>()
	/** Times of the last release frames, as many as may overlap. */
	const pulses: number[] = []

	const nextSlotAt = (): number => {
		const last = pulses.at(-1)
		const oldestThatCounts = pulses.at(-caps.maxConcurrent)
		return Math.max(last === undefined ? 0 : last + caps.cooldownMs, oldestThatCounts === undefined ? 0 : oldestThatCounts + caps.pulse.maxMs)
	}

	return {
		add(command, refusal) {
			const first = results.get(command.id)
			if (first) return first
			const result = refusal ? Promise.resolve(notSent(command, refusal)) : new Promise<OpenResult>((settle) => waiting.push({ command, settle }))
			results.set(command.id, result)
			const oldest = results.keys().next().value
			if (results.size > REMEMBERED_RESULTS && oldest !== undefined) results.delete(oldest)
			return result
		},
		dropExpired() {
			for (let i = waiting.length - 1; i >= 0; i--) {
				const open = waiting[i]
				if (!open || clock.mono() <= open.command.notAfter) continue
				waiting.splice(i, 1)
				open.settle(notSent(open.command, new Fault('command-expired', 'The open command could not be sent before its deadline and was dropped.')))
			}
		},
		due() {
			if (waiting.length === 0 || clock.mono() < nextSlotAt()) return undefined
			const open = waiting.shift()
			return (
				open &&
				(async () => {
					const result = await release(open.command)
					if (result.sent) pulses.push(clock.mono())
					pulses.splice(0, pulses.length - caps.maxConcurrent)
					open.settle(result)
				})
			)
		},
		wakeTimes: (canSend) => [...waiting.map(({ command }) => command.notAfter + 1), ...(canSend && waiting.length > 0 ? [nextSlotAt()] : [])],
		refuseAll(fault) {
			for (const open of waiting.splice(0)) open.settle(notSent(open.command, fault))
		},
	}
}

/** Not one byte of the release frame left this process. */
export const notSent = (command: OpenCommand, fault: Fault): OpenResult => ({ id: command.id, sent: false, ack: 'none', fault })
