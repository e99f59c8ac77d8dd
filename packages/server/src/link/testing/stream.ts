import { type Id, newId } from '@latchwork/core/base'
import { type EventDraft, mint, openStream, type SignedHead, signHead, streamStarted } from '@latchwork/core/ledger'
import { nodeCrypto } from '../../crypto.ts'
import { random } from './site.ts'
import type { Enrolled } from './world.ts'

const NOON = Date.UTC(2026, 0, 7, 11, 41)

/** One life of a controller's disk, as it would have minted it. */
export function deviceStream({ answer: { controller, bank }, head: key }: Enrolled) {
	const id = newId('stream', NOON, random)
	let head = openStream(id)
	const texts: string[] = []
	const add = (draft: EventDraft): void => {
		const { seq } = head
		const minted = mint(head, draft, {
			bank: bank as Id<'bank'>,
			at: NOON + seq,
			mono: seq,
			clock: 'good',
			bundle: 1,
			offline: false,
			sha256: nodeCrypto.sha256,
		})
		head = minted.head
		texts.push(new TextDecoder().decode(minted.bytes))
	}
	add(streamStarted(controller))
	return {
		id,
		texts,
		add,
		grow(length: number) {
			while (texts.length < length) add({ type: 'visit.started', subject: newId('visit', NOON, random), actor: 'edge', data: { n: head.seq + 1 } })
		},
		/** Events first … last, as a message. */
		batch: (first: number, last: number) => ({ v: 1, stream: id, first, events: texts.slice(first - 1, last) }) as const,
		signedHead: (): SignedHead => signHead(head, NOON, 'edge-1', key.sign),
	}
}
