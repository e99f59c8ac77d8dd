import { type Crypto, type Json, newId, type Random, type Sign } from '../../base/index.ts'
import { EVENT_TYPES, type EventDraft } from '../event.ts'
import { mint, openStream, type SignedHead, type StreamHead, signHead, streamStarted } from '../stream.ts'

const START = Date.UTC(2026, 0, 5, 9)

/** A stream of `count` plausible events of every type, for tests: the same `random` gives the same stream. */
export function sampleStream(
	count: number,
	given: { random: Random; sha256: Crypto['sha256']; sign: Sign; keyId: string },
): {
	lines: Uint8Array[]
	head: SignedHead
} {
	const { random, sha256 } = given
	const bank = newId('bank', START, random)
	let head: StreamHead = openStream(newId('stream', START, random))
	const lines: Uint8Array[] = []
	for (let i = 0; i < count; i++) {
		const draft = i === 0 ? streamStarted('ctl_1') : sampleDraft(random)
		const context = {
			bank,
			at: START + i * 137,
			mono: 1_000 + i * 137,
			clock: i % 9 ? 'good' : 'uncertain',
			bundle: 7,
			offline: i % 2 > 0,
			sha256,
		} as const
		const minted = mint(head, draft, context)
		head = minted.head
		lines.push(minted.bytes)
	}
	return { lines, head: signHead(head, START + count * 137, given.keyId, given.sign) }
}

function sampleDraft(random: Random): EventDraft {
	const [pick = 0, number = 0, text = 0] = random(3)
	const type = EVENT_TYPES[pick % EVENT_TYPES.length] ?? 'case.moved'
	const nested: Json = { to: ['on-loan', 'returned'][number % 2] ?? '', line: number, flags: [true, number % 3 === 0], label: `Tür ${text} “\n” 😀` }
	return {
		type,
		subject: newId('doorSession', START, random),
		...(number % 4 ? { actor: newId('subject', START, random) } : {}),
		data: { number, nested, é: 1, '😀': 2, '￿': 3 },
	}
}
