import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Fault, type IdKind, newId } from '@latchwork/core/base'
import {
	bundleEntries,
	checkpointPath,
	EMPTY_TREE,
	entriesPath,
	formatVerifierKey,
	growTree,
	HASH_BYTES,
	hashLeaf,
	LOG_FILES,
	mint,
	mintServerEvent,
	openStream,
	proveInclusion,
	signCheckpoint,
	statementOf,
	TILE_WIDTH,
	type TileAt,
	tilePath,
	verifyLog,
} from '@latchwork/core/ledger'
import { nodeCrypto, signingKey, verifyAside } from '@latchwork/edge/keys'
import { alone, type Bench, type BenchOptions, type Figure, percentile } from './figures.ts'

const { sha256 } = nodeCrypto
const ORIGIN = 'latchwork-bench/log'
const SIZES = [10_000, 100_000, 1_000_000]
const PROOF_SIZES = [...SIZES, 10_000_000]
const PROOFS = 1_000
/** A checkpoint is due after so many events (trust.md §1.4). */
const CHECKPOINT_EVERY = 256
const GOAL = { verify: 4, proofMs: 1, buildSeconds: 10 }

/** P4: what the audit log costs: to build it, to prove one entry, and to verify all of it. */
export const ledger: Bench = async (options) => {
	const pem = join(options.folder, 'log.pem')
	writeFileSync(pem, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }))
	const key = signingKey(pem)
	const figures: Figure[] = []
	for (const size of SIZES) figures.push(...(await ofSize(size, key, options)))
	for (const size of PROOF_SIZES) figures.push(await ofProofs(size, options))
	return {
		id: 'P4',
		name: 'ledger',
		what: 'audit log in memory: leaves and tiles built from events, an export verified, an inclusion proof made from tiles',
		floor: 'one SHA-256 call an event over the same bytes, by the same function, in turns with what is measured',
		conditions: [
			'events of about 500 bytes, four of five in the streams of six controllers, the fifth from the server; a checkpoint every 256 events, as when it is busy',
			'verify: every leaf, tile, signature, root, canonical form, sequence and previous hash; each event costs three hashes (leaf, node, chain) where the floor has one',
			'proof: from tiles in memory, each read as a store hands it out; 10,000,000 with tiles that were filled instead of grown, which costs the same',
		],
		figures,
	}
}

type Key = ReturnType<typeof signingKey>

async function ofSize(size: number, key: Key, { effort, log }: BenchOptions): Promise<Figure[]> {
	const rounds = Math.max(3, Math.round((size > 100_000 ? 5 : 9) * effort))
	log(`P4: ${size.toLocaleString('en')} events, ${rounds} rounds`)
	const entries = events(size)
	const files = exportOf(entries, key)
	const [floor, built, verified]: [number[], number[], number[]] = [[], [], []]
	for (let round = -1; round < rounds; round++) {
		const times = [
			timed(() => {
				for (const entry of entries) sha256(entry)
			}),
			timed(() => build(entries)),
			await timedAsync(async () => {
				const verdict = await verifyLog((path) => files.get(path), { crypto: { ...nodeCrypto, verifyAside } })
				if (!verdict.ok) throw new Fault('log-invalid', verdict.text)
			}),
		]
		// The first round warms up.
		for (const [i, list] of [floor, built, verified].entries()) if (round >= 0) list.push(times[i] ?? 0)
	}
	const name = size.toLocaleString('en')
	return [
		{
			...against(`leaves and tiles of ${name}`, built, floor),
			...(size === 1_000_000 && { goal: `≤ ${GOAL.buildSeconds} s`, met: percentile(built, 0.5) <= GOAL.buildSeconds * 1_000 }),
		},
		met(against(`verify ${name}`, verified, floor), GOAL.verify),
	]
}

function against(size: string, ours: readonly number[], floor: readonly number[]): Figure {
	const p50 = percentile(ours, 0.5)
	const beside = percentile(floor, 0.5)
	return { size, unit: 'ms', p50, floor: { p50: beside }, against: { kind: 'times', p50: p50 / beside }, samples: ours.length }
}

const met = (figure: Figure, most: number): Figure => ({
	...figure,
	goal: `≤ ${most}×`,
	met: (figure.against?.p50 ?? Number.POSITIVE_INFINITY) <= most,
})

function timed(act: () => void): number {
	const began = performance.now()
	act()
	return performance.now() - began
}
async function timedAsync(act: () => Promise<unknown>): Promise<number> {
	const began = performance.now()
	await act()
	return performance.now() - began
}

function build(entries: readonly Uint8Array[]): void {
	const tree = growTree(EMPTY_TREE, sha256)
	for (const entry of entries) {
		tree.append(hashLeaf(entry, sha256))
		if (tree.size % CHECKPOINT_EVERY === 0) {
			tree.takeTiles()
			tree.root()
		}
	}
}

/** As many controllers as a small site has; each bank opens and closes doors. */
function events(count: number): Uint8Array[] {
	const at = Date.now()
	const id = <K extends IdKind>(kind: K) => newId(kind, at, randomBytes)
	const banks = Array.from({ length: 6 }, () => ({ head: openStream(id('stream')), bank: id('bank'), compartment: id('compartment') }))
	const [tenant, site, person, session] = [id('tenant'), id('site'), id('subject'), id('doorSession')]
	return Array.from({ length: count }, (_, i) => {
		const bank = banks[i % banks.length]
		if (!bank || i % 5 === 4) {
			const data = { number: i, reservation: session, state: 'booked' }
			return mintServerEvent({ type: 'delivery.booked', subject: session, actor: person, site, data }, tenant, at + i, randomBytes).bytes
		}
		const draft = {
			type: 'door-session.opened',
			subject: session,
			actor: person,
			data: { compartment: bank.compartment, number: i % 60, evidence: 'sensor' },
		} as const
		const minted = mint(bank.head, draft, { bank: bank.bank, at: at + i, mono: i, clock: 'good', bundle: 7, offline: false, sha256 })
		bank.head = minted.head
		return minted.bytes
	})
}

function exportOf(entries: readonly Uint8Array[], { publicKey, sign }: Key): Map<string, Uint8Array> {
	const files = new Map<string, Uint8Array>()
	const tree = growTree(EMPTY_TREE, sha256)
	let number = 0
	for (const entry of entries) {
		tree.append(hashLeaf(entry, sha256))
		if (tree.size % CHECKPOINT_EVERY !== 0 && tree.size !== entries.length) continue
		const note = signCheckpoint({ origin: ORIGIN, size: tree.size, root: tree.root() }, { publicKey, sign, sha256 })
		files.set(checkpointPath(number++), note)
		files.set(LOG_FILES.checkpoint, note)
		for (const tile of tree.takeTiles()) files.set(tilePath(tile), tile.hashes)
	}
	for (let start = 0; start < entries.length; start += TILE_WIDTH) {
		const bundle = entries.slice(start, start + TILE_WIDTH)
		files.set(entriesPath({ index: start / TILE_WIDTH, width: bundle.length }), bundleEntries(bundle))
	}
	files.set(LOG_FILES.key, new TextEncoder().encode(`${formatVerifierKey({ name: ORIGIN, publicKey }, sha256)}\n`))
	files.set(LOG_FILES.statement, statementOf({ origin: ORIGIN, size: entries.length }))
	return files
}

async function ofProofs(size: number, { effort, log }: BenchOptions): Promise<Figure> {
	const count = Math.max(50, Math.round(PROOFS * effort))
	log(`P4: ${count} inclusion proofs in ${size.toLocaleString('en')} entries`)
	const filled = randomBytes(TILE_WIDTH * HASH_BYTES)
	const readTile = ({ width }: TileAt) => filled.subarray(0, width * HASH_BYTES)
	const times: number[] = []
	for (let i = -50; i < count; i++) {
		const index = Math.floor((randomBytes(6).readUIntBE(0, 6) / 2 ** 48) * size)
		const time = await timedAsync(() => proveInclusion(index, size, readTile, sha256))
		if (i >= 0) times.push(time)
	}
	const figure = alone(`inclusion proof in ${size.toLocaleString('en')}`, 'ms', times)
	return size === PROOF_SIZES.at(-1) ? { ...figure, goal: `≤ ${GOAL.proofMs} ms`, met: figure.p50 <= GOAL.proofMs } : figure
}
