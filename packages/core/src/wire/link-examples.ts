import type { DownChannel, DownMessage, EnrolmentAnswer, EnrolmentRequest, RenewalAnswer, RenewalRequest, UpChannel, UpMessage } from './link.ts'

/** One example a message and a variant; the suites of the edge and of the server both run them. */
const at = Date.UTC(2026, 0, 7, 11, 41)
const uuid = (n: number) => `019b9864-c3a0-7000-8000-${n.toString(16).padStart(12, '0')}`
const bank = `bnk_${uuid(1)}` as const
const stream = `str_${uuid(2)}` as const
const subject = `sub_${uuid(3)}` as const
const cause = `cas_${uuid(4)}` as const
const command = (n: number) => `cmd_${uuid(0x100 + n)}` as const
const ask = (n: number) => `ask-${uuid(0x200 + n)}`
const hash = 'c0'.repeat(32)

/** Events travel as the very text that was hashed. */
const event = (seq: number) =>
	`{"at":${at + seq},"bank":"${bank}","bundle":7,"clock":"good","data":{},"mono":${seq},"offline":false,"prev":"${hash}","seq":${seq},"stream":"${stream}","subject":"ctl_${uuid(5)}","type":"controller.started","v":1}`

const signature = `${'A'.repeat(86)}==`
const document = (signed: string) => `{"signatures":[{"keyId":"maker-1","signature":"${signature}"}],"signed":${signed}}`
const lease = document(`{"bank":"${bank}","bundleVersion":7,"format":"latchwork-lease/1","issuedAt":${at},"until":${at + 3_600_000}}`)
const time = document(`{"ask":"${ask(1)}","at":${at},"format":"latchwork-time/1"}`)
const head = { format: 'latchwork-head/1', stream, seq: 42, hash, at, keyId: 'head-1', signature } as const
const issued = { v: 1, bank, issuedAt: at, expiresAt: at + 30_000, by: subject } as const

export const upExamples: { readonly [C in UpChannel]: readonly UpMessage<C>[] } = {
	events: [
		{ v: 1, stream, first: 41, events: [event(41), event(42)], head },
		{ v: 1, stream, first: 43, events: [event(43)] },
	],
	asks: [
		{ v: 1, id: ask(1), kind: 'time' },
		{ v: 1, id: ask(2), kind: 'credential', bank, verifier: 'pT9mR0vJ3n6c1yQ7Zk2XbA' },
	],
	results: [
		{ v: 1, id: command(1), state: 'accepted', session: `dos_${uuid(6)}` },
		{ v: 1, id: command(1), state: 'done', session: `dos_${uuid(6)}`, end: 'committed' },
		{ v: 1, id: command(2), state: 'refused', code: 'compartment-unavailable' },
		{ v: 1, id: command(3), state: 'failed', code: 'command-expired' },
	],
	status: [
		{
			v: 1,
			online: true,
			at,
			clock: 'good',
			startedAt: at - 86_400_000,
			stream,
			seq: 42,
			pending: 0,
			bundle: 7,
			leaseUntil: at + 3_600_000,
			storage: 'good',
			software: '0.1.0',
		},
		{ v: 1, online: true, at, clock: 'uncertain', startedAt: at, stream, seq: 0, pending: 0, bundle: 0, storage: 'low', software: '0.1.0' },
		{ v: 1, online: false, reason: 'lost' },
		{ v: 1, online: false, reason: 'stopping' },
	],
}

export const downExamples: { readonly [C in DownChannel]: readonly DownMessage<C>[] } = {
	acks: [
		{ v: 1, stream, seq: 42 },
		{ v: 1, stream, want: { from: 38, to: 40 } },
		{ v: 1, stream, refused: { seq: 41, code: 'event-invalid', text: 'Event 41 was sent before with other bytes.' } },
	],
	answers: [
		{ v: 1, id: ask(1), kind: 'time', signed: time },
		{ v: 1, id: ask(2), kind: 'credential', known: false },
		{ v: 1, id: ask(2), kind: 'credential', known: true, bundle: 8 },
		{ v: 1, id: ask(2), kind: 'refused', code: 'database-unavailable' },
	],
	commands: [
		{ ...issued, id: command(1), kind: 'open-remote', compartment: `cmp_${uuid(7)}`, reason: 'forgotten-badge', case: cause },
		{ ...issued, id: command(2), kind: 'restart' },
		{ ...issued, id: command(3), kind: 'self-test', by: 'server' },
		{ ...issued, id: command(4), kind: 'collect-logs' },
		{ ...issued, id: command(5), kind: 'read-badge' },
	],
	authority: [
		{ v: 1, kind: 'lease', bank, lease },
		{ v: 1, kind: 'bundle', bank, version: 8, digest: hash },
		{ v: 1, kind: 'delta', bank, delta: '{"signatures":[],"signed":{}}' },
	],
}

const pem = (label: string) => `-----BEGIN ${label}-----\nMIIBszCCAVmgAwIBAgIUQ2xhaW0=\n-----END ${label}-----\n`
export const deviceExamples: {
	readonly enrolmentRequest: EnrolmentRequest
	readonly enrolmentAnswer: EnrolmentAnswer
	readonly renewalRequest: RenewalRequest
	readonly renewalAnswer: RenewalAnswer
} = {
	enrolmentRequest: { claim: 'lwc_8K3mPq0sT7vXy2Bd', csr: pem('CERTIFICATE REQUEST'), head: { keyId: 'head-1', publicKey: `${'A'.repeat(43)}=` } },
	enrolmentAnswer: {
		controller: `ctl_${uuid(5)}`,
		tenant: `ten_${uuid(8)}`,
		site: `sit_${uuid(9)}`,
		bank,
		certificate: pem('CERTIFICATE'),
		ca: [pem('CERTIFICATE')],
		makers: [{ keyId: 'maker-1', publicKey: `${'A'.repeat(43)}=` }],
		siteKey: `${'A'.repeat(43)}=`,
		mqtt: { url: 'wss://devices.fernholt.example:8443/mqtt' },
		https: { url: 'https://devices.fernholt.example:8443' },
	},
	renewalRequest: { csr: pem('CERTIFICATE REQUEST') },
	renewalAnswer: { certificate: pem('CERTIFICATE'), ca: [pem('CERTIFICATE')] },
}
