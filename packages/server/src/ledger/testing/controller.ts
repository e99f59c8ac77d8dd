import { testKey } from '@latchwork/core/access/testing'
import { type Id, newId, type Random } from '@latchwork/core/base'
import { type EventDraft, mint, openStream, type SignedHead, type StreamHead, signHead, streamStarted } from '@latchwork/core/ledger'
import { nodeCrypto } from '../../crypto.ts'
import type { Sender, StreamBatch } from '../admission.ts'

export const START = Date.UTC(2026, 0, 5, 9)

/** A controller with one bank, its key, and a stream that it writes. */
export function testController(random: Random, tenant: Id<'tenant'> = newId('tenant', START, random)) {
	const bank = newId('bank', START, random)
	const site = newId('site', START, random)
	const key = testKey()
	const sender: Sender = {
		tenant,
		controller: newId('controller', START, random),
		banks: new Map([[bank, site]]),
		headKeys: new Map([['edge-1', key.publicKey]]),
	}
	return { sender, bank, site, key, stream: () => testStream(random, sender, bank, key.sign) }
}

/** One life of an edge database, as the controller would have minted it. */
function testStream(random: Random, sender: Sender, bank: Id<'bank'>, signing: (bytes: Uint8Array) => Uint8Array) {
	const id = newId('stream', START, random)
	let head: StreamHead = openStream(id)
	const texts: string[] = []
	const add = (draft: EventDraft = { type: 'visit.started', subject: newId('visit', START, random), actor: 'edge', data: { n: head.seq + 1 } }) => {
		const at = START + head.seq * 100
		const minted = mint(head, draft, { bank, at, mono: head.seq, clock: 'good', bundle: 1, offline: false, sha256: nodeCrypto.sha256 })
		head = minted.head
		texts.push(new TextDecoder().decode(minted.bytes))
	}
	add(streamStarted(sender.controller))
	return {
		id,
		texts,
		add,
		/** Until the stream has `length` events. */
		grow(length: number) {
			while (texts.length < length) add()
		},
		/** Events first … last, as a message. */
		batch: (first: number, last: number, more: Partial<StreamBatch> = {}): StreamBatch => ({
			stream: id,
			first,
			events: texts.slice(first - 1, last),
			...more,
		}),
		signedHead: (): SignedHead => signHead(head, START, 'edge-1', signing),
	}
}
