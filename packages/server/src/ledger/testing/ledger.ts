import { testKey } from '@latchwork/core/access/testing'
import { fakeClock, type Id, type Random, seededRandom } from '@latchwork/core/base'
import { type GrowingTree, growTree, hashLeaf } from '@latchwork/core/ledger'
import { nodeCrypto } from '../../crypto.ts'
import type { Store } from '../../store/index.ts'
import { type LogSigner, writeCheckpoint } from '../checkpoint-write.ts'
import { type InboxTerms, openInbox } from '../inbox.ts'
import { sequence } from '../sequence-write.ts'
import { tend } from '../sequencer.ts'
import { readEdge, readEntries } from '../tree-read.ts'
import { START } from './controller.ts'

const { sha256 } = nodeCrypto

/** The parts of the ledger on a store, with a sequencer that works when it is told. */
export function testLedger(store: Store, seed = 1) {
	const random: Random = seededRandom(seed)
	const clock = fakeClock(START)
	const trees = new Map<Id<'tenant'>, GrowingTree>()
	const months = new Set<number>()
	const keys = new Map<Id<'tenant'>, LogSigner>()
	const signerOf = async (_: unknown, tenant: Id<'tenant'>): Promise<LogSigner> => {
		const known = keys.get(tenant) ?? { origin: `log.example/${tenant}`, ...testKey() }
		keys.set(tenant, known)
		return known
	}
	return {
		store,
		random,
		clock,
		signerOf,
		inbox: (more: Partial<InboxTerms> = {}) => openInbox({ store, clock, random, crypto: nodeCrypto, appliers: [], ...more }),
		/** Gives positions to all that waits. */
		async sequence(): Promise<void> {
			const terms = { now: clock.now(), shard: { index: 0, count: 1 }, most: 100, except: [], trees, months }
			for (;;) {
				const done = await store.system((tx) => sequence(tx, terms))
				for (const month of done.months) months.add(month)
				if (done.sizes.size === 0) return
			}
		},
		/** What the sequencer does now and then. */
		tend: () =>
			tend(
				{ index: 0, count: 1 },
				{
					store,
					clock,
					random,
					signerOf,
					failed: (cause) => {
						throw cause
					},
				},
				[],
			),
		checkpoint: (tenant: Id<'tenant'>) => store.system((tx) => writeCheckpoint(tx, tenant, clock.now(), signerOf)),
		/** Everything of a tenant's log, and the root that it has by its events alone. */
		log: (tenant: Id<'tenant'>) =>
			store.read(tenant, async (db) => {
				const entries = await readEntries(db, tenant, 0, 1_000_000)
				const tree = growTree({ size: 0, tiles: [] }, sha256)
				for (const bytes of entries) tree.append(hashLeaf(bytes, sha256))
				const edge = growTree(await readEdge(db, tenant, entries.length), sha256)
				return { entries: entries.map((bytes) => new TextDecoder().decode(bytes)), root: tree.root(), storedRoot: edge.root() }
			}),
	}
}
