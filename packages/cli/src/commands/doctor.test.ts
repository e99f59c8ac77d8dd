import assert from 'node:assert/strict'
import { test } from 'node:test'
import { newId } from '@latchwork/core/base'
import type { Health, Problem } from '@latchwork/edge/health'
import { pinGuessing, remediesFor, wiringFits } from './doctor.ts'

const id = <K extends 'credential' | 'subject'>(kind: K) => newId(kind, Date.UTC(2026, 10, 22), (n) => crypto.getRandomValues(new Uint8Array(n)))
const settings = { wrongPinsPerDay: 100, loanDue: { kind: 'hours', hours: 8 }, leaseRequired: true } as const
const pins = (count: number) =>
	Array.from({ length: count }, () => ({
		id: id('credential'),
		kind: 'pin' as const,
		subject: id('subject'),
		verifier: '0'.repeat(64),
		commitment: '0'.repeat(64),
		assurance: 'low' as const,
	}))

test('the chance of guessing a PIN within a year at one kiosk is said, and above 1 % it is bad and names the length that is enough', () => {
	const four = pins(4)
	const good = pinGuessing({ version: 7, credentials: four, revoked: { epoch: 0, ids: [] }, settings: { ...settings, pinLength: 8 } })
	assert.equal(good.ok, true)
	assert.match(good.what, /^bundle 7: 4 PINs, 100 wrong tries a day: .* 0\.15 %, if all have the 8 digits that new PINs get; .* as short as it was/)
	const short = pinGuessing({ version: 8, credentials: four, revoked: { epoch: 0, ids: [] }, settings: { ...settings, pinLength: 6 } })
	assert.equal(short.ok, false)
	assert.match(short.remedy ?? '', /Use 8 digits/)
	const many = pins(28)
	const over = { version: 9, credentials: many, settings: { ...settings, pinLength: 8 } }
	assert.equal(pinGuessing({ ...over, revoked: { epoch: 0, ids: [] } }).ok, false)
	assert.equal(pinGuessing({ ...over, revoked: { epoch: 1, ids: [many[0]?.id ?? assert.fail()] } }).ok, true, 'a revoked PIN opens nothing')
	const code = {
		id: id('credential'),
		case: newId('case', 0, (n) => new Uint8Array(n)),
		verifier: '1'.repeat(64),
		commitment: '1'.repeat(64),
		notAfter: 1,
	}
	const both = pinGuessing({ ...over, credentials: many.slice(1), codes: [code], revoked: { epoch: 0, ids: [] } })
	assert.equal(both.ok, false, 'a pick-up code counts as a PIN does')
	assert.match(both.what, /27 PINs and 1 pick-up codes, .* if all have the 8 digits/)
})

const DAY = 86_400_000
const well: Health = {
	ok: true,
	problems: [],
	controller: 'ctl_one',
	bank: 'bnk_one',
	head: { stream: 'str_one', seq: 1, hash: '' },
	lost: null,
	storage: 'good',
	waiting: { count: 0, oldestMs: 0 },
	authority: 'fresh',
	bundle: 7,
	refused: null,
	link: null,
	clock: { now: 20 * DAY, uncertain: false, proven: 20 * DAY },
	boards: [{ bus: 'a', board: 0, up: true }],
	readers: [{ id: 'rdr_one', family: 'osdp', online: true, secure: true }],
	doors: [],
	unseen: 0,
	screen: 'attract',
}
const link: NonNullable<Health['link']> = {
	server: 'https://devices.example',
	online: true,
	way: 'mqtt',
	lost: false,
	why: undefined,
	dropped: 0,
	pending: 0,
	refused: [],
	certificateUntil: 30 * DAY,
	claim: false,
}
const TROUBLES: Readonly<Record<Problem, { readonly health: Partial<Health>; readonly line: RegExp }>> = {
	'door-forced': { health: { doors: [{ door: 3, sensor: 'closed', hold: 'quarantined', why: 'forced' }] }, line: /door 3 was opened by force/ },
	'door-open': { health: { doors: [{ door: 3, sensor: 'open' }] }, line: /door 3 stands open.*push it shut/ },
	'door-left-open': { health: { doors: [{ door: 3, sensor: 'open', session: 'opened' }] }, line: /door 3 has stood open/ },
	'door-held': {
		health: { doors: [{ door: 3, sensor: 'closed', hold: 'pending-inspection', why: 'history-lost' }] },
		line: /door 3 is pending-inspection \(history-lost\).*edge settle 3/,
	},
	'board-lost': { health: { boards: [{ bus: 'a', board: 1, up: false }] }, line: /lock board 1 on a/ },
	'reader-lost': { health: { readers: [{ id: 'rdr_one', family: 'osdp', online: false, secure: false }] }, line: /osdp reader.*cable/ },
	'history-lost': { health: {}, line: /settle --history/ },
	'stream-refused': {
		health: { link: { ...link, refused: [{ stream: 'str_one', seq: 7, code: 'equivocation' }] } },
		line: /str_one from 7 on \(equivocation\)/,
	},
	'claim-needed': { health: { link: { ...link, online: false, claim: true } }, line: /lets this controller in no more.*claim code.*at the kiosk/ },
	'link-lost': { health: { link: { ...link, online: false, lost: true, why: 'refused' } }, line: /does not answer \(refused\).*devices\.example/ },
	'records-wait': { health: { waiting: { count: 4, oldestMs: 10 } }, line: /4 facts.*free some space/ },
	'storage-low': { health: {}, line: /free some space/ },
	'clock-uncertain': { health: {}, line: /set it/ },
	'bundle-missing': { health: {}, line: /until one arrives/ },
	'bundle-expired': { health: { clock: { now: 30 * DAY, uncertain: false, proven: 20 * DAY } }, line: /10 days ahead of all that was signed/ },
	'lease-expired': { health: {}, line: /until a new one arrives$/ },
	'bundle-refused': {
		health: { refused: { what: 'bundle', code: 'bundle-rollback', why: 'bundle-rollback', text: 'Bundle 6 is older than 7.' } },
		line: /bundle refused \(bundle-rollback, .*Bundle 6 is older than 7\. Bundle 7 stays in force/,
	},
	'lease-refused': {
		health: { refused: { what: 'lease', code: 'bundle-invalid', why: 'lease-signature', text: 'No signature.' } },
		line: /lease refused \(bundle-invalid, lease-signature\)/,
	},
}

test('every problem that health can name has its line, which says what to do', () => {
	assert.deepEqual(remediesFor(well), [])
	for (const [problem, { health, line }] of Object.entries(TROUBLES)) {
		const lines = remediesFor({ ...well, ...health, ok: false, problems: [problem as Problem] })
		assert.equal(lines.length, 1, problem)
		assert.match(lines[0] ?? '', line)
	}
})

test('wiring that names a door of another bank, or forgets one of its own, is told with which', () => {
	const bank = [
		{ id: 'cmp_a', number: 1 },
		{ id: 'cmp_b', number: 2 },
	]
	assert.deepEqual(wiringFits([{ id: 'cmp_a' }, { id: 'cmp_b' }], bank), [])
	const [strange, missing] = wiringFits([{ id: 'cmp_a' }, { id: 'cmp_x' }], bank)
	assert.match(`${strange?.what} ${strange?.remedy}`, /1 compartments are of no door.*cmp_x/)
	assert.match(`${missing?.what} ${missing?.remedy}`, /1 doors of this bank are wired nowhere.*door 2/)
})
