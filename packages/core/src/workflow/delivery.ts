import { parseAfter } from './deadline.ts'
import type { Evidence, Move, Role, Table } from './table.ts'

export interface DeliverySettings {
	/** How long a parcel waits for its recipient, from the last one that was put in; ISO 8601 duration (workflows.md §3.6). */
	readonly collectWithin: string
	/** How long a compartment is held for a parcel that has not come. */
	readonly hold: string
	/** What must be proven for custody to pass; never more than the cabinet's sensors can show (trust.md §4.1). */
	readonly evidence: { readonly deposit: Evidence; readonly collect: Evidence }
}

export const DELIVERY_DEFAULTS: DeliverySettings = { collectWithin: 'PT48H', hold: 'P7D', evidence: { deposit: 3, collect: 3 } }

/**
 * `not-deposited`: a door was opened for it and nothing was put in. `deposit-in-doubt`: it may lie there, nobody can prove it.
 * `misplaced`: something else was put in. `missing`: not where it should lie. `pick-up-in-doubt`, `collected-unverified`: its
 * recipient may have it. `pulled`: staff took it out again.
 */
export type DeliveryLine =
	| 'expected'
	| 'not-deposited'
	| 'deposit-in-doubt'
	| 'misplaced'
	| 'deposited-unverified'
	| 'deposited'
	| 'collecting'
	| 'pick-up-in-doubt'
	| 'collected-unverified'
	| 'missing'
	| 'expired'
	| 'recalled'
	| 'collected'
	| 'pulled'
	| 'cancelled'
	| 'written-off'

/** `arriving`: some parcels of the order are here, others are expected. `blocked`: a person must look before it goes on. */
export type DeliveryCase =
	| 'ordered'
	| 'reserved'
	| 'arriving'
	| 'ready'
	| 'expiring'
	| 'expired'
	| 'recalled'
	| 'blocked'
	| 'collected'
	| 'removed'
	| 'cancelled'
	| 'written-off'

type OnLine = Move<DeliveryLine, DeliveryLine>
type OnCase = Move<DeliveryCase, DeliveryLine>

/** Not here, as far as anybody knows. */
const AWAITED: DeliveryLine[] = ['expected', 'not-deposited']
const WAITING: DeliveryLine[] = ['deposited', 'collecting']
/** A person must look. */
const DOUBTFUL: DeliveryLine[] = ['deposit-in-doubt', 'misplaced', 'deposited-unverified', 'pick-up-in-doubt', 'collected-unverified', 'missing']
const OPEN: DeliveryLine[] = [...AWAITED, ...WAITING, ...DOUBTFUL, 'expired', 'recalled']

const RUNNING: DeliveryCase[] = ['ordered', 'reserved', 'arriving', 'ready', 'expiring']
const ALIVE: DeliveryCase[] = [...RUNNING, 'expired', 'recalled', 'blocked']

const STAFF: Role[] = ['staff']
const BRINGS: Role[] = ['staff', 'courier']
const OFFICE: Role[] = ['staff', 'system']

/**
 * The delivery of workflows.md §3.6: an order that waits at a bank for its recipient, one line a parcel. The server makes the
 * case and may call it back; from the first parcel on every act is the bank's. Who owns the case may collect, by badge or by
 * the code that was sent; who carries it may only put in; staff take out what has run out or was called back.
 */
export function deliveryTable(settings: DeliverySettings = DELIVERY_DEFAULTS): Table<DeliveryCase, DeliveryLine> {
	return {
		name: 'delivery',
		version: 1,
		line: {
			start: 'expected',
			end: ['collected', 'pulled', 'cancelled', 'written-off'],
			held: ['deposited-unverified', 'deposited', 'collecting', 'expired', 'recalled'],
			moves: [...dropOff(settings), ...pickUp(settings), ...takingBack(settings), ...settling()],
		},
		case: {
			start: 'ordered',
			end: ['collected', 'removed', 'cancelled', 'written-off'],
			moves: [...requests(), ...reminders(), ...ended(), ...summary()],
		},
		deadlines: {
			hold: { after: settings.hold },
			'collect-by': { after: settings.collectWithin, movesWithOutage: true },
			reminder: { after: `collect-by-${share(settings.collectWithin, 0.5)}`, movesWithOutage: true },
			expiring: { after: `collect-by-${share(settings.collectWithin, 0.1)}`, movesWithOutage: true },
		},
		visit: {
			'drop-off': [
				{ act: 'deposit', line: 'expected', skippable: true },
				{ act: 'deposit', line: 'not-deposited', skippable: true },
			],
			'pick-up': [{ act: 'collect', line: 'deposited', skippable: true }],
			pull: [
				{ act: 'collect', line: 'recalled', skippable: true },
				{ act: 'collect', line: 'expired', skippable: true },
			],
		},
	}
}

/** What is left of the window when a reminder goes out: half of it, and a tenth. */
function share(window: string, part: number): string {
	const ms = parseAfter(window)?.ms ?? 0
	return `PT${Math.round((ms * part) / 60_000)}M`
}

function dropOff({ evidence }: DeliverySettings): OnLine[] {
	const from: DeliveryLine[] = [...AWAITED, 'deposit-in-doubt', 'misplaced']
	return [
		{
			from,
			on: { act: 'deposit', by: BRINGS, guards: ['entitled', 'not-recalled', 'item-matches'], evidence: evidence.deposit },
			to: 'deposited',
			unverified: 'deposited-unverified',
			do: [
				['custody', 'bank'],
				['set-due', 'collect-by'],
			],
		},
		{ from: AWAITED, on: { outcome: 'not-inserted' }, to: 'not-deposited', do: [['notify', 'not-deposited']] },
		{ from: AWAITED, on: { outcome: 'ambiguous' }, to: 'deposit-in-doubt', do: ['quarantine', ['task', 'ambiguous']] },
		// X6: something else lies in there now.
		{ from: AWAITED, on: { outcome: 'wrong-item' }, to: 'misplaced', do: ['quarantine', ['task', 'wrong-item']] },
		// Found behind the first door while the second stood open for it.
		...(['deposited', 'deposited-unverified'] as const).map((state): OnLine => ({ from: state, on: { outcome: 'not-inserted' }, to: state })),
		// Another try, at another door, that came to nothing leaves the first one as doubtful as it was.
		...(['deposit-in-doubt', 'misplaced'] as const).flatMap((state): OnLine[] => [
			{ from: state, on: { outcome: 'not-inserted' }, to: state },
			{ from: state, on: { outcome: 'ambiguous' }, to: state, do: ['quarantine', ['task', 'ambiguous']] },
			{ from: state, on: { outcome: 'wrong-item' }, to: state, do: ['quarantine', ['task', 'wrong-item']] },
		]),
	]
}

function pickUp({ evidence }: DeliverySettings): OnLine[] {
	return [
		// Written with the release of its door: neither the clock nor the server takes back what is being handed out.
		{ from: 'deposited', on: { request: 'dispense', by: ['user', 'system'], guards: ['entitled', 'not-recalled'] }, to: 'collecting' },
		{
			from: WAITING,
			on: { act: 'collect', by: ['user'], guards: ['owner', 'not-recalled', 'item-matches'], evidence: evidence.collect },
			to: 'collected',
			unverified: 'collected-unverified',
			do: [['custody', 'owner'], 'free'],
		},
		{ from: WAITING, on: { outcome: 'not-taken' }, to: 'deposited' },
		// X5 and X6: it was here by the record. Nothing is marked as collected, and no code opens it again until staff have looked.
		{ from: WAITING, on: { outcome: 'missing' }, to: 'missing', do: ['quarantine', ['task', 'missing-item'], ['notify', 'missing-item']] },
		{ from: WAITING, on: { outcome: 'wrong-item' }, to: 'missing', do: ['quarantine', ['task', 'wrong-item'], ['notify', 'missing-item']] },
		// R4: owner unchanged, compartment out of use, a person decides.
		{ from: WAITING, on: { outcome: 'ambiguous' }, to: 'pick-up-in-doubt', do: ['quarantine', ['task', 'ambiguous']] },
		{ from: 'deposited', on: { deadline: 'collect-by' }, to: 'expired' },
	]
}

/** An item inside is never made to disappear by software: what has run out or was called back waits for staff to pull it. */
function takingBack({ evidence }: DeliverySettings): OnLine[] {
	const toPull: DeliveryLine[] = ['expired', 'recalled']
	return [
		{ from: ['deposited', 'expired'], on: { request: 'recall', by: OFFICE }, to: 'recalled' },
		{ from: AWAITED, on: { request: 'recall', by: OFFICE }, to: 'cancelled' },
		{
			from: 'expired',
			on: { request: 'extend', by: OFFICE },
			to: 'deposited',
			do: [['set-due', 'collect-by']],
		},
		{
			// Also what was given more time while the door was open.
			from: [...toPull, 'deposited'],
			on: { act: 'collect', by: STAFF, guards: ['item-matches'], evidence: evidence.collect },
			to: 'pulled',
			unverified: 'collected-unverified',
			do: [['custody', 'actor'], 'free'],
		},
		...toPull.flatMap((state): OnLine[] => [
			{ from: state, on: { outcome: 'not-taken' }, to: state },
			{ from: state, on: { outcome: 'missing' }, to: 'missing', do: ['quarantine', ['task', 'missing-item']] },
			{ from: state, on: { outcome: 'wrong-item' }, to: 'missing', do: ['quarantine', ['task', 'wrong-item']] },
			{ from: state, on: { outcome: 'ambiguous' }, to: 'pick-up-in-doubt', do: ['quarantine', ['task', 'ambiguous']] },
		]),
	]
}

/** What staff find when they look, each with the custody that follows from it. */
function settling(): OnLine[] {
	const ask = (request: string) => ({ request, by: STAFF })
	const into: DeliveryLine[] = ['deposit-in-doubt', 'misplaced', 'deposited-unverified']
	const out: DeliveryLine[] = ['pick-up-in-doubt', 'collected-unverified', 'missing']
	return [
		{
			from: [...into],
			on: ask('confirm-inside'),
			to: 'deposited',
			do: [
				['custody', 'bank'],
				['set-due', 'collect-by'],
			],
		},
		// It lies behind another door than the record says.
		...(['deposited', 'expired', 'recalled'] as const).map((state): OnLine => ({ from: state, on: ask('confirm-inside'), to: state })),
		// Whoever opened that door took nothing out.
		{ from: [...out], on: ask('confirm-inside'), to: 'deposited', do: [['custody', 'bank']] },
		{ from: [...into], on: ask('confirm-taken'), to: 'not-deposited', do: ['free', ['notify', 'not-deposited']] },
		{ from: ['pick-up-in-doubt', 'collected-unverified'], on: ask('confirm-taken'), to: 'collected', do: [['custody', 'owner'], 'free'] },
		{ from: [...into, ...out], on: ask('write-off'), to: 'written-off' },
	]
}

function requests(): OnCase[] {
	return [
		{ from: 'ordered', on: { request: 'reserve', by: ['system', 'staff'] }, to: 'reserved', do: [['set-due', 'hold']] },
		{ from: 'reserved', on: { deadline: 'hold' }, to: 'ordered', do: [['notify', 'not-delivered']] },
		{ from: ['ready', 'expiring'], on: { request: 'extend', by: ['user'], guards: ['owner', 'not-recalled'] }, to: 'ready', do: [...anew] },
		{ from: ['ready', 'expiring'], on: { request: 'extend', by: OFFICE }, to: 'ready', do: [...anew] },
		{ from: 'arriving', on: { request: 'extend', by: OFFICE }, to: 'arriving', do: [...anew] },
	]
}

const anew = [
	['set-due', 'collect-by'],
	['notify', 'extended'],
] as const

function reminders(): OnCase[] {
	return [
		{ from: 'ready', on: { deadline: 'reminder' }, to: 'ready', do: [['notify', 'reminder']] },
		{ from: 'ready', on: { deadline: 'expiring' }, to: 'expiring', do: [['notify', 'expiring']] },
	]
}

/** Nothing is here, nothing is awaited, nothing is left to look at: what became of the parcels gives the case its end. */
function ended(): OnCase[] {
	return [
		{ from: ALIVE, on: { lines: 'none-left', in: [...OPEN, 'collected', 'pulled', 'written-off'] }, to: 'cancelled' },
		{ from: ALIVE, on: { lines: 'none-left', in: [...OPEN, 'pulled', 'written-off'] }, to: 'collected', do: [['notify', 'collected']] },
		{ from: ALIVE, on: { lines: 'none-left', in: [...OPEN, 'written-off'] }, to: 'removed', do: [['notify', 'removed']] },
		{ from: ALIVE, on: { lines: 'none-left', in: OPEN }, to: 'written-off' },
	]
}

/** The case is what the worst of its parcels is; each of these states is left by way of `ordered`, from where the next one is found. */
function summary(): OnCase[] {
	const over: OnCase['do'] = ['revoke-code', ['task', 'pull']]
	return [
		{ from: ALIVE.filter((s) => s !== 'blocked'), on: { lines: 'any', in: DOUBTFUL }, to: 'blocked' },
		{ from: 'blocked', on: { lines: 'none-left', in: DOUBTFUL }, to: 'ordered' },
		{ from: [...RUNNING, 'expired'], on: { lines: 'any', in: ['recalled'] }, to: 'recalled', do: [...over, ['notify', 'recalled']] },
		{ from: 'recalled', on: { lines: 'none-left', in: ['recalled'] }, to: 'ordered' },
		{ from: RUNNING, on: { lines: 'any', in: ['expired'] }, to: 'expired', do: [...over, ['notify', 'expired']] },
		{ from: 'expired', on: { lines: 'none-left', in: ['expired'] }, to: 'ordered' },
		{ from: ['ordered', 'reserved', 'arriving'], on: { lines: 'none-left', in: AWAITED }, to: 'ready', do: ['issue-code', ['notify', 'ready']] },
		{ from: ['ordered', 'reserved'], on: { lines: 'any', in: [...WAITING, 'collected', 'pulled'] }, to: 'arriving' },
	]
}
