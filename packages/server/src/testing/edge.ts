import { testKey } from '@latchwork/core/access/testing'
import { type Id, newId } from '@latchwork/core/base'
import { type EventDraft, mint, openStream, streamStarted } from '@latchwork/core/ledger'
import { openAuthority } from '../authority/index.ts'
import { caseApplier } from '../cases/index.ts'
import { nodeCrypto } from '../crypto.ts'
import { applyEdgeEvents, compartmentsOf, createController, heardController, setCertificate } from '../estate/index.ts'
import { openInbox, type Sender } from '../ledger/index.ts'
import { findCommand, sentCommand, settleCommand } from '../space/index.ts'
import type { TestApi, TestTenant } from './api.ts'

/** The controller of a tenant's bank, without a link: what it records is taken in as if it had come over one. */
export interface TestEdge {
	readonly controller: Id<'controller'>
	/** Compartments by the number on the door. */
	readonly doors: ReadonlyMap<number, Id<'compartment'>>
	/** Records these, which get their positions and wake whoever follows. */
	tell(...drafts: readonly EventDraft[]): Promise<void>
	/** `storageLevel`: what it says of itself; left out: nothing, as one of before. */
	heard(online: boolean, storageLevel?: 'L0' | 'L1'): Promise<void>
	/** The server makes the bundle that is due, and the controller accepts it. */
	obeys(): Promise<void>
	/** Says what became of a command. */
	answer(command: Id<'command'>, state: 'sent' | 'accepted' | 'refused' | 'done' | 'failed', end?: string): Promise<void>
}

export async function testEdge(api: TestApi, { id: tenant, bank, site }: TestTenant): Promise<TestEdge> {
	const { store, clock, parts } = api
	const { random } = parts
	const change = () => ({ actor: 'server' as const, now: clock.now(), random })
	const { controller, doors } = await store.write(tenant, async (tx) => {
		const made = await createController(tx, change(), { bank, name: 'Lobby controller' })
		await setCertificate(tx, change(), made.id, { fingerprint: 'a'.repeat(64), until: clock.now() + 90 * 86_400_000 })
		return { controller: made.id, doors: new Map((await compartmentsOf(tx, bank)).map(({ id, number }) => [number, id])) }
	})
	const sender: Sender = { tenant, controller, banks: new Map([[bank, site]]), headKeys: new Map([['edge-1', testKey().publicKey]]) }
	const inbox = openInbox({ store, clock, random, crypto: nodeCrypto, appliers: [applyEdgeEvents, caseApplier(parts)] })
	const stream = newId('stream', clock.now(), random)
	let head = openStream(stream)
	const edge: TestEdge = {
		controller,
		doors,
		async tell(...drafts) {
			const first = head.seq + 1
			const events = drafts.map((draft) => {
				const at = clock.now()
				const minted = mint(head, draft, { bank, at, mono: at, clock: 'good', bundle: 1, offline: false, sha256: nodeCrypto.sha256 })
				head = minted.head
				return new TextDecoder().decode(minted.bytes)
			})
			await inbox.ingest(sender, { stream, first, events })
			await api.sign(tenant)
		},
		heard: (online, storageLevel) =>
			store.write(tenant, (tx) => heardController(tx, { controller, bank, now: clock.now(), online, ...(storageLevel && { storageLevel }) }, random)),
		async obeys() {
			const pace = { mono: clock.mono, after: () => () => {} }
			const authority = openAuthority({ store, clock, pace, people: parts.terms, crypto: nodeCrypto, publish() {}, reaches: () => true, log() {} })
			await authority.turn()
			const { version = 0, digest = '' } = (await authority.current(tenant, bank)) ?? {}
			await authority.stop()
			await edge.tell({ type: 'bundle.accepted', subject: bank, data: { version, digest } })
		},
		async answer(id, state, end) {
			await store.write(tenant, async (tx) => {
				if (state === 'sent') await sentCommand(tx, id, change())
				else await settleCommand(tx, controller, { v: 1, id, state, ...(end !== undefined && { end }) }, change())
			})
			if (!(await store.read(tenant, (db) => findCommand(db, id)))) throw new Error(`There is no command ${id}.`)
			await api.sign(tenant)
		},
	}
	await edge.tell(streamStarted(controller))
	return edge
}
