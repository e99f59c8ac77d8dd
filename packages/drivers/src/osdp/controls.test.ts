import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reader, ReaderEvent, ReaderProfile } from '../reader.ts'
import { uncontrolled } from '../testing/list.ts'
import type { MakeReader } from '../testing/reader-bench.ts'
import { runReaderCheck } from '../testing/reader-suite.ts'
import { realClock } from '../testing/real-clock.ts'
import type { DriverClock, Transport } from '../transport/index.ts'
import { goldenVectors } from './checks/vectors.ts'
import type { Received } from './codec.ts'
import { crc16, decodePacket, encodePacket } from './codec.ts'
import { OSDP_FAMILY } from './conformance.ts'
import { osdpReader } from './driver.ts'
import { ANSWER, NAK } from './messages.ts'
import { type CpSession, cpSession, type Verdict } from './session.ts'

/** Drivers with a planted weakness. Each must fail the named check in memory, or the list does not see what it is there for. */

/** The true session, except that `judge` is asked first what it makes of a packet. */
const judging =
	(weak: (packet: Received, session: CpSession) => Verdict | undefined): typeof cpSession =>
	(address) => {
		const session = cpSession(address)
		return { ...session, judge: (packet) => weak(packet, session) ?? session.judge(packet) }
	}
/** As `judging`, but `weak` may overrule a verdict. */
const overruling =
	(weak: (verdict: Verdict, packet: Received, session: CpSession) => Verdict): typeof cpSession =>
	(address) => {
		const session = cpSession(address)
		return { ...session, judge: (packet) => weak(session.judge(packet), packet, session) }
	}
const answer = ({ code, data }: Received): Verdict => ({ kind: 'answer', code, data })

/** Looks at three bytes of the MAC only: tries every value of the first until one fits. */
const shortMac = overruling((verdict, packet, session) => {
	let now = verdict
	for (let byte = 0; byte < 256 && packet.mac && now.kind === 'alarm' && now.code === 'mac-mismatch'; byte++) {
		now = session.judge({ ...packet, mac: Uint8Array.of(byte, ...packet.mac.subarray(1)) })
	}
	return now
})

const believesReplays = (): typeof cpSession => {
	const heard = new Map<string, Verdict>()
	return overruling((verdict, packet) => {
		const bytes = packet.mac?.join() ?? ''
		if (verdict.kind === 'answer' && packet.mac) heard.set(bytes, verdict)
		return verdict.kind === 'alarm' ? (heard.get(bytes) ?? verdict) : verdict
	})
}

const believesPlain = overruling((verdict, packet) => (verdict.kind === 'alarm' && verdict.code === 'plain-refused' ? answer(packet) : verdict))
const ignoresNumbers = overruling((verdict) => (verdict.kind === 'alarm' && verdict.code === 'replay' ? { kind: 'ignored' } : verdict))
const silentAboutMac = overruling((verdict) => (verdict.kind === 'alarm' && verdict.code === 'mac-mismatch' ? { kind: 'ignored' } : verdict))
const anyAddress = judging((packet, session) => (packet.answer && packet.address !== 5 ? session.judge({ ...packet, address: 5 }) : undefined))
const deafToLoss = judging((packet) => (packet.code === ANSWER.nak && packet.data[0] === NAK.notSecure ? { kind: 'ignored' } : undefined))
/** Every copy is an attack to it, also the one it asked for. */
const noCopies: typeof cpSession = (address) => {
	const session = cpSession(address)
	let taken = -1
	return {
		...session,
		judge(packet) {
			if (packet.answer && session.isSecure() && packet.sequence === taken) return { kind: 'alarm', code: 'replay' }
			const verdict = session.judge(packet)
			if (verdict.kind === 'answer') taken = packet.sequence
			return verdict
		},
	}
}
/** A retry gets the next number, so the reader takes it for a new command and its last report is lost. */
const renumbersRetries: typeof cpSession = (address) => {
	const session = cpSession(address)
	return { ...session, again: () => session.command({ code: 0x60, data: new Uint8Array(0) }) }
}

/** The true driver behind a changed profile or with changed events. */
const around =
	(change: (reader: Reader) => Partial<Reader>) =>
	(product?: string): Reader => {
		const reader = osdpReader(product)
		return { ...reader, caps: reader.caps, ...change(reader) }
	}
const withProfile = (change: (profile: ReaderProfile) => ReaderProfile) =>
	around((reader) => ({ start: (io, profile, clock, emit) => reader.start(io, change(profile), clock, emit) }))
/** Goes on in clear where the reader says that it cannot do better. */
const fallsBack = around((reader) => {
	let plain: Reader | undefined
	return {
		start: (io, profile, clock, emit) =>
			reader.start(io, profile, clock, (event) => {
				emit(event)
				if (event.kind !== 'security' || event.code !== 'no-secure-channel' || plain) return
				plain = osdpReader()
				void reader.stop()
				void plain.start(io, { address: profile.address ?? 0, allowPlain: true }, clock, emit)
			}),
		stop: async () => {
			await reader.stop()
			await plain?.stop()
		},
	}
})

/** Says other things than it found out. */
const saying = (change: (event: ReaderEvent, emit: (event: ReaderEvent) => void, clock: DriverClock) => void) =>
	around((reader) => ({ start: (io, profile, clock, emit) => reader.start(io, profile, clock, (event) => change(event, emit, clock)) }))
/** Hears or writes other bytes than there are. */
const onWire = (change: (io: Transport, emit: (event: ReaderEvent) => void) => Partial<Transport>) =>
	around((reader) => ({ start: (io, profile, clock, emit) => reader.start({ ...io, ...change(io, emit) }, profile, clock, emit) }))
const hearing = (pass: (bytes: Uint8Array, emit: (event: ReaderEvent) => void) => boolean) =>
	onWire((io, emit) => ({ onData: (listener) => io.onData((bytes) => void (pass(bytes, emit) && listener(bytes))) }))

/** What it says once up and never after a loss. */
const downForEver = () => {
	let downs = 0
	return saying((event, emit) => {
		if (event.kind === 'reader-down') downs++
		if (downs === 0 || event.kind === 'reader-down') emit(event)
	})
}
const upAtOnceOrNever = () => {
	let since = -1
	return saying((event, emit, clock) => {
		if (since < 0) since = clock.mono()
		if (event.kind === 'reader-up' && clock.mono() > 2_000) return
		emit(event)
	})
}
const sometimesTwice = () => {
	let cards = 0
	return saying((event, emit) => {
		emit(event)
		if (event.kind === 'card' && ++cards % 50 === 0) emit(event)
	})
}
const leaksItsKey = around((reader) => {
	let key: Uint8Array | undefined
	return {
		start(io, profile, clock, emit) {
			key = profile.key
			return reader.start(io, profile, clock, emit)
		},
		stats: () => Object.assign(reader.stats(), { key: key?.join() }),
	}
})

const weakened = (session: typeof cpSession) => (product?: string) => osdpReader(product, session)

const CONTROLS: readonly (readonly [string, MakeReader, string])[] = [
	['takes a chunk for a packet', hearing((bytes) => bytes.length > 1), 'answers cut into single bytes are put together'],
	[
		'counts no rubbish',
		around((reader) => ({ stats: () => ({ ...reader.stats(), resyncs: 0, badFrames: 0 }) })),
		'rubbish, the own echo and half a packet before the answer are survived',
	],
	[
		'never says that the reader is gone',
		saying((event, emit) => void (event.kind !== 'reader-down' && emit(event))),
		'silence: down within its limit, an alarm for the lost channel, up again by itself',
	],
	[
		'believes what nobody asked for',
		weakened(judging((packet) => (packet.answer && packet.code === ANSWER.keys ? answer(packet) : undefined))),
		'a report that nobody asked for, between question and answer, is not believed and disturbs neither',
	],
	[
		'looks at no profile',
		around(() => ({ start: async () => {} })),
		'no key, a short key, the published key, an impossible address: refused before any byte',
	],
	['comes up at once or never', upAtOnceOrNever(), 'absent at the start, plugged in later'],
	['stays down after a lost port', downForEver(), 'the port vanishes and returns, shortly and for longer than the reader keeps its session'],
	[
		'tells a known state as news',
		saying((event, emit) => {
			emit(event)
			if (event.kind === 'reader-up') emit({ kind: 'tamper', active: true })
		}),
		'what is found at the start or after a loss is told once, and again only when it has changed meanwhile',
	],
	[
		'goes on after its end',
		around(() => ({ stop: async () => {} })),
		'stopped while it says "come in": no further packet, which is also what a killed process sends, and the lamp goes back by itself',
	],
	[
		'takes noise for keys',
		hearing((bytes, emit) => {
			if (bytes.length === 7) emit({ kind: 'keys', keys: '1', secure: true })
			return true
		}),
		'10,000 random strings: no throw, no read, and online again afterwards',
	],
	['tells every fiftieth card twice', sometimesTwice(), 'an hour at 2 % byte errors: no false read, none twice, and all recover'],
	['shows its key in its counters', leaksItsKey, 'no key and no card number in any text'],
	[
		'listens to a keypad that its product lacks',
		() => osdpReader(),
		'each product claims what it is, and what it lacks is neither used nor listened to',
	],
	['takes a MAC for right that is right in three bytes', weakened(shortMac), 'a flipped MAC: alarm, not believed'],
	['says nothing of a wrong MAC', weakened(silentAboutMac), 'changed data under a right check: alarm, not believed'],
	['believes played-back answers', weakened(believesReplays()), 'a played-back card: alarm, not believed'],
	['believes answers in clear', weakened(believesPlain), 'answers in clear inside the channel: alarm, not believed'],
	['does not look at numbers', weakened(ignoresNumbers), 'an answer with a number out of order: alarm, not believed'],
	['falls back to plain', fallsBack, 'capabilities without security: alarm, no fall-back'],
	[
		'is always in install mode',
		withProfile((profile) => ({ ...profile, installUntil: Number.MAX_SAFE_INTEGER })),
		'the published key outside install mode: alarm, never up, and no key given away',
	],
	[
		'never installs',
		withProfile(({ address = 0, key }) => ({ address, ...(key && { key }) })),
		'install mode: the own key is brought in, and only that is used from then on',
	],
	['forgets a lost session', weakened(deafToLoss), 'a forged "session lost": a new handshake, and nothing believed in between'],
	['listens to other readers on the line', weakened(anyAddress), 'two answers in one chunk are told apart'],
	['takes its own retry for an attack', weakened(noCopies), 'a late answer is neither lost nor taken for the next one'],
	['gives a retry a new number', weakened(renumbersRetries), 'wrong check bytes and a wrong address are refused, counted, and change nothing'],
	[
		'keeps the old key after KEYSET',
		around(() => ({ rotateKey: async () => {} })),
		'a new key by KEYSET: the channel is built again under it, and the old one is out',
	],
	[
		'says no word about overflow',
		around((reader) => ({
			start: (io, profile, clock, emit) => reader.start(io, profile, clock, (event) => (event.kind === 'security' ? undefined : emit(event))),
		})),
		'a flood of reads is bounded and raises one overflow',
	],
	[
		'claims what it cannot',
		around((reader) => ({ caps: { ...reader.caps, scan: true } })),
		'what its caps claim, it does: card, keys, lamp, buzzer, tamper, power',
	],
	['leaves its timers behind', around(() => ({ stop: async () => {} })), 'a reader that enforces security comes up'],
]

const checkNamed = (name: string) => OSDP_FAMILY.checks.find((check) => check.name === name) ?? assert.fail(`there is no check "${name}"`)

for (const [what, make, name] of CONTROLS) {
	test(`a driver that ${what} is found out by "${name}"`, async () => {
		const { ok } = await runReaderCheck(checkNamed(name), 'memory', make, realClock)
		assert.equal(ok, false)
	})
}

test('a codec with another check or another order of bytes is found out by the golden vectors', async () => {
	const broken = [
		{ crc16: (bytes: Uint8Array) => crc16(bytes) ^ 1, decodePacket, encodePacket },
		{ crc16, decodePacket: () => undefined, encodePacket },
		{ crc16, decodePacket, encodePacket: ((...args) => encodePacket(...args).reverse()) satisfies typeof encodePacket },
	]
	for (const codec of broken) assert.equal((await runReaderCheck(goldenVectors(codec), 'memory', () => osdpReader(), realClock)).ok, false)
	assert.equal((await runReaderCheck(goldenVectors(), 'memory', () => osdpReader(), realClock)).ok, true)
})

test('each item of the list has a planted weakness', () => {
	assert.deepEqual(uncontrolled(OSDP_FAMILY.checks, [1, ...CONTROLS.map(([, , name]) => checkNamed(name).item)]), [])
})
