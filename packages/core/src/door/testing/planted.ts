import type { Id } from '../../base/index.ts'
import { type BankState, type Compartment, type DoorInput, type DoorSession, type ReleaseRequest, type Step, step } from '../index.ts'
import { unknownContent } from '../state.ts'
import type { Reducer } from './host.ts'
import type { Invariant } from './watch.ts'

/** A reducer or a host with one thing wrong, and the invariant that must notice it. */
export interface Planted {
	readonly bug: string
	readonly caughtBy: Invariant
	readonly reducer?: Reducer
	readonly effectsFirst?: boolean
}

type Change = { [K in keyof Compartment]?: Compartment[K] | undefined }

function altered(bank: BankState, id: string, change: (c: Compartment) => Change): BankState {
	const c = bank.compartments[id]
	return c ? { ...bank, compartments: { ...bank.compartments, [id]: { ...c, ...change(c) } as Compartment } } : bank
}

const everywhere = (bank: BankState, change: (c: Compartment) => Change): BankState =>
	Object.keys(bank.compartments).reduce((b, id) => altered(b, id, change), bank)

/** The real reducer judges a request on a tampered state; where it refuses even so, nothing was tampered with. */
const onRequest =
	(tamper: (bank: BankState, request: ReleaseRequest) => BankState): Reducer =>
	(bank, input) => {
		const s = input.kind === 'request' ? step(tamper(bank, input.request), input) : undefined
		return s && !s.refused && !s.repeated ? s : step(bank, input)
	}

/** The real reducer judges a closed door on a tampered state. */
const onSettle =
	(tamper: (c: Compartment) => Change): Reducer =>
	(bank, input) =>
		step(input.kind === 'timer' && input.timer === 'settle' ? altered(bank, input.compartment, tamper) : bank, input)

const inSession = (change: { [K in keyof DoorSession]?: DoorSession[K] | undefined }) => (c: Compartment) =>
	c.session ? { session: { ...c.session, ...change } as DoorSession } : {}

const currentFence = (bank: BankState, input: DoorInput): DoorInput => {
	if (input.kind !== 'pulsed' && input.kind !== 'reading' && input.kind !== 'said') return input
	return { ...input, fence: bank.compartments[input.compartment]?.fence ?? input.fence }
}

function pulsesAgain(bank: BankState, input: DoorInput): Step {
	const s = step(bank, input)
	if (input.kind !== 'restart') return s
	const stranded = Object.values(bank.compartments).flatMap((c) => (c.session?.state === 'releasing' ? [{ id: c.id, session: c.session }] : []))
	return {
		...s,
		effects: [
			...s.effects,
			...stranded.map(({ id, session }) => ({ do: 'pulse' as const, compartment: id, fence: session.fence, session: session.id })),
		],
	}
}

const ignoresHold = onRequest((bank, r) => (r.act === 'inspect' ? bank : altered(bank, r.compartment, () => ({ hold: undefined }))))

const givesOccupied = onRequest((bank, r) =>
	r.act === 'deposit' ? altered(bank, r.compartment, (c) => (c.content.kind === 'item' ? { content: { kind: 'empty' } } : {})) : bank,
)

/** After half a minute the door is taken for shut, if that is all that a commit lacks. */
function takesPromptForShut(bank: BankState, input: DoorInput): Step {
	if (input.kind !== 'timer' || input.timer !== 'prompt') return step(bank, input)
	const shut = altered(bank, input.compartment, (c) => ({ door: 'closed', ...inSession({ state: 'closed' })(c) }))
	const s = step(shut, { ...input, timer: 'settle' })
	return s.ended.length ? s : step(bank, input)
}

/** A door that nobody released may open without a word. */
function missesForced(bank: BankState, input: DoorInput): Step {
	const silent = input.kind === 'door' && input.value === 'open' && !bank.compartments[input.compartment]?.session
	return step(silent ? altered(bank, input.compartment, () => ({ lastDoor: 'open' })) : bank, input)
}

function neverRecovers(bank: BankState, input: DoorInput): Step {
	const waits = (id: Id<'compartment'>) => bank.compartments[id]?.session?.recovering
	const settles = input.kind === 'reading' || input.kind === 'door' || (input.kind === 'timer' && input.timer === 'recovery')
	return settles && waits(input.compartment) ? { bank, touched: [], events: [], effects: [], ended: [] } : step(bank, input)
}

function losesOwner(bank: BankState, input: DoorInput): Step {
	const s = step(bank, input)
	const forget = (c: Compartment) => (c.content.kind === 'unknown' ? { content: unknownContent(undefined) } : {})
	return { ...s, bank: s.touched.reduce((b, id) => altered(b, id, forget), s.bank) }
}

function forgetsQuiet(bank: BankState, input: DoorInput): Step {
	const s = step(bank, input)
	return input.kind === 'restart' ? { ...s, effects: s.effects.filter((e) => !(e.do === 'start' && e.timer === 'quiet')) } : s
}

function ignoresExpiry(bank: BankState, input: DoorInput): Step {
	if (input.kind !== 'request') return step(bank, input)
	return step(bank, { ...input, request: { ...input.request, notAfter: Number.MAX_SAFE_INTEGER } })
}

function deniesSilently(bank: BankState, input: DoorInput): Step {
	const s = step(bank, input)
	return { ...s, events: s.events.filter((e) => e.type !== 'door-session.denied') }
}

function keepsEndInMemory(bank: BankState, input: DoorInput): Step {
	const s = step(bank, input)
	const ended = new Set(s.ended.map((e) => e.compartment))
	return { ...s, touched: s.touched.filter((id) => !ended.has(id)) }
}

export const PLANTED: readonly Planted[] = [
	{ bug: 'pulse before the durable row', caughtBy: 'I2', effectsFirst: true },
	{ bug: 're-pulse on recovery', caughtBy: 'I1', reducer: pulsesAgain },
	{ bug: 'no exclusive lease', caughtBy: 'I3', reducer: onRequest((bank, r) => altered(bank, r.compartment, () => ({ session: undefined }))) },
	{ bug: 'item recorded blindly', caughtBy: 'I5', reducer: onSettle((c) => (c.session ? { presence: c.session.act === 'deposit' } : {})) },
	{ bug: 'no command dedupe', caughtBy: 'I1', reducer: onRequest((bank) => ({ ...bank, commands: bank.commands.filter((k) => k.refused) })) },
	{ bug: 'a denial is forgotten', caughtBy: 'I10', reducer: onRequest((bank) => ({ ...bank, commands: bank.commands.filter((k) => !k.refused) })) },
	{ bug: 'the fence is ignored', caughtBy: 'R5', reducer: (bank, input) => step(bank, currentFence(bank, input)) },
	{ bug: 'commit while another door opened', caughtBy: 'R6', reducer: onSettle(inSession({ unaccounted: false })) },
	{ bug: 'commit without a close edge', caughtBy: 'R6', reducer: takesPromptForShut },
	{ bug: 'a hold is not honoured', caughtBy: 'I12', reducer: ignoresHold },
	{ bug: 'a forced opening is not logged', caughtBy: 'I7', reducer: missesForced },
	{
		bug: 'an open door is forgotten over a restart, and alarmed twice',
		caughtBy: 'I7',
		reducer: (bank, input) => step(input.kind === 'restart' ? everywhere(bank, () => ({ lastDoor: undefined })) : bank, input),
	},
	{
		bug: 'a release is forgotten over a restart, and its opening alarmed as forced',
		caughtBy: 'R7',
		reducer: (bank, input) => step(input.kind === 'restart' ? everywhere(bank, () => ({ lastRelease: undefined })) : bank, input),
	},
	{
		bug: 'one person gets two doors',
		caughtBy: 'R8',
		reducer: (bank, input) => step(bank, input.kind === 'request' ? { ...input, request: { ...input.request, parallel: true } } : input),
	},
	{ bug: 'a flapping sensor is distrusted for ever after a restart', caughtBy: 'R10', reducer: forgetsQuiet },
	{ bug: 'an expired command opens a door', caughtBy: 'R11', reducer: ignoresExpiry },
	{ bug: 'what the person found is not listened to', caughtBy: 'R6', reducer: onSettle(inSession({ report: undefined })) },
	{ bug: 'a denial is not recorded', caughtBy: 'R12', reducer: deniesSilently },
	{ bug: 'recovery never ends', caughtBy: 'I11', reducer: neverRecovers },
	{ bug: 'an occupied compartment is given for a deposit', caughtBy: 'I4', reducer: givesOccupied },
	{ bug: 'a deposit that was left open commits', caughtBy: 'R9', reducer: onSettle(inSession({ level: 'calm' })) },
	{ bug: 'a doubt erases whose item it was', caughtBy: 'R4', reducer: losesOwner },
	{ bug: 'an end is not made durable', caughtBy: 'I6', reducer: keepsEndInMemory },
]
