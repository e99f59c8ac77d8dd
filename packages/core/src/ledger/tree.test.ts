import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { nodeCrypto } from '../access/testing/node-crypto.ts'
import { fromHex, isFault, toHex } from '../base/index.ts'
import {
	bundleEntries,
	EMPTY_TREE,
	edgeTiles,
	entriesPath,
	type GrowingTree,
	growTree,
	HASH_BYTES,
	hashLeaf,
	parseTilePath,
	proveConsistency,
	proveInclusion,
	readBundle,
	type Tile,
	type TileAt,
	tilePath,
	tilesOf,
	verifyConsistency,
	verifyInclusion,
	widthAt,
} from './index.ts'

const { sha256 } = nodeCrypto
const MOST = 600
const entry = (i: number) => new TextEncoder().encode(`entry ${i}`)
const leaves = Array.from({ length: MOST }, (_, i) => hashLeaf(entry(i), sha256))

/** RFC 6962 §2.1, word by word: the root of the leaves from `start` to `end`. */
const naiveRoots = new Map<string, Uint8Array>()
function naiveRoot(start: number, end: number): Uint8Array {
	if (start === end) return sha256(new Uint8Array())
	if (end - start === 1) return leaves[start] ?? new Uint8Array()
	const known = naiveRoots.get(`${start} ${end}`)
	if (known) return known
	let k = 1
	while (2 * k < end - start) k *= 2
	const root = sha256(Uint8Array.from([1, ...naiveRoot(start, start + k), ...naiveRoot(start + k, end)]))
	naiveRoots.set(`${start} ${end}`, root)
	return root
}
const rootOf = (size: number) => naiveRoot(0, size)

function grown(tree: GrowingTree, from: number, to: number): GrowingTree {
	for (const leaf of leaves.slice(from, to)) tree.append(leaf)
	return tree
}
const naiveTile = ({ level, index, width }: TileAt): Uint8Array => {
	const span = 256 ** level
	const start = index * 256 * span
	return Uint8Array.from(Array.from({ length: width }, (_, i) => [...naiveRoot(start + i * span, start + (i + 1) * span)]).flat())
}

test('the tree has the roots that the RFC defines, at every size to 600', () => {
	const tree = growTree(EMPTY_TREE, sha256)
	for (let size = 0; size <= MOST; size++) {
		assert.equal(toHex(tree.root()), toHex(rootOf(size)), `size ${size}`)
		if (size < MOST) tree.append(leaves[size] ?? new Uint8Array())
	}
})

test('the published vectors of Certificate Transparency come out', async () => {
	const inputs = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'].map(fromHex)
	const roots = [
		'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
		'6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
		'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
		'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
		'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
		'4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
		'76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
		'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
		'5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
	]
	const tree = growTree(EMPTY_TREE, sha256)
	const found = [tree, ...inputs].map((_, i) => {
		if (i > 0) tree.append(hashLeaf(inputs[i - 1] ?? new Uint8Array(), sha256))
		return toHex(tree.root())
	})
	assert.deepEqual(found, roots)
	const tile = tree.takeTiles()[0]?.hashes ?? new Uint8Array()
	const read = ({ width }: TileAt) => tile.subarray(0, width * HASH_BYTES)
	assert.deepEqual((await proveInclusion(0, 8, read, sha256)).map(toHex), [
		'96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7',
		'5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e',
		'6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4',
	])
	assert.deepEqual((await proveConsistency(6, 8, read, sha256)).map(toHex), [
		'0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a',
		'ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0',
		'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
	])
})

test('a tree that is stored and taken up again anywhere has the tiles, edge and root of one that grew in one go', () => {
	fc.assert(
		fc.property(fc.nat(MOST), fc.nat(MOST), (a, b) => {
			const [from, to] = [Math.min(a, b), Math.max(a, b)]
			const stored = grown(growTree(EMPTY_TREE, sha256), 0, from).edge()
			const tree = grown(growTree(stored, sha256), from, to)
			assert.equal(toHex(tree.root()), toHex(rootOf(to)))
			const tiles = tree.takeTiles()
			assert.deepEqual(tiles.map(tilePath), [...tilesOf(to, from)].map(tilePath))
			for (const tile of tiles) assert.equal(toHex(tile.hashes), toHex(naiveTile(tile)), tilePath(tile))
			assert.deepEqual(tree.takeTiles(), [])
			assert.deepEqual(tree.edge(), grown(growTree(EMPTY_TREE, sha256), 0, to).edge())
		}),
		{ numRuns: 60 },
	)
})

test('what a store hands in as a Buffer is not written over', () => {
	const { size, tiles } = grown(growTree(EMPTY_TREE, sha256), 0, 300).edge()
	const stored = { size, tiles: tiles.map((hashes) => Buffer.from(hashes)) }
	const before = tiles.map((hashes) => toHex(hashes))
	assert.equal(toHex(grown(growTree(stored, sha256), 300, 600).root()), toHex(rootOf(600)))
	assert.deepEqual(
		stored.tiles.map((hashes) => toHex(hashes)),
		before,
	)
})

test('a stored edge with a hash too many or too few is refused', () => {
	const edge = grown(growTree(EMPTY_TREE, sha256), 0, 300).edge()
	for (const damaged of [
		{ ...edge, size: 299 },
		{ ...edge, size: 556 },
		{ ...edge, tiles: edge.tiles.slice(0, 1) },
	])
		assert.throws(
			() => growTree(damaged, sha256),
			(error) => isFault(error, 'log-invalid'),
		)
})

test('tiles of a big tree are those of the example in the specification', () => {
	const tiles = [...tilesOf(70_000)]
	assert.equal(tiles.filter(({ level, width }) => level === 0 && width === 256).length, 273)
	assert.deepEqual(tiles.slice(273).map(tilePath), ['tile/0/273.p/112', 'tile/1/000', 'tile/1/001.p/17', 'tile/2/000.p/1'])
	assert.deepEqual(edgeTiles(70_000).map(tilePath), ['tile/0/273.p/112', 'tile/1/001.p/17', 'tile/2/000.p/1'])
	assert.deepEqual([...tilesOf(256)].map(tilePath), ['tile/0/000', 'tile/1/000.p/1'])
	assert.equal(widthAt(0, 273, 70_000), 112)
})

test('a path is read exactly as it is written, and no other spelling is taken', () => {
	assert.equal(tilePath({ level: 0, index: 1_234_067, width: 256 }), 'tile/0/x001/x234/067')
	assert.equal(entriesPath({ index: 5, width: 255 }), 'tile/entries/005.p/255')
	fc.assert(
		fc.property(fc.nat(6), fc.nat(2 ** 31 - 1), fc.integer({ min: 1, max: 256 }), (level, index, width) => {
			assert.deepEqual(parseTilePath(tilePath({ level, index, width })), { kind: 'tile', level, index, width })
			assert.deepEqual(parseTilePath(entriesPath({ index, width })), { kind: 'entries', level: 0, index, width })
		}),
	)
	const wrong = [
		'tile/00/000',
		'tile/64/000',
		'tile/0/0',
		'tile/0/x000/001',
		'tile/0/001/002',
		'tile/0/000.p/0',
		'tile/0/000.p/256',
		'tile/0/000.p/01',
	]
	for (const path of [...wrong, 'tile/0/../000', 'tile/entries/x1/000', '/tile/0/000', 'tile/0/000/', 'tile/data/000'])
		assert.equal(parseTilePath(path), undefined, path)
})

test('entries come out of a bundle as they went in; what is behind the last is counted', () => {
	const entries = [0, 1, 255, 256, 65_535].map((length) => new Uint8Array(length).fill(length))
	const bundle = bundleEntries(entries)
	assert.deepEqual(readBundle(bundle), { entries, rest: 0 })
	assert.equal(readBundle(bundle.subarray(0, -1)).rest, 65_536)
	assert.equal(readBundle(Uint8Array.of(0)).rest, 1)
	assert.throws(() => bundleEntries([new Uint8Array(65_536)]), /65535 are allowed/)
})

/** All tiles of the tree of 600 leaves, read at any smaller size. */
const allTiles = new Map<string, Tile>(
	grown(growTree(EMPTY_TREE, sha256), 0, MOST)
		.takeTiles()
		.map((tile) => [`${tile.level} ${tile.index}`, tile]),
)
const readTile = ({ level, index, width }: TileAt) => (allTiles.get(`${level} ${index}`)?.hashes ?? new Uint8Array()).subarray(0, width * HASH_BYTES)

interface Proofs {
	readonly inclusion: typeof verifyInclusion
	readonly consistency: typeof verifyConsistency
}
/** Honest proofs must pass and every planted lie must be refused; answers the first mistake. */
async function firstMistake({ inclusion, consistency }: Proofs, runs: number): Promise<string | undefined> {
	const result = await fc.check(
		fc.asyncProperty(fc.integer({ min: 1, max: MOST }), fc.nat(), fc.nat(), fc.nat(255), async (size, a, b, bit) => {
			const index = a % size
			const from = b % (size + 1)
			const leafHash = leaves[index] ?? new Uint8Array()
			const proof = await proveInclusion(index, size, readTile, sha256)
			const claim = { index, size, leafHash, root: rootOf(size) }
			assert.ok(inclusion(proof, claim, sha256), `inclusion of ${index} in ${size}`)
			const other = (index + 1) % size
			if (other !== index) assert.ok(!inclusion(proof, { ...claim, index: other }, sha256), 'another index')
			assert.ok(!inclusion(proof, { ...claim, leafHash: leaves[(index + 1) % MOST] ?? leafHash }, sha256), 'another leaf')
			assert.ok(!inclusion(proof, { ...claim, root: flip(claim.root, bit) }, sha256), 'another root')
			assert.ok(!inclusion([...proof, leafHash], claim, sha256), 'a hash too many')
			for (const i of proof.keys()) {
				assert.ok(!inclusion(proof.toSpliced(i, 1), claim, sha256), 'a hash too few')
				assert.ok(!inclusion(proof.with(i, flip(proof[i] ?? leafHash, bit)), claim, sha256), 'a flipped hash')
			}
			const heads = [
				{ size: from, root: rootOf(from) },
				{ size, root: rootOf(size) },
			] as const
			const grew = await proveConsistency(from, size, readTile, sha256)
			assert.ok(consistency(grew, ...heads, sha256), `consistency of ${from} and ${size}`)
			for (const i of grew.keys()) {
				assert.ok(!consistency(grew.with(i, flip(grew[i] ?? leafHash, bit)), ...heads, sha256), 'a flipped hash')
				assert.ok(!consistency(grew.toSpliced(i, 1), ...heads, sha256), 'a hash too few')
			}
			assert.ok(!consistency([...grew, leafHash], ...heads, sha256), 'a hash too many')
			// A split view: the log showed somebody another tree of the same size.
			assert.ok(!consistency(grew, { size: from, root: flip(heads[0].root, bit) }, heads[1], sha256), 'another old tree')
			// Anything grows out of nothing.
			if (from > 0) assert.ok(!consistency(grew, heads[0], { size, root: flip(heads[1].root, bit) }, sha256), 'another new tree')
		}),
		{ numRuns: runs },
	)
	return result.failed ? String(result.errorInstance) : undefined
}
const flip = (hash: Uint8Array, bit: number) => hash.with(bit >> 3, (hash[bit >> 3] ?? 0) ^ (1 << (bit & 7)))

test('proofs of inclusion and consistency pass between all sizes, and no altered one does', async () => {
	assert.equal(await firstMistake({ inclusion: verifyInclusion, consistency: verifyConsistency }, 400), undefined)
})

test('the property above can fail: verifiers that accept all, refuse all, or look at one root only are found out', async () => {
	const sound: Proofs = { inclusion: verifyInclusion, consistency: verifyConsistency }
	assert.match((await firstMistake({ ...sound, inclusion: () => true }, 50)) ?? '', /another|too|flipped/)
	assert.match((await firstMistake({ ...sound, inclusion: () => false }, 50)) ?? '', /inclusion of/)
	assert.match((await firstMistake({ ...sound, consistency: () => false }, 50)) ?? '', /consistency of/)
	const onlyNew: Proofs['consistency'] = (proof, from, to, hash) =>
		verifyConsistency(proof, from.size === 0 || from.size > MOST ? from : { ...from, root: rootOf(from.size) }, to, hash)
	assert.match((await firstMistake({ ...sound, consistency: onlyNew }, 400)) ?? '', /another old tree/)
	const anyIndex: Proofs['inclusion'] = (proof, claim, hash) =>
		Array.from({ length: claim.size }, (_, index) => index).some((index) => verifyInclusion(proof, { ...claim, index }, hash))
	assert.match((await firstMistake({ ...sound, inclusion: anyIndex }, 100)) ?? '', /another index/)
})

test('a proof that cannot be is refused at the door, and a tile of the wrong width is named', async () => {
	const isOut = (error: unknown) => isFault(error, 'out-of-range')
	await assert.rejects(proveInclusion(5, 5, readTile, sha256), isOut)
	await assert.rejects(proveInclusion(-1, 5, readTile, sha256), isOut)
	await assert.rejects(proveInclusion(0.5, 5, readTile, sha256), isOut)
	await assert.rejects(proveConsistency(6, 5, readTile, sha256), isOut)
	await assert.rejects(
		proveInclusion(0, 5, () => new Uint8Array(32), sha256),
		/tile\/0\/000\.p\/5 must hold 160 bytes, not 32/,
	)
})
