import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nodeCrypto, testKey } from '../access/testing/node-crypto.ts'
import { canonicalBytes, newId, seededRandom } from '../base/index.ts'
import {
	bundleEntries,
	checkpointPath,
	EMPTY_TREE,
	entriesPath,
	formatVerifierKey,
	growTree,
	hashLeaf,
	LOG_FILES,
	type LogTerms,
	type LogVerdict,
	mintServerEvent,
	parseTilePath,
	readBundle,
	SERVER_EVENT_TYPES,
	signCheckpoint,
	verifyLog,
} from './index.ts'
import { sampleEntries, sampleExport } from './testing/sample-log.ts'

const { sha256 } = nodeCrypto
const log = testKey(new Uint8Array(32).fill(9))
const terms = (seed: number) => ({ random: seededRandom(seed), sha256, ...log })
const RUNS = 600
const SIZE = 520
const SIZES = [0, 1, 200, 256, 300, 511, 512, 513, SIZE]
const entries = sampleEntries(SIZE, terms(5))
const strangers = sampleEntries(SIZE, terms(6))
const original = sampleExport(entries, SIZES, terms(5))
type Files = ReadonlyMap<string, Uint8Array>
type Verify = (files: Files, change?: Partial<LogTerms>) => Promise<LogVerdict>
const verify: Verify = (files, change) => verifyLog((path) => files.get(path), { crypto: nodeCrypto, paths: [...files.keys()], ...change })
const named = (verdict: LogVerdict) => (verdict.ok ? 'passed' : `${verdict.path} ${verdict.index}`)
const coded = (verdict: LogVerdict) => (verdict.ok ? 'passed' : `${verdict.code} ${verdict.index}`)

/** Damage done to an export, and what must be named as the first thing that differs. */
interface Plant {
	readonly kind: string
	readonly path: string
	readonly index: number
	/** A function, so that a counterexample is printed by what was done and not as bytes. */
	readonly files: () => Files
}
const file = (path: string): Uint8Array => {
	const bytes = original.get(path)
	assert.ok(bytes, path)
	return bytes
}
const without = (path: string): Files => new Map([...original].filter(([one]) => one !== path))
const replaced = (...changes: [path: string, bytes: Uint8Array][]): Files => new Map([...original, ...changes])

/** What the byte at `offset` of a file is part of. */
function indexOf(path: string, offset: number): number {
	const place = parseTilePath(path)
	if (place?.kind === 'tile') return (place.index * 256 + Math.floor(offset / 32)) * 256 ** place.level
	if (!place) return /^checkpoints\//.test(path) ? Number(path.slice(-3)) : 0
	let end = 0
	const entry = readBundle(file(path)).entries.findIndex(({ length }) => {
		end += 2 + length
		return offset < end
	})
	return place.index * 256 + (entry < 0 ? place.width : entry)
}
const paths = [...original.keys()].filter((path) => path !== LOG_FILES.readme)
/** Each kind of file as often as the others, and its offsets evenly. */
const place = fc
	.constantFrom(/^tile\/\d/, /^tile\/entries/, /^checkpoints/, /^[a-z]+(?:\.[a-z]+)?$/)
	.chain((kind) => fc.constantFrom(...paths.filter((path) => kind.test(path))))
	.chain((path) => fc.tuple(fc.constant(path), fc.nat(file(path).length - 1)))

const flip: fc.Arbitrary<Plant> = fc.tuple(place, fc.nat(7)).map(([[path, offset], bit]) => {
	const bytes = file(path)
	return { kind: 'flip', path, index: indexOf(path, offset), files: () => replaced([path, bytes.with(offset, (bytes[offset] ?? 0) ^ (1 << bit))]) }
})
const removedFile: fc.Arbitrary<Plant> = place.map(([path]) => ({ kind: 'file removed', path, index: indexOf(path, 0), files: () => without(path) }))
const cutFile: fc.Arbitrary<Plant> = place.map(([path, offset]) => ({
	kind: 'file cut',
	path,
	index: indexOf(path, offset),
	files: () => replaced([path, file(path).subarray(0, offset)]),
}))
const position = () => fc.nat(SIZE - 1)
const bundlePath = (at: number) => entriesPath({ index: at >> 8, width: Math.min(256, SIZE - (at & ~255)) })
const entryOf = (at: number): Uint8Array => entries[at] ?? new Uint8Array()
/** The bundle around a position with its entries changed. */
const rebundled = (at: number, change: (bundle: Uint8Array[], inner: number) => Uint8Array[]): [string, Uint8Array] => {
	const bundle = entries.slice(at & ~255, Math.min(SIZE, (at & ~255) + 256))
	return [bundlePath(at), bundleEntries(change(bundle, at & 255))]
}
const plantAt = (kind: string, at: number, change: (bundle: Uint8Array[], inner: number) => Uint8Array[], index = at): Plant => ({
	kind,
	path: bundlePath(at),
	index,
	files: () => replaced(rebundled(at, change)),
})
const removal = position().map((at) => plantAt('entry removed', at, (bundle, i) => bundle.toSpliced(i, 1)))
const insertion = fc
	.tuple(position(), position())
	.map(([at, other]) => plantAt('entry inserted', at, (bundle, i) => bundle.toSpliced(i, 0, strangers[other] ?? new Uint8Array())))
const repetition = position().map((at) => plantAt('entry twice', at, (bundle, i) => bundle.toSpliced(i, 0, entryOf(at)), at + 1))
const rewriting = position().map((at) => plantAt('entry rewritten', at, (bundle, i) => bundle.with(i, forged(at))))
const forged = (at: number) => canonicalBytes({ ...JSON.parse(new TextDecoder().decode(entryOf(at))), data: { forged: true } })
const swap: fc.Arbitrary<Plant> = fc.uniqueArray(position(), { minLength: 2, maxLength: 2 }).map(([a = 0, b = 0]) => {
	const first = Math.min(a, b)
	const files = () => {
		const swapped = entries.with(a, entryOf(b)).with(b, entryOf(a))
		const bundle = (at: number): [string, Uint8Array] => [bundlePath(at), bundleEntries(swapped.slice(at & ~255, Math.min(SIZE, (at & ~255) + 256)))]
		return replaced(bundle(a), bundle(b))
	}
	return { kind: 'entries swapped', path: bundlePath(first), index: first, files }
})
const truncation: fc.Arbitrary<Plant> = position().map((at) => ({
	kind: 'end cut off',
	path: bundlePath(at),
	index: at,
	files: () =>
		new Map(
			[...replaced(rebundled(at, (bundle, i) => bundle.slice(0, i)))].filter(([path]) => {
				const tile = parseTilePath(path)
				return tile?.kind !== 'entries' || tile.index <= at >> 8
			}),
		),
}))
const swappedFiles: fc.Arbitrary<Plant> = fc.constantFrom(
	...(
		[
			['tile/0/000', 'tile/0/001', 0],
			['tile/entries/000', 'tile/entries/001', 0],
			[checkpointPath(2), checkpointPath(5), 3],
			[checkpointPath(0), checkpointPath(7), 1],
		] as const
	).map(([a, b, index]): Plant => {
		const path = a.startsWith('checkpoints') ? checkpointPath(index) : a
		return { kind: 'files swapped', path, index, files: () => replaced([a, file(b)], [b, file(a)]) }
	}),
)
const plants = fc.oneof(
	{ weight: 4, arbitrary: flip },
	removedFile,
	cutFile,
	removal,
	insertion,
	repetition,
	rewriting,
	swap,
	truncation,
	swappedFiles,
)

test('an untouched export passes at any size, and says what it holds', async () => {
	for (const size of [0, 1, 2, 255, 256, 257, 512, SIZE]) {
		const verdict = await verify(
			sampleExport(entries.slice(0, size), size === 0 ? [0] : [0, Math.ceil(size / 2), size].filter((n, i, all) => n !== all[i - 1]), terms(5)),
		)
		assert.deepEqual([verdict.ok, verdict.ok && verdict.size], [true, size], named(verdict))
	}
	const whole = await verify(original)
	assert.ok(whole.ok)
	assert.equal(whole.checkpoints, SIZES.length)
	assert.equal(whole.streams.size, 3)
	assert.equal(whole.ofServer + [...whole.streams.values()].reduce((sum, { seq }) => sum + seq, 0), SIZE)
})

/** Runs random plants through a verifier; answers the first mistake. The untouched export must pass in the same run. */
async function firstMistake(check: Verify, runs: number, counts: Map<string, number> = new Map(), planted = plants): Promise<string | undefined> {
	if (!(await check(original)).ok) return 'the untouched export was refused'
	const result = await fc.check(
		fc.asyncProperty(planted, async (plant) => {
			counts.set(plant.kind, (counts.get(plant.kind) ?? 0) + 1)
			assert.equal(named(await check(plant.files())), `${plant.path} ${plant.index}`, plant.kind)
		}),
		{ numRuns: runs },
	)
	return result.failed ? String(result.errorInstance) + JSON.stringify(result.counterexample) : undefined
}

test('after any single damage to any file the first bad place is named exactly', async (t) => {
	const counts = new Map<string, number>()
	assert.equal(await firstMistake(verify, RUNS, counts), undefined)
	t.diagnostic(`planted: ${[...counts].map(([kind, count]) => `${kind} ${count}`).join(', ')}`)
	assert.equal(counts.size, 10)
})

test('the property above can fail: verifiers that refuse all, trust the tiles, or trust the entries are found out', async () => {
	assert.match(
		(await firstMistake(async () => ({ ok: false, kind: 'file', path: '', index: 0, code: 'missing', text: '' }), 10)) ?? '',
		/untouched export was refused/,
	)
	const onlyTiles: Verify = async (files) => {
		const tile = files.get('tile/0/000')
		return tile && Buffer.compare(tile, file('tile/0/000')) === 0 ? verify(original) : verify(files)
	}
	assert.match((await firstMistake(onlyTiles, 300, new Map(), rewriting)) ?? '', /passed/)
	// Whoever makes the tiles anew from the entries sees no damage to a tile.
	const onlyEntries: Verify = (files) => verify(new Map([...files, ...[...original].filter(([path]) => /^tile\/\d/.test(path))]))
	assert.match((await firstMistake(onlyEntries, 300, new Map(), flip)) ?? '', /passed/)
})

test('entries that were rewritten together with their tiles do not fit what was signed, and the range of them is told', async () => {
	const signed = [...original].filter(([path]) => path.startsWith('checkpoint'))
	const range = (verdict: LogVerdict) =>
		/from (\d+) to (\d+),|the (256) entries from (\d+)/
			.exec(verdict.ok ? '' : verdict.text)
			?.slice(1)
			.filter(Boolean)
			.map(Number)
	for (const at of [0, 255, 280, 512, SIZE - 1]) {
		const withAllTiles = await verify(new Map([...sampleExport(entries.with(at, forged(at)), SIZES, terms(5)), ...signed]))
		assert.equal(withAllTiles.ok || withAllTiles.code, 'altered', `${at}`)
		const [from = -1, to = -1] = range(withAllTiles) ?? []
		assert.ok(from <= at && at <= to && to - from < 256, `${at} is not from ${from} to ${to}`)
	}
	for (const at of [0, 255, 256, 511]) {
		const path = `tile/0/00${at >> 8}`
		const tile = Uint8Array.from(file(path))
		tile.set(hashLeaf(forged(at), sha256), (at & 255) * 32)
		const withOneTile = await verify(
			replaced(
				rebundled(at, (bundle, i) => bundle.with(i, forged(at))),
				[path, tile],
			),
		)
		assert.ok(!withOneTile.ok && withOneTile.code === 'altered' && withOneTile.index >> 8 === at >> 8 && withOneTile.index <= at, named(withOneTile))
	}
})

test('two histories that are both signed are told apart by a checkpoint that was kept, and so is an older state', async () => {
	const kept = file(checkpointPath(4))
	const other = sampleExport([...entries.slice(0, 290), ...sampleEntries(SIZE - 290, terms(7), tenantOf(entries))], SIZES, terms(5))
	assert.equal((await verify(other)).ok, true)
	assert.equal(coded(await verify(other, { kept })), 'split-view 4')
	assert.equal((await verify(original, { kept })).ok, true)
	const older = sampleExport(entries.slice(0, 256), [1, 256], terms(5))
	assert.equal((await verify(older)).ok, true)
	assert.equal(coded(await verify(older, { kept })), 'missing 256')
	const stranger = testKey(new Uint8Array(32).fill(1))
	const notOurs = signCheckpoint({ origin: 'log.example/ten_1', size: 1, root: new Uint8Array(32) }, { ...stranger, sha256 })
	assert.equal(coded(await verify(original, { kept: notOurs })), 'key 0')
})

function tenantOf(all: readonly Uint8Array[]) {
	const server = all.map((entry) => JSON.parse(new TextDecoder().decode(entry))).find(({ source }) => source === 'server')
	return server.tenant
}

test('a key that was handed over on another way decides, and not the one in the export', async () => {
	const key = formatVerifierKey({ name: 'log.example/ten_1', publicKey: log.publicKey }, sha256)
	assert.equal((await verify(original, { key })).ok, true)
	assert.equal((await verify(original, { key: `${key}\n` })).ok, true)
	const imposter = testKey(new Uint8Array(32).fill(1))
	const theirs = sampleExport(entries, SIZES, { ...terms(5), ...imposter })
	assert.equal((await verify(theirs)).ok, true)
	assert.equal(coded(await verify(theirs, { key })), 'key 0')
	assert.equal(coded(await verify(original, { key: 'nonsense' })), 'key 0')
})

test('even what a log has signed is refused when it is no event, skips one, or does not follow', async () => {
	const signedAfterwards = async (change: (all: readonly Uint8Array[]) => Uint8Array[]) =>
		coded(await verify(sampleExport(change(entries), [SIZE], terms(5))))
	const text = (at: number) => new TextDecoder().decode(entryOf(at))
	const edge = entries.findIndex((_, at) => at > 100 && text(at).includes('"seq"'))
	const server = entries.findIndex((_, at) => at > 100 && text(at).includes('"source"'))
	const stream = JSON.parse(text(edge)).stream
	const next = entries.findIndex((_, at) => at > edge && text(at).includes(`"stream":"${stream}"`))
	const bytes = (value: string) => new TextEncoder().encode(value)
	assert.equal(await signedAfterwards((all) => [...all]), 'passed')
	assert.equal(await signedAfterwards((all) => all.with(edge, forged(edge))), `previous-hash ${next}`)
	assert.equal(await signedAfterwards((all) => [...all.toSpliced(edge, 1), entryOf(edge)]), `sequence ${next - 1}`)
	assert.equal(await signedAfterwards((all) => all.toSpliced(edge + 1, 0, entryOf(edge)).slice(0, SIZE)), `sequence ${edge + 1}`)
	assert.equal(await signedAfterwards((all) => all.with(server, bytes(`${text(server)} `))), `malformed ${server}`)
	assert.equal(await signedAfterwards((all) => all.with(server, bytes('{"a":1}'))), `malformed ${server}`)
	assert.equal(await signedAfterwards((all) => all.with(server, bytes(''))), `malformed ${server}`)
	assert.equal(
		await signedAfterwards((all) => all.with(server, bytes(text(server).replace(/"type":"[^"]+"/, '"type":"door.eaten"')))),
		`malformed ${server}`,
	)
	assert.equal(await signedAfterwards((all) => all.with(server, bytes(text(server).replace('"v":1', '"v":1.0')))), `malformed ${server}`)
	const foreign = { type: 'site.created', subject: 'sit_1', actor: 'server', data: {} } as const
	const { bytes: theirs } = mintServerEvent(foreign, newId('tenant', 1, seededRandom(99)), 1, seededRandom(98))
	assert.equal(await signedAfterwards((all) => all.with(server, theirs)), `other-tenant ${server}`)
})

test('a checkpoint behind the newest, one of another log, and an export that says it is longer are refused', async () => {
	const beyond = checkpointPath(SIZES.length)
	assert.equal(coded(await verify(replaced([beyond, file(checkpointPath(3))]))), `beyond-end ${SIZES.length}`)
	const elsewhere = signCheckpoint({ origin: 'log.example/ten_2', size: 200, root: growTree(EMPTY_TREE, sha256).root() }, { ...log, sha256 })
	assert.equal(coded(await verify(replaced([checkpointPath(2), elsewhere]))), 'unknown-key 2')
	assert.equal(coded(await verify(replaced([LOG_FILES.statement, file(LOG_FILES.key)]))), 'statement 0')
	assert.equal(named(await verify(new Map())), `${LOG_FILES.key} 0`)
})

test('a file that nothing signed stands for is named, and so is another README; a verifier that is told of no files reads what it needs', async () => {
	const strays = ['tile/entries/001.p/28', 'tile/0/001.p/28', 'tile/2/000', 'checkpoints/x001/000', 'checkpoint.trusted', 'notes.txt']
	for (const path of strays) {
		const files = replaced([path, file(LOG_FILES.key)])
		const found = await verify(files)
		assert.deepEqual([found.ok, named(found), coded(found)], [false, `${path} 0`, 'beyond-end 0'])
		assert.equal((await verify(files, { paths: [] })).ok, true)
	}
	assert.equal(named(await verify(replaced(...strays.map((path): [string, Uint8Array] => [path, file(LOG_FILES.key)])))), 'checkpoint.trusted 0')
	const readme = file(LOG_FILES.readme)
	for (let at = 0; at < readme.length; at += 61)
		assert.equal(named(await verify(replaced([LOG_FILES.readme, readme.with(at, (readme[at] ?? 0) ^ 1)]))), 'README.md 0', `${at}`)
	assert.equal((await verify(without(LOG_FILES.readme))).ok, true, 'it proves nothing')
})

test('the server can record only names of the list, in the shape that the verifier knows', () => {
	const mint = (change: object) =>
		mintServerEvent(
			{ type: 'site.created', subject: 'sit_1', actor: 'server', data: {}, ...change },
			newId('tenant', 1, seededRandom(1)),
			1.9,
			seededRandom(2),
		)
	assert.equal(mint({}).event.at, 1)
	assert.throws(() => mint({ type: 'site.invented' }), /its type is not allowed/)
	assert.throws(() => mint({ subject: '' }), /its subject/)
	assert.throws(() => mint({ actor: 'Ana' }), /its actor/)
	assert.throws(() => mint({ site: 'here' }), /its site/)
	assert.throws(() => mint({ data: { ratio: 0.5 } }), /integer/)
	assert.throws(() => mint({ data: { long: 'x'.repeat(65_536) } }), /65535 are allowed/)
	assert.equal(new Set(SERVER_EVENT_TYPES).size, SERVER_EVENT_TYPES.length)
	for (const type of SERVER_EVENT_TYPES) assert.match(type, /^[a-z]+(-[a-z]+)*\.[a-z]+(-[a-z]+)*$/)
})
