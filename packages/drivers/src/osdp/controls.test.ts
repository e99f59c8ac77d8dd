import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Reader, ReaderProfile } from '../reader.ts'
import { realClock } from '../testing/real-clock.ts'
import type { Received } from './codec.ts'
import { READER_CHECKS, runReaderCheck } from './conformance.ts'
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
const around = (change: (reader: Reader) => Partial<Reader>) => (): Reader => {
	const reader = osdpReader()
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

const weakened = (session: typeof cpSession) => () => osdpReader(undefined, session)

const CONTROLS: readonly (readonly [string, () => Reader, string])[] = [
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

for (const [what, make, name] of CONTROLS) {
	test(`a driver that ${what} is found out by "${name}"`, async () => {
		const check = READER_CHECKS.find((entry) => entry.name === name)
		assert.ok(check, 'the check exists')
		const { ok } = await runReaderCheck(check, 'memory', make, realClock)
		assert.equal(ok, false)
	})
}
