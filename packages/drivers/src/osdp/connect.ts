import type { Line, Outcome } from './line.ts'
import { ANSWER, askCapabilities, askId, CAPABILITY, keyset, type Message, readCapabilities } from './messages.ts'
import { DEFAULT_KEY } from './secure-channel.ts'
import { type CpSession, type Handshake, handshake } from './session.ts'

export type Connection =
	/** `key`: the one that both sides proved; absent on a deliberately plain line. */
	| { readonly kind: 'online'; readonly key?: Uint8Array }
	/** The reader got its own key just now and waits for a handshake with it. */
	| { readonly kind: 'installed' }
	| Extract<Handshake, { kind: 'refused' }>
	| Exclude<Outcome, { kind: 'answer' }>

export interface ConnectParts {
	readonly line: Line
	readonly session: CpSession
	readonly random: (n: number) => Uint8Array
	/** Tried in this order; two while a change of keys is not settled. Empty: the line is plain by decision. */
	readonly keys: readonly Uint8Array[]
	readonly installing: boolean
}

/** From nothing to online: who are you, what can you do, prove it. With a key in the profile there is no way around the proof. */
export async function connect(parts: ConnectParts): Promise<Connection> {
	parts.session.restart()
	const id = await expect(parts.line, askId(), ANSWER.id)
	if (id.kind !== 'answer') return id
	const cap = await expect(parts.line, askCapabilities(), ANSWER.cap)
	if (cap.kind !== 'answer') return cap
	if (parts.keys.length === 0) return { kind: 'online' }

	// This answer is in clear and may have been edited on the way, so a missing ability is an alarm and no reason for less.
	const security = readCapabilities(cap.data).get(CAPABILITY.security)
	if (((security?.compliance ?? 0) & 1) === 0) return { kind: 'refused', code: 'no-secure-channel' }
	const proven = await proveWithAny(parts)
	if (proven.kind !== 'refused' || !parts.installing) return proven
	return install(parts, proven)
}

async function proveWithAny(parts: ConnectParts): Promise<Connection> {
	let first: Connection | undefined
	for (const key of parts.keys) {
		const result = await prove(parts, key)
		if (result.kind === 'secure') {
			parts.session.secure(result.channel)
			return { kind: 'online', key }
		}
		if (result.kind !== 'refused') return result
		first ??= result
	}
	return first ?? { kind: 'lost' }
}

/** Only inside the time that an administrator opened: the published key carries the own one into the reader, and nothing else. */
async function install(parts: ConnectParts, refusal: Connection): Promise<Connection> {
	const [own] = parts.keys
	const result = await prove(parts, DEFAULT_KEY)
	if (result.kind === 'refused' || !own) return refusal
	if (result.kind !== 'secure') return result
	parts.session.secure(result.channel)
	const answer = await expect(parts.line, keyset(own), ANSWER.ack)
	return answer.kind === 'answer' ? { kind: 'installed' } : answer
}

async function prove({ line, random }: ConnectParts, key: Uint8Array): Promise<Handshake | Exclude<Outcome, { kind: 'answer' }>> {
	const dialogue = handshake(key, random(8))
	let step = dialogue.next()
	while (!step.done) {
		const outcome = await line.exchange(step.value)
		if (outcome.kind !== 'answer') return outcome
		step = dialogue.next(outcome)
	}
	return step.value
}

/** Any other answer than the one that belongs to the command counts as no connection. */
async function expect(line: Line, command: Message, code: number): Promise<Outcome> {
	const outcome = await line.exchange(command)
	return outcome.kind === 'answer' && outcome.code !== code ? { kind: 'lost' } : outcome
}
