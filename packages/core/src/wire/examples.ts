import type { BankLayout, DenyReason, KioskScreen, KioskView } from './kiosk.ts'
import { denyReason } from './kiosk.ts'
import { CLAIM_CODE_DIGITS } from './link.ts'
import type { VirtualFault, VirtualState } from './virtual.ts'

/**
 * One example a message, and one a variant where screens differ: documentation, test data and the pictures of the gallery.
 * The site, the people and the numbers are invented; times are on Wednesday 7 January 2026 in Berlin.
 */
const noon = Date.UTC(2026, 0, 7, 11, 41)
const due = Date.UTC(2026, 0, 7, 17, 0)
const second = 1000
const minute = 60 * second

type Size = 'S' | 'M' | 'L' | 'XL'
const HEIGHT_MM: Readonly<Record<Size, number>> = { S: 150, M: 300, L: 450, XL: 600 }

/** Middle of a door between 380 and 1,220 mm above the floor, on a plinth of 100 mm: the reach from a wheelchair (ADA 308). */
const inReach = (middleMm: number) => middleMm >= 380 && middleMm <= 1_220

/** `'M M S S'` is a column of four doors from top to bottom, `_` the terminal. */
function columns(...rows: readonly string[]): BankLayout {
	let number = 0
	return {
		columns: rows.map((row) => {
			let bottomMm = 1_900
			return {
				widthMm: 400,
				cells: row.split(' ').map((size) => {
					const heightMm = size === '_' ? 900 : HEIGHT_MM[size as Size]
					bottomMm -= heightMm
					if (size === '_') return { kind: 'terminal', heightMm }
					return { kind: 'door', number: ++number, heightMm, size: size as Size, accessible: inReach(bottomMm + heightMm / 2) }
				}),
			}
		}),
	}
}

/** 24 compartments of mixed size, 2 m wide. */
export const exampleLayout = columns('M M S S L L', 'M S S S S M XL', 'M _ S L', 'L M M S XL', 'XL XL XL')

const laptop = { tag: 'LT-0418', kind: 'laptop', name: 'Laptop 14-inch' } as const
const order = { tag: 'Order 1042', kind: 'parcel', name: 'Order 1042' } as const
const bag = { tag: '2 of 3', kind: 'parcel', name: 'Order 1043' } as const
const scanner = { tag: 'SC-0077', kind: 'other', name: 'Hand scanner' } as const
const door = { number: 12 }

const base: Omit<KioskView, 'screen'> = {
	turn: 41,
	now: noon,
	bank: { name: 'HQ Lobby A', site: 'Fernholt HQ', timeZone: 'Europe/Berlin', helpPhone: '+49 30 5550 142' },
	layout: exampleLayout,
	standing: [],
	notices: [],
}

const open = { name: 'open', door, act: 'collect', item: laptop, level: 'calm', contentChanged: false } as const
const after = (ms: number, remindMs = 30 * second) => ({ openedAt: noon - ms, remindAt: noon - ms + remindMs })

type Example = readonly [id: string, screen: KioskScreen, rest?: Partial<KioskView>]

const screens: readonly Example[] = [
	['attract', { name: 'attract' }],
	['attract-left-open', { name: 'attract' }, { notices: ['door-left-open', 'bundle-stale'], standing: [{ number: 12, why: 'left-open' }] }],
	['attract-forced', { name: 'attract' }, { notices: ['door-forced', 'reader-lost'], standing: [{ number: 3, why: 'forced' }] }],
	[
		'attract-unexplained',
		{ name: 'attract' },
		{
			notices: ['door-unexplained', 'reader-insecure'],
			standing: [
				{ number: 3, why: 'unexplained' },
				{ number: 20, why: 'unexplained' },
			],
		},
	],
	['attract-by-staff', { name: 'attract' }, { notices: ['door-by-staff', 'offline'], standing: [{ number: 7, why: 'by-staff' }] }],
	['attract-low', { name: 'attract' }, { notices: ['history-lost', 'storage-low', 'clock-uncertain'] }],
	['attract-expired', { name: 'attract' }, { notices: ['bundle-expired'] }],
	['attract-codes', { name: 'attract', codes: true }],
	['asking', { name: 'asking' }],
	['pin', { name: 'pin', entered: 3, length: 8, wrong: false }],
	['pin-empty', { name: 'pin', entered: 0, length: 8, wrong: false }],
	['pin-wrong', { name: 'pin', entered: 0, length: 8, wrong: true }],
	['pin-wait', { name: 'pin', entered: 0, length: 8, wrong: true, waitUntil: noon + 16 * second }],
	['pin-code', { name: 'pin', entered: 2, length: 8, wrong: false, code: { digits: 8, hint: 0 } }],
	['pin-code-hint', { name: 'pin', entered: 9, length: 11, wrong: true, code: { digits: 8, hint: 3 }, confirms: true }],
	['pin-one-time-offered', { name: 'pin', entered: 2, length: 8, wrong: false, code: { digits: 8, hint: 0 }, oneTime: 'offered' }],
	['pin-one-time', { name: 'pin', entered: 6, length: 16, wrong: false, oneTime: 'typing' }],
	['choose', { name: 'choose', choices: [{ id: 'borrow-laptop', kind: 'borrow', item: laptop, free: 3, due }] }],
	[
		'choose-return',
		{
			name: 'choose',
			choices: [
				{ id: 'return-LT-0418', kind: 'return', item: laptop, due: due - 24 * 60 * minute, overdue: true },
				{ id: 'borrow-laptop', kind: 'borrow', item: laptop, free: 2, denied: 'overdue-block' },
			],
		},
	],
	[
		'choose-many',
		{
			name: 'choose',
			choices: [
				{ id: 'resume', kind: 'resume', item: laptop },
				{ id: 'return-LT-0418', kind: 'return', item: laptop, due },
				{ id: 'return-SC-0077', kind: 'return', item: scanner, due: due + 24 * 60 * minute },
				{ id: 'borrow-laptop', kind: 'borrow', item: laptop, free: 0, denied: 'nothing-available' },
				{ id: 'borrow-scanner', kind: 'borrow', item: scanner, free: 4, due: due + 48 * 60 * minute },
			],
		},
	],
	[
		'choose-ending',
		{ name: 'choose', choices: [{ id: 'borrow-laptop', kind: 'borrow', item: laptop, free: 3, due }] },
		{ idle: { warnAt: noon - 3 * second, endsAt: noon + 12 * second, extensionsLeft: 10 } },
	],
	[
		'choose-denied',
		{ name: 'choose', choices: [{ id: 'borrow-laptop', kind: 'borrow', item: laptop, free: 3, denied: 'not-authorised' }] },
		{ idle: { warnAt: noon - 3 * second, endsAt: noon + 12 * second, extensionsLeft: 10 } },
	],
	[
		'choose-denied-both',
		{
			name: 'choose',
			choices: [
				{ id: 'return-LT-0418', kind: 'return', item: laptop, due, denied: 'bank-full' },
				{ id: 'borrow-laptop', kind: 'borrow', item: laptop, free: 0, denied: 'quota-exceeded' },
			],
		},
	],
	['choose-out', { name: 'choose', choices: [{ id: 'borrow-laptop', kind: 'borrow', item: laptop, free: 0, denied: 'nothing-available' }] }],
	[
		'choose-parcels',
		{
			name: 'choose',
			choices: [
				{ id: 'pick-up-1', kind: 'pick-up', item: order },
				{ id: 'drop-off', kind: 'drop-off', free: 7 },
				{ id: 'pull', kind: 'pull', free: 2 },
				{ id: 'borrow-laptop', kind: 'borrow', item: laptop, free: 3, due },
			],
		},
	],
	['choose-nothing', { name: 'choose', choices: [] }],
	[
		'choose-badge-lost',
		{
			name: 'choose',
			choices: [
				{ id: 'return-LT-0418', kind: 'return', item: laptop, due },
				{ id: 'borrow-laptop', kind: 'borrow', item: laptop, free: 2, due },
				{ id: 'badge-lost', kind: 'badge-lost', free: 1 },
			],
		},
	],
	['badge-lost', { name: 'badge-lost', badges: 1, reported: false }],
	['badge-lost-two', { name: 'badge-lost', badges: 2, reported: false }],
	['badge-lost-reported', { name: 'badge-lost', badges: 1, reported: true }],
	[
		'parcels',
		{
			name: 'parcels',
			task: 'drop-off',
			from: 0,
			total: 7,
			parcels: [
				{ id: 'line-1', item: order, hint: 'M… K…', size: 'M' },
				{ id: 'line-2', item: { ...bag, tag: '1 of 3' }, hint: 'A… S…', size: 'S' },
				{ id: 'line-3', item: bag, hint: 'A… S…', size: 'L' },
				{ id: 'line-5', item: { ...order, name: 'Order 1051', tag: 'Order 1051' } },
			],
		},
	],
	[
		'parcels-strange',
		{
			name: 'parcels',
			task: 'drop-off',
			from: 0,
			total: 2,
			parcels: [
				{ id: 'line-1', item: order, hint: 'M… K…', size: 'M' },
				{ id: 'line-3', item: bag, hint: 'A… S…', size: 'L' },
			],
			strange: true,
		},
	],
	['parcels-one', { name: 'parcels', task: 'drop-off', from: 0, total: 1, parcels: [{ id: 'line-1', item: order, size: 'M' }] }],
	[
		'parcels-pull',
		{
			name: 'parcels',
			task: 'pull',
			from: 0,
			total: 2,
			parcels: [
				{ id: 'line-1', item: order, door, why: 'expired' },
				{ id: 'line-3', item: bag, door: { number: 20 }, why: 'recalled' },
			],
		},
	],
	['opening-parcel', { name: 'opening', door, act: 'deposit', item: order, task: 'drop-off', askAt: noon + 2 * second }],
	['open-drop-off', { ...open, ...after(5 * second), act: 'deposit', item: order, task: 'drop-off', larger: true }],
	['open-too-small', { ...open, ...after(9 * second), act: 'deposit', item: order, task: 'drop-off', larger: true, said: 'too-small' }],
	['open-pick-up', { ...open, ...after(5 * second), item: bag, task: 'pick-up' }],
	['open-pull', { ...open, ...after(5 * second), item: bag, task: 'pull' }],
	['opening', { name: 'opening', door, act: 'collect', item: laptop, askAt: noon + 2 * second }],
	['opening-slow', { name: 'opening', door, act: 'collect', item: laptop, askAt: noon - 2 * second }],
	['open', { ...open, ...after(12 * second) }],
	['open-taken', { ...open, ...after(12 * second), contentChanged: true }],
	['open-deposit', { ...open, ...after(5 * second), act: 'deposit' }],
	['open-again', { ...open, ...after(6 * second), again: true }],
	['opening-again', { name: 'opening', door, act: 'collect', item: laptop, askAt: noon + 2 * second, again: true }],
	['open-wrong-item', { ...open, ...after(12 * second), said: 'wrong-item' }],
	['open-empty', { ...open, ...after(12 * second), said: 'found-empty' }],
	['open-occupied', { ...open, ...after(12 * second), act: 'deposit', said: 'found-occupied' }],
	['open-stuck', { ...open, ...after(12 * second), said: 'did-not-open' }],
	['open-prompt', { ...open, ...after(45 * second, 120 * second), level: 'prompt' }],
	['open-staff', { ...open, ...after(130 * second, 300 * second), level: 'staff' }],
	[
		'open-alarm',
		{ ...open, ...after(310 * second), level: 'alarm', contentChanged: true },
		{ notices: ['door-left-open'], standing: [{ number: 12, why: 'left-open' }] },
	],
	['not-opened', { name: 'not-opened', door, act: 'collect', retry: true, other: true }],
	['not-opened-again', { name: 'not-opened', door, act: 'collect', retry: false, other: false }],
	['no-change', { name: 'no-change', door, act: 'collect', item: laptop, retry: true }],
	['no-change-deposit', { name: 'no-change', door, act: 'deposit', item: laptop, retry: false }],
	['no-change-drop-off', { name: 'no-change', door, act: 'deposit', item: order, task: 'drop-off', retry: true, larger: true }],
	['no-change-pick-up', { name: 'no-change', door, act: 'collect', item: order, task: 'pick-up', retry: true }],
	['confirm-parcel', { name: 'confirm', door, act: 'deposit', item: bag, task: 'drop-off' }],
	['confirm', { name: 'confirm', door, act: 'collect', item: laptop }],
	['confirm-deposit', { name: 'confirm', door, act: 'deposit', item: scanner }],
	['done', { name: 'done', act: 'collect', item: laptop, door, due, evidence: 3, receipt: 'LN-20417', againUntil: noon + 100 * second }],
	['done-stated', { name: 'done', act: 'collect', item: scanner, door, due: due + 24 * 60 * minute, evidence: 0, receipt: 'LN-20418' }],
	['done-deposit', { name: 'done', act: 'deposit', item: laptop, door, evidence: 2, receipt: 'LN-20417' }],
	['done-drop-off', { name: 'done', act: 'deposit', item: order, task: 'drop-off', door, evidence: 3, receipt: 'DL-30551', more: 6 }],
	[
		'done-pick-up',
		{ name: 'done', act: 'collect', item: bag, task: 'pick-up', door, evidence: 3, receipt: 'DL-30552', againUntil: noon + 100 * second, more: 1 },
	],
	['done-pick-up-last', { name: 'done', act: 'collect', item: order, task: 'pick-up', door, evidence: 4, receipt: 'DL-30553' }],
	['done-pull', { name: 'done', act: 'collect', item: order, task: 'pull', door, evidence: 2, receipt: 'DL-30554' }],
	...denyReason.options.map((reason): Example => [`denied-${reason}`, { name: 'denied', reason, ...untilOf(reason) }]),
	['needs-help', { name: 'needs-help', door, why: 'ambiguous', incident: 'INC-0093', other: false, shut: false }],
	['needs-help-empty', { name: 'needs-help', door, why: 'found-empty', incident: 'INC-0094', other: true, shut: true }],
	['needs-help-occupied', { name: 'needs-help', door, why: 'found-occupied', incident: 'INC-0095', other: true, shut: true }],
	['needs-help-wrong-item', { name: 'needs-help', door, why: 'wrong-item', incident: 'INC-0096', other: false, shut: true }],
	['bank-full', { name: 'bank-full' }],
	['bank-full-larger', { name: 'bank-full', larger: true }],
	['out-of-service', { name: 'out-of-service', why: 'board-lost' }, { notices: ['doors-lost'] }],
	['out-of-service-storage', { name: 'out-of-service', why: 'storage-full' }],
	['out-of-service-bundle', { name: 'out-of-service', why: 'bundle-missing' }],
	['help', { name: 'help' }],
	['help-known', { name: 'help', readBack: '408162' }],
	['attract-claim', { name: 'attract' }, { notices: ['claim-needed', 'bundle-expired'] }],
	['help-claim', { name: 'help', claim: true }],
	['claim', { name: 'claim', entered: 4, length: CLAIM_CODE_DIGITS, state: 'typing' }],
	['claim-asking', { name: 'claim', entered: CLAIM_CODE_DIGITS, length: CLAIM_CODE_DIGITS, state: 'asking' }],
	...(['accepted', 'refused', 'too-many', 'unreachable', 'not-kept'] as const).map(
		(state): Example => [`claim-${state}`, { name: 'claim', entered: 0, length: CLAIM_CODE_DIGITS, state }],
	),
	['badge-reading', { name: 'badge-reading', state: 'waiting' }],
	['badge-reading-read', { name: 'badge-reading', state: 'read' }],
	['badge-reading-unusable', { name: 'badge-reading', state: 'unusable' }],
]

function untilOf(reason: DenyReason): { until?: number } {
	if (reason === 'outside-hours') return { until: noon + 19 * 60 * minute }
	if (reason === 'pin-suspended') return { until: Date.UTC(2026, 0, 7, 23, 0) }
	return {}
}

/** What the kiosk page gets, by a name for each case. */
export const kioskExamples: ReadonlyMap<string, KioskView> = new Map(screens.map(([id, screen, rest]) => [id, { ...base, ...rest, screen }]))

const compartmentsOf = (layout: BankLayout) =>
	layout.columns.flatMap((column, board) =>
		column.cells.flatMap((cell) => (cell.kind === 'door' ? [{ number: cell.number, board: board < 3 ? 0 : 1 }] : [])),
	)

const inside = new Map([
	[3, 'LT-0402'],
	[12, 'LT-0418'],
	[18, 'LT-0377'],
])

/** What the page of the virtual bank gets. */
export const virtualExample: VirtualState = {
	banks: [
		{
			id: 'hq-lobby-a',
			name: 'HQ Lobby A',
			layout: exampleLayout,
			compartments: compartmentsOf(exampleLayout).map(({ number, board }) => {
				const tag = inside.get(number)
				return {
					number,
					board,
					door: number === 12 ? 'open' : 'closed',
					item: tag !== undefined,
					...(tag === undefined ? {} : { tag }),
					pulses: number === 12 ? 1 : 0,
					faults: number === 16 ? { stuckLock: true } : {},
				}
			}),
			outside: ['LT-0420', 'LT-0391'],
			boards: [
				{ board: 0, faults: {} },
				{ board: 1, faults: { corrupt: { rate: 0.02, direction: 'both' } } },
			],
			reader: { led: 'green', online: true, offline: false, secure: true, tamper: false },
		},
	],
	people: [
		{ name: 'Amira Haddad', badge: '1048576', pin: '27182818', qr: ['LW1.7Q2M-DEMO-A', 'LW1.7Q2M-DEMO-B'] },
		{ name: 'Jonas Brandt', badge: '1048577', pin: '31415926', qr: ['LW1.9K4T-DEMO-A'] },
		{ name: 'Mei Tanaka', badge: '1048578', pin: '16180339', qr: [] },
	],
	parcels: [
		{ order: 'Order 1042', tag: 'PX-1042', code: '40815162', qr: 'LW1.3X8B-DEMO-A', expected: true },
		{ order: 'Order 1043', tag: 'PX-1043', code: '23424815', qr: 'LW1.3X8B-DEMO-B', expected: false, door: 9 },
		{ order: 'Order 1044', tag: 'PX-1044', code: '90210042', qr: 'LW1.3X8B-DEMO-C', expected: false },
	],
	kiosk: 'http://127.0.0.1:7300/',
	clock: { now: noon, virtual: true },
}

/** One of each kind of fault. */
export const virtualFaultExamples: readonly VirtualFault[] = [
	{ compartment: 16, stuckLock: true },
	{ compartment: 12, sensor: null, lateOpenMs: 1500 },
	{ compartment: 12, opensByItself: true },
	{ board: 1, corrupt: { rate: 0.02, direction: 'both' } },
	{ board: 0, silent: true, echo: false, answerDelayMs: 200 },
	{ reader: { offline: true } },
]
