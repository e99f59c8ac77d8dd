import { z } from 'zod'
import { type Id, type IdKind, isId } from '../base/index.ts'
import type { EndState } from '../door/index.ts'
import { MAX_EVENT_BYTES } from '../ledger/index.ts'

/**
 * Every message between a controller and the server. A controller is who its certificate says it is (CN = controller, O = tenant): no message
 * repeats it. Messages are JSON in UTF-8, strict: an unknown field is a fault of the sender. The broker is transport only; what must not be
 * lost is kept by its sender until the receiver's own message says that it is durable there.
 */

/** An MQTT payload above this is refused; longer things go by HTTPS. */
export const MAX_LINK_BYTES = 65_536
/** `POST /device/v1/events` takes this much: the longest event, escaped as JSON text in the worst way, still fits. */
export const MAX_POSTED_BYTES = 524_288
/** After these the kiosk takes the offline path; a later answer is dropped. */
export const ANSWER_WITHIN_MS = 2_000
/** A command is worthless after so long (trust.md R11). */
export const MAX_COMMAND_MS = 30_000
export const STATUS_EVERY_MS = 30_000
export const LINK_PATH = '/mqtt'

const id = <K extends IdKind>(kind: K) => z.custom<Id<K>>((value) => isId(kind, value), { error: `an id of kind ${kind}` })
const v = z.literal(1)
const millis = z.int().nonnegative()
const count = z.int().nonnegative()
const sequence = z.int().positive()
const code = z.string().regex(/^[a-z][a-z0-9-]{0,79}$/)
const hash = z.string().regex(/^[0-9a-f]{64}$/)
const words = z.string().min(1).max(500)
const version = z.string().regex(/^[0-9A-Za-z][0-9A-Za-z.+-]{0,79}$/)
/** Minted by whoever asks; comes back in the answer. */
const correlation = z.string().regex(/^[A-Za-z0-9_-]{8,80}$/)
/** A signed document as text: it is believed for its signature alone. */
const envelope = z.string().min(1).max(32_768)
const pem = z.string().startsWith('-----BEGIN ').max(16_384)

const signedHead = z.strictObject({
	format: z.literal('latchwork-head/1'),
	stream: id('stream'),
	seq: sequence,
	hash,
	at: millis,
	keyId: z.string().min(1).max(100),
	signature: z.string().min(1).max(100),
})

/** Events as minted, consecutive from sequence `first`; at least once, in order, kept by the edge until acknowledged. */
export const linkEvents = z.strictObject({
	v,
	stream: id('stream'),
	first: sequence,
	events: z.array(z.string().min(2).max(MAX_EVENT_BYTES)).min(1).max(1_000),
	head: signedHead.optional(),
})
export type LinkEvents = z.infer<typeof linkEvents>

/** What the server has, and will have after a crash. */
export const linkAck = z.union([
	/** The highest sequence below which nothing is missing; 0: nothing yet. */
	z.strictObject({ v, stream: id('stream'), seq: count }),
	/** A gap: send these again. */
	z.strictObject({ v, stream: id('stream'), want: z.strictObject({ from: sequence, to: sequence }) }),
	/** Never acceptable (equivocation, foreign bank, malformed): the edge raises it and stops this stream until told otherwise. */
	z.strictObject({ v, stream: id('stream'), refused: z.strictObject({ seq: count, code, text: words }) }),
])
export type LinkAck = z.infer<typeof linkAck>

export const linkAsk = z.discriminatedUnion('kind', [
	z.strictObject({ v, id: correlation, kind: z.literal('time') }),
	/** A badge or code that the bundle does not know, as its verifier under the site key; the number itself stays at the edge. */
	z.strictObject({ v, id: correlation, kind: z.literal('credential'), bank: id('bank'), verifier: z.string().min(1).max(200) }),
])
export type LinkAsk = z.infer<typeof linkAsk>

export const linkAnswer = z.discriminatedUnion('kind', [
	/** `signed`: a `latchwork-time/1` document about this very ask, by a pinned key. */
	z.strictObject({ v, id: correlation, kind: z.literal('time'), signed: envelope }),
	/** A bundle of this version or later, and the bank's deltas about people up to that one, know it, and are on their way. */
	z.discriminatedUnion('known', [
		z.strictObject({ v, id: correlation, kind: z.literal('credential'), known: z.literal(false) }),
		z.strictObject({ v, id: correlation, kind: z.literal('credential'), known: z.literal(true), bundle: sequence, people: sequence.optional() }),
	]),
	/** The server cannot tell now: go on as if offline. */
	z.strictObject({ v, id: correlation, kind: z.literal('refused'), code }),
])
export type LinkAnswer = z.infer<typeof linkAnswer>

const command = { v, id: id('command'), bank: id('bank'), issuedAt: millis, expiresAt: millis, by: z.union([id('subject'), z.literal('server')]) }
/** Expired or repeated: nothing happens, and the first result is sent again (trust.md R11). */
export const linkCommand = z
	.discriminatedUnion('kind', [
		z.strictObject({ ...command, kind: z.literal('open-remote'), compartment: id('compartment'), reason: code, case: id('case').optional() }),
		z.strictObject({ ...command, kind: z.literal('restart') }),
		z.strictObject({ ...command, kind: z.literal('self-test') }),
		/** The kiosk asks for a badge; what its reader says of it comes with the result, and nobody is identified by it. */
		z.strictObject({ ...command, kind: z.literal('read-badge') }),
		z.strictObject({ ...command, kind: z.literal('collect-logs') }),
	])
	.refine(({ issuedAt, expiresAt }) => expiresAt > issuedAt && expiresAt - issuedAt <= MAX_COMMAND_MS, {
		error: `at most ${MAX_COMMAND_MS} ms after issuedAt`,
		path: ['expiresAt'],
	})
export type LinkCommand = z.infer<typeof linkCommand>
export type CommandKind = LinkCommand['kind']

/** What a reader said of a badge, as enrolment takes it. `secure`: through an authenticated channel. */
export const shownBadge = z.strictObject({ number: z.string().regex(/^hex:\d{1,3}:(?:[0-9a-f]{2}){1,64}$/), family: code, secure: z.boolean() })
export type ShownBadge = z.infer<typeof shownBadge>

/** `accepted` may come first; `refused`, `done` and `failed` are last. `end`: how the door session ended. */
export const linkResult = z.strictObject({
	v,
	id: id('command'),
	state: z.enum(['accepted', 'refused', 'done', 'failed']),
	code: code.optional(),
	session: id('doorSession').optional(),
	end: code.optional(),
	/** Of `read-badge`: told once, and kept nowhere at the edge. */
	reading: shownBadge.optional(),
})
export type LinkResult = z.infer<typeof linkResult>

/** What the end of its door session makes of a remote open: it opened, and is shut again, or it did not. */
export const resultOfEnd = (end: EndState): 'done' | 'failed' => (end === 'committed' || end === 'no-change' ? 'done' : 'failed')

/** Every 30 s and at each connect; the offline one is the will, and is sent by a controller that stops. */
export const linkStatus = z.discriminatedUnion('online', [
	z.strictObject({
		v,
		online: z.literal(true),
		/** Trusted time of the controller, and whether it trusts it. */
		at: millis,
		clock: z.enum(['good', 'uncertain']),
		/** Start of the present run. */
		startedAt: millis,
		/** The last event minted, and how many of them the server has not acknowledged. */
		stream: id('stream'),
		seq: count,
		pending: count,
		/** Version of the bundle in force, 0 before the first; until when its lease runs. */
		bundle: count,
		leaseUntil: millis.optional(),
		storage: z.enum(['good', 'low', 'full']),
		software: version,
		/** How the site's key is kept (trust.md §3.3). */
		storageLevel: z.enum(['L0', 'L1']).optional(),
	}),
	z.strictObject({ v, online: z.literal(false), reason: z.enum(['lost', 'stopping']) }),
])
export type LinkStatus = z.infer<typeof linkStatus>

/** What was written for a bank anew. A lease is whole; a bundle is fetched by HTTPS. */
export const linkAuthority = z.discriminatedUnion('kind', [
	z.strictObject({ v, kind: z.literal('lease'), bank: id('bank'), lease: envelope }),
	z.strictObject({ v, kind: z.literal('bundle'), bank: id('bank'), version: sequence, digest: hash }),
	/** What was taken away at the bank's site, how many loans people have, and what the bank is to know of a few people: whole, too. */
	z.strictObject({ v, kind: z.literal('delta'), bank: id('bank'), delta: envelope }),
])
export type LinkAuthority = z.infer<typeof linkAuthority>

/** The channels of a controller. It may publish only the first four and subscribe only to the others, under its own id. */
export const LINK_UP = { events: linkEvents, asks: linkAsk, results: linkResult, status: linkStatus } as const
export const LINK_DOWN = { acks: linkAck, answers: linkAnswer, commands: linkCommand, authority: linkAuthority } as const
export type UpChannel = keyof typeof LINK_UP
export type DownChannel = keyof typeof LINK_DOWN
export type UpMessage<C extends UpChannel = UpChannel> = z.infer<(typeof LINK_UP)[C]>
export type DownMessage<C extends DownChannel = DownChannel> = z.infer<(typeof LINK_DOWN)[C]>

const ROOT = 'lw/1'
export const upTopic = (controller: Id<'controller'>, channel: UpChannel) => `${ROOT}/${controller}/up/${channel}`
export const downTopic = (controller: Id<'controller'>, channel: DownChannel) => `${ROOT}/${controller}/down/${channel}`
/** What a controller subscribes to, and the server. */
export const allDown = (controller: Id<'controller'>) => `${ROOT}/${controller}/down/#`
export const ALL_UP = `${ROOT}/+/up/#`

export type LinkTopic =
	| { readonly controller: Id<'controller'>; readonly way: 'up'; readonly channel: UpChannel }
	| { readonly controller: Id<'controller'>; readonly way: 'down'; readonly channel: DownChannel }

/** Undefined for every topic that is not one of ours to the letter. */
export function readTopic(topic: string): LinkTopic | undefined {
	const [root, one, controller, way, channel = '', more] = topic.split('/')
	if (`${root}/${one}` !== ROOT || more !== undefined || !isId('controller', controller)) return undefined
	if (way === 'up' && Object.hasOwn(LINK_UP, channel)) return { controller, way, channel: channel as UpChannel }
	if (way === 'down' && Object.hasOwn(LINK_DOWN, channel)) return { controller, way, channel: channel as DownChannel }
	return undefined
}

/** A message that is none is a value, because its sender is another machine: it is dropped, counted and told, never thrown. */
export type ReadMessage<T> = { readonly ok: true; readonly message: T } | { readonly ok: false; readonly text: string }

export const readUp = <C extends UpChannel>(channel: C, payload: Uint8Array, limit = MAX_LINK_BYTES): ReadMessage<UpMessage<C>> =>
	read<UpMessage<C>>(LINK_UP[channel], payload, limit)
export const readDown = <C extends DownChannel>(channel: C, payload: Uint8Array): ReadMessage<DownMessage<C>> =>
	read<DownMessage<C>>(LINK_DOWN[channel], payload, MAX_LINK_BYTES)

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function read<T>(schema: z.ZodType, payload: Uint8Array, limit: number): ReadMessage<T> {
	if (payload.length > limit) return { ok: false, text: `${payload.length} bytes; ${limit} are allowed` }
	let value: unknown
	try {
		value = JSON.parse(utf8.decode(payload))
	} catch {
		return { ok: false, text: 'not JSON in UTF-8' }
	}
	const parsed = schema.safeParse(value)
	if (parsed.success) return { ok: true, message: parsed.data as T }
	const [issue] = parsed.error.issues
	return { ok: false, text: `${issue?.path.map(String).join('.') || 'message'}: ${issue?.message ?? 'not allowed'}`.slice(0, 300) }
}

// HTTPS on the device port. `events` takes `linkEvents` and answers `linkAck`: for networks that cut WebSockets.

export const DEVICE_PATHS = {
	enrolments: '/device/v1/enrolments',
	renewals: '/device/v1/renewals',
	/**
	 * `deltas`: the bank knows those of its site up to this one, so that counts which it missed are put into the bundle first. `people`: the same for
	 * its own deltas about people; who never says it is not sent any.
	 */
	bundle: (bank: Id<'bank'>, held: { readonly deltas?: number; readonly people?: number } = {}) => {
		const query = new URLSearchParams(Object.entries(held).map(([name, n]) => [name, String(n)])).toString()
		return `/device/v1/banks/${bank}/bundle${query && `?${query}`}`
	},
	lease: (bank: Id<'bank'>) => `/device/v1/banks/${bank}/lease`,
	events: '/device/v1/events',
	/** `ask`: the correlation that the signed answer repeats. */
	time: (ask: string) => `/device/v1/time?ask=${ask}`,
} as const

/** Beside a bundle, over the device port only: base64 of the site's key, once it is another than that of the enrolment. */
export const SITE_KEY_HEADER = 'latchwork-site-key'
/** Beside each bundle: the bank's keys for one-time codes that are typed (`writeMintKeys`). */
export const MINT_KEYS_HEADER = 'latchwork-mint-keys'

const publicKey = z.strictObject({ keyId: z.string().min(1).max(100), publicKey: z.base64() })

/** Digits of a claim that a person types at the kiosk of a machine that was let in before. */
export const CLAIM_CODE_DIGITS = 10

/**
 * `claim`: the secret of a token, or the digits of a code; a code counts only from the machine whose certificate, also one that has run out, is that controller's.
 * `csr`: PKCS #10 in PEM with a P-256 key that stays on the controller. Its name is not read: the claim says who it is.
 * `head`: the Ed25519 key that signs the heads of its streams. `controller`: whose records lie on the machine already; a claim for another one is not spent.
 */
export const enrolmentRequest = z.strictObject({
	claim: z.string().min(1).max(200),
	csr: pem,
	head: publicKey.optional(),
	controller: id('controller').optional(),
})
export type EnrolmentRequest = z.infer<typeof enrolmentRequest>

/** Everything a controller needs to begin. Binary keys are base64. */
export const enrolmentAnswer = z.strictObject({
	controller: id('controller'),
	tenant: id('tenant'),
	site: id('site'),
	bank: id('bank'),
	certificate: pem,
	/** Of the tenant's devices and of the device port itself: trust these and no other. */
	ca: z.array(pem).min(1).max(8),
	/** Pinned: who may sign bundles, leases and the time. */
	makers: z
		.array(z.strictObject({ keyId: z.string().min(1).max(100), publicKey: z.base64() }))
		.min(1)
		.max(8),
	siteKey: z.base64(),
	mqtt: z.strictObject({ url: z.url() }),
	https: z.strictObject({ url: z.url() }),
})
export type EnrolmentAnswer = z.infer<typeof enrolmentAnswer>

export const renewalRequest = z.strictObject({ csr: pem })
export type RenewalRequest = z.infer<typeof renewalRequest>
export const renewalAnswer = z.strictObject({ certificate: pem, ca: z.array(pem).min(1).max(8) })
export type RenewalAnswer = z.infer<typeof renewalAnswer>

export const timeAnswer = z.strictObject({ signed: envelope })
