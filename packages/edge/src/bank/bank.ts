import { type Clock, type Id, isFault } from '@latchwork/core/base'
import {
	type BankState,
	type Compartment,
	type Content,
	DOOR_TIMERS,
	type DoorEffect,
	type DoorInput,
	newBank,
	newCompartment,
	type ReleaseRequest,
	type Senses,
	type Step,
	step,
} from '@latchwork/core/door'
import type { Board, BoardEvent, ChannelRef } from '@latchwork/drivers/board'
import type { Entry, Journal } from '../journal/index.ts'

type CompartmentId = Id<'compartment'>

/** A compartment and where its lock hangs. */
export interface Wiring {
	readonly id: CompartmentId
	readonly ref: ChannelRef
	readonly senses: Senses
}

export interface BankParts {
	readonly journal: Journal
	readonly clock: Pick<Clock, 'mono' | 'after'>
	/** Monotonic time of the drivers: bus deadlines count in it, also when the site's clock is moved. */
	readonly busMono: () => number
	/** Trusted time in milliseconds. */
	readonly now: () => number
	readonly wiring: readonly Wiring[]
	readonly board: (bus: string) => Board
	/** The site lets one door stand open at a time (R8). */
	readonly singleOpen: () => boolean
	/** Facts that belong to the same moment (case, visit): written in the same transaction as the step that caused them. */
	readonly follow: (step: Step) => Omit<Entry, 'intent' | 'essential'>
	/** A fact could not be recorded for a reason that time does not mend; called before the fault is thrown (see `ControllerParts.failed`). */
	readonly failed: (fault: unknown) => void
	/** After the step is durable and its effects are started. */
	readonly changed: (step: Step) => void
}

export interface Bank {
	state(): BankState
	/** Asks for a door. `also` is written in the same transaction as the `releasing` row, or not at all. `notAfter`: it is void even sooner than usual. */
	release(
		request: Omit<ReleaseRequest, 'notAfter'> & Partial<Pick<ReleaseRequest, 'notAfter'>>,
		also: Omit<Entry, 'intent' | 'essential'>,
		essential: boolean,
	): Step | 'storage-full'
	/** A fact: recorded now, or in its turn when the disk takes it. */
	input(input: DistributiveOmit<DoorInput, 'at' | 'mono'>): void
	/** What a person found behind a door: recorded when this returns, or not at all. `recount`: also where something is known. */
	settle(compartment: CompartmentId, content: Content, recount?: boolean): Step | 'storage-full'
	/** Everything a driver says about a bus. */
	sensed(bus: string, event: BoardEvent): void
	boards(): readonly { bus: string; board: number; up: boolean }[]
	/** Asks every board for a reading; those that did not answer. */
	test(): Promise<readonly { bus: string; board: number }[]>
	/** Facts that wait for the disk, and since when the oldest does (trusted time). */
	waiting(): { readonly count: number; readonly since?: number }
	/** First input after start: settles what a crash left undecided. */
	restart(): void
	stop(): void
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never
type Input = DistributiveOmit<DoorInput, 'at' | 'mono'>

/** A release frame that has not left by then is dropped: well before T_ack gives the intent up (trust.md R11, hardware.md §1.9). */
const SEND_WITHIN_MS = 2_500
/** A person waits at the door this long at most between choice and pulse. */
const REQUEST_VALID_MS = 10_000
const RETRY_MS = 500

/**
 * The host of the door reducer: makes each step durable, then runs its effects, in that order and never otherwise (R1, R13).
 * Sensor facts that the disk refuses wait in order and hold up everything behind them; requests are refused instead.
 */
export function openBank(parts: BankParts): Bank {
	const { journal, clock } = parts
	const byId = new Map(parts.wiring.map((w) => [w.id, w]))
	const byRef = new Map(parts.wiring.map((w) => [key(w.ref), w.id]))
	const timers = new Map<string, () => void>()
	const boards = new Map(parts.wiring.map((w) => [`${w.ref.bus}/${w.ref.board}`, { bus: w.ref.bus, board: w.ref.board, up: false }]))
	/** Boards of which this run has said whether they answer. */
	const told = new Set<string>()
	/** Each with the moment it was said: what waits for the disk is judged by when it happened, not by when it could be written. */
	const waiting: DoorInput[] = []
	let bank = load(parts)
	let cancelRetry = () => {}
	let stopped = false
	/** Somebody is at it, now or at the next try. */
	let draining = false

	const durable = (
		s: Step,
		also: Omit<Entry, 'intent' | 'essential'>,
		essential: boolean,
		request?: Pick<ReleaseRequest, 'command' | 'session' | 'compartment'>,
	): void => {
		const fence = request && s.bank.compartments[request.compartment]?.fence
		const granted = s.effects.some((e) => e.do === 'pulse')
		if (!s.events.length && !s.touched.length && !also.events.length && !also.put?.length && !also.drop?.length) return
		journal.commit({
			events: [...s.events, ...also.events],
			put: [
				...s.touched.map((id) => ({ kind: 'compartment', key: id, body: s.bank.compartments[id] })),
				...(s.events.length ? [{ kind: 'bank', key: 'commands', body: s.bank.commands }] : []),
				...(also.put ?? []),
			],
			drop: also.drop ?? [],
			...(granted &&
				request &&
				fence !== undefined && { intent: { command: request.command, session: request.session, compartment: request.compartment, fence } }),
			essential,
		})
	}

	const settleStep = (s: Step): void => {
		bank = s.bank
		for (const effect of s.effects) run(effect)
		parts.changed(s)
	}

	const input = (next: Input): void => {
		if (stopped) return
		waiting.push({ ...next, at: parts.now(), mono: clock.mono() })
		if (!draining) drain()
	}

	const drain = (): void => {
		draining = true
		try {
			while (waiting[0]) {
				if (advance(waiting[0])) continue
				cancelRetry = clock.after(RETRY_MS, drain)
				return
			}
			draining = false
		} catch (fault) {
			parts.failed(fault)
			throw fault
		}
	}

	/** False: the disk refuses it for now. */
	const advance = (next: DoorInput): boolean => {
		const s = step(bank, next)
		return taken(s, () => {
			durable(s, parts.follow(s), true)
			waiting.shift()
		})
	}

	/** Effects only after `write` has made the step durable (R1); false, and nothing has happened, when the disk refuses it (R13). */
	const taken = (s: Step, write: () => void): boolean => {
		try {
			write()
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
			return false
		}
		settleStep(s)
		return true
	}

	const run = (effect: DoorEffect): void => {
		const wire = byId.get(effect.compartment)
		if (!wire) return
		if (effect.do === 'start') {
			const name = `${effect.compartment}/${effect.timer}`
			timers.get(name)?.()
			timers.set(
				name,
				clock.after(DOOR_TIMERS[effect.timer], () => {
					timers.delete(name)
					input({ kind: 'timer', compartment: effect.compartment, timer: effect.timer, fence: effect.fence })
				}),
			)
		} else if (effect.do === 'stop') {
			for (const timer of effect.timers) {
				timers.get(`${effect.compartment}/${timer}`)?.()
				timers.delete(`${effect.compartment}/${timer}`)
			}
		} else if (effect.do === 'pulse') void pulse(wire, effect)
		else void read(wire, effect.fence)
	}

	const pulse = async (wire: Wiring, effect: Extract<DoorEffect, { do: 'pulse' }>): Promise<void> => {
		const { compartment, fence } = effect
		const order = { id: effect.session, ref: wire.ref, notAfter: parts.busMono() + SEND_WITHIN_MS }
		// A driver that throws may have sent bytes: only the sensor can tell.
		const answer = await attempt(() => parts.board(wire.ref.bus).open(order), { id: order.id, sent: true, ack: 'none' })
		input({ kind: 'pulsed', compartment, fence, sent: answer.sent, ack: answer.ack, ...(answer.fault && { code: answer.fault.code }) })
	}

	const read = async (wire: Wiring, fence: number): Promise<void> => {
		if (stopped) return
		const reading = await attempt(() => parts.board(wire.ref.bus).read(wire.ref.board), undefined)
		if (stopped) return
		const session = bank.compartments[wire.id]?.session
		if (!session || session.fence !== fence) return
		// After a restart the board may need a moment; the recovery timer gives up, not this.
		if (!reading && session.recovering) return void clock.after(RETRY_MS / 2, () => void read(wire, fence))
		input({
			kind: 'reading',
			compartment: wire.id,
			fence,
			door: reading?.door[wire.ref.channel] ?? 'unknown',
			presence: reading?.presence[wire.ref.channel] ?? 'unknown',
		})
	}

	return {
		state: () => bank,
		release(request, also, essential) {
			if (waiting.length) return 'storage-full'
			const at = parts.now()
			const s = step(
				{ ...bank, singleOpen: parts.singleOpen() },
				{
					kind: 'request',
					at,
					mono: clock.mono(),
					request: { ...request, notAfter: Math.min(at + REQUEST_VALID_MS, request.notAfter ?? Number.POSITIVE_INFINITY) },
				},
			)
			return taken(s, () => durable(s, s.refused || s.repeated ? { events: [] } : also, essential, request)) ? s : 'storage-full'
		},
		input,
		settle(compartment, content, recount = false) {
			if (waiting.length) return 'storage-full'
			const s = step(bank, { kind: 'settle', at: parts.now(), mono: clock.mono(), compartment, by: 'staff', content, recount })
			return taken(s, () => durable(s, parts.follow(s), true)) ? s : 'storage-full'
		},
		sensed(bus, event) {
			const fact = event.fact
			if (fact.kind === 'protocol') return
			if (fact.kind === 'door' || fact.kind === 'presence') {
				const compartment = byRef.get(key(fact.ref))
				if (!compartment) return
				if (fact.kind === 'door') input({ kind: 'door', compartment, value: fact.value, initial: fact.initial })
				else input({ kind: 'presence', compartment, value: fact.value, initial: fact.initial })
				return
			}
			const entry = boards.get(`${bus}/${fact.board}`)
			const up = fact.kind === 'board-up'
			if (!entry) return
			const wasUp = entry.up
			const first = !told.has(`${bus}/${fact.board}`)
			if (wasUp === up && !first) return
			told.add(`${bus}/${fact.board}`)
			entry.up = up
			const wired = parts.wiring.filter((w) => w.ref.bus === bus && w.ref.board === fact.board)
			// Whoever follows the stream knows no wiring: these are the doors that can be seen from now on, or no longer.
			const compartments = wired.filter((w) => w.senses.door).map((w) => w.id)
			journal.note({ type: up ? 'board.returned' : 'board.lost', subject: `${bus}/${fact.board}`, actor: 'edge', data: { compartments } })
			if (wasUp) input({ kind: 'board-lost', compartments: wired.map((w) => w.id) })
			else parts.changed({ bank, touched: [], events: [], effects: [], ended: [] })
		},
		boards: () => [...boards.values()],
		async test() {
			const asked = [...boards.values()].map(async ({ bus, board }) => ({
				bus,
				board,
				read: await attempt(() => parts.board(bus).read(board), undefined),
			}))
			return (await Promise.all(asked)).flatMap(({ bus, board, read }) => (read ? [] : [{ bus, board }]))
		},
		waiting: () => ({ count: waiting.length, ...(waiting[0] && { since: waiting[0].at }) }),
		restart: () => input({ kind: 'restart' }),
		stop() {
			stopped = true
			cancelRetry()
			for (const cancel of timers.values()) cancel()
			timers.clear()
		},
	}
}

/** Drivers promise not to throw; one that does all the same, at once or later, must not end the controller. */
async function attempt<T>(ask: () => Promise<T>, otherwise: T): Promise<T> {
	try {
		return await ask()
	} catch {
		return otherwise
	}
}

const key = (ref: ChannelRef) => `${ref.bus}/${ref.board}/${ref.channel}`

/** Present state from the journal; what lies in a compartment that it does not know yet is for a bundle to say (stock.ts). */
function load(parts: BankParts): BankState {
	const known = parts.journal.facts<Compartment>('compartment')
	const bank = newBank(
		parts.wiring.map((w) => {
			const saved = known.get(w.id)
			// What the sensors said before is kept for comparison; what they say now comes as `initial` facts.
			return saved ? { ...saved, senses: w.senses } : newCompartment(w.id, w.senses, { kind: 'unknown', unstocked: true })
		}),
		false,
	)
	return { ...bank, commands: parts.journal.fact<BankState['commands']>('bank', 'commands') ?? [] }
}
