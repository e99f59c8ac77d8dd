import assert from 'node:assert/strict'
import { createHash, generateKeyPairSync, sign, verify } from 'node:crypto'
import { test } from 'node:test'
import { canonicalBytes, type Json, toBase64 } from '@latchwork/core/base'
import { formatVerifierKey, hashLeaf, signCheckpoint } from '@latchwork/core/ledger'
import { checkProof, grewOutOf, openSigned, type Shown, siblingSides, type VerifySignature } from './proof.ts'

const sha256 = (bytes: Uint8Array): Uint8Array => createHash('sha256').update(bytes).digest()
const node = (left: Uint8Array, right: Uint8Array) => sha256(Buffer.concat([Uint8Array.of(1), left, right]))
const makeKey = () => {
	const { publicKey, privateKey } = generateKeyPairSync('ed25519')
	const raw = publicKey.export({ type: 'spki', format: 'der' }).subarray(-32)
	return { publicKey: new Uint8Array(raw), sign: (bytes: Uint8Array) => new Uint8Array(sign(null, bytes, privateKey)) }
}
const ORIGIN = 'log.example/test'
const key = makeKey()
const verifierKey = formatVerifierKey({ name: ORIGIN, publicKey: key.publicKey }, sha256)
const SPKI = Buffer.from('302a300506032b6570032100', 'hex')
const verifySignature: VerifySignature = async (publicKey, message, signature) =>
	verify(null, message, { key: Buffer.concat([SPKI, publicKey]), format: 'der', type: 'spki' }, signature)

/** A log of four records, and what the server says of the third. */
const EVENTS: readonly Json[] = [0, 1, 2, 3].map((n) => ({ v: 1, type: 'delivery.booked', subject: `cas_${n}`, data: { n } }))
const leaves = EVENTS.map((event) => hashLeaf(canonicalBytes(event), sha256)) as [Uint8Array, Uint8Array, Uint8Array, Uint8Array]
const left = node(leaves[0], leaves[1])
const root = node(left, node(leaves[2], leaves[3]))
const noteOf = (by = key, of: Uint8Array = root) => new TextDecoder().decode(signCheckpoint({ origin: ORIGIN, size: 4, root: of }, { ...by, sha256 }))
const PROOF = {
	position: 2,
	size: 4,
	entry: toBase64(canonicalBytes(EVENTS[2] as Json)),
	proof: [toBase64(leaves[3]), toBase64(left)],
	checkpoint: noteOf(),
}
const SHOWN: Shown = { position: 2, type: 'delivery.booked', subject: 'cas_2', data: { n: 2 } }
const verdictOf = async (proof = PROOF, shown = SHOWN) => (await checkProof(proof, shown, verifierKey, verifySignature)).verdict

test('a record that is in the signed log is proven', async () => {
	assert.deepEqual(await verdictOf(), { ok: true, position: 2, size: 4, steps: 2 })
})

test('a proof with one wrong hash, too few or one too many is refused', async () => {
	for (const proof of [[PROOF.proof[1], PROOF.proof[0]], [PROOF.proof[0]], [...PROOF.proof, PROOF.proof[0]], ['not base64!', PROOF.proof[1]]])
		assert.deepEqual(await verdictOf({ ...PROOF, proof: proof as string[] }), { ok: false, why: 'inclusion' })
})

test('a checkpoint that another key has signed, or that was changed after signing, is refused', async () => {
	assert.deepEqual(await verdictOf({ ...PROOF, checkpoint: noteOf(makeKey()) }), { ok: false, why: 'checkpoint' })
	assert.deepEqual(await verdictOf({ ...PROOF, checkpoint: PROOF.checkpoint.replace('\n4\n', '\n5\n') }), { ok: false, why: 'checkpoint' })
	assert.deepEqual(await verdictOf({ ...PROOF, checkpoint: '' }), { ok: false, why: 'checkpoint' })
})

test('a true proof of another record than the one on the screen is refused', async () => {
	for (const shown of [
		{ ...SHOWN, subject: 'cas_3' },
		{ ...SHOWN, type: 'delivery.recalled' },
		{ ...SHOWN, data: { n: 3 } },
		{ ...SHOWN, position: 1 },
	])
		assert.deepEqual(await verdictOf(PROOF, shown), { ok: false, why: 'not-the-record' })
})

test('a key that is none opens no checkpoint', async () => {
	assert.equal(await openSigned(PROOF.checkpoint, 'nonsense', verifySignature), undefined)
	assert.deepEqual(await openSigned(PROOF.checkpoint, verifierKey, verifySignature), {
		origin: ORIGIN,
		size: 4,
		root: new Uint8Array(root),
		extensions: [],
	})
})

test('a log that grew is told from one that was written anew', () => {
	const old = { size: 2, root: left }
	const grown = [toBase64(node(leaves[2], leaves[3]))]
	assert.equal(grewOutOf(grown, old, { size: 4, root }), true)
	assert.equal(grewOutOf(grown, { size: 2, root: node(leaves[1], leaves[0]) }, { size: 4, root }), false)
})

test('the picture of a proof has each hash on the side on which it lies in the tree', () => {
	assert.deepEqual(siblingSides(3, 7), ['left', 'left', 'right'])
	assert.deepEqual(siblingSides(6, 7), ['left', 'left'], 'at the right edge there is nothing beside it at first')
	assert.deepEqual(siblingSides(0, 1), [])
	/** PATH(m, D[n]) of RFC 9162 §2.1.3.1, from the root down. */
	const path = (m: number, n: number): ('left' | 'right')[] => {
		if (n === 1) return []
		let k = 1
		while (k * 2 < n) k *= 2
		return m < k ? [...path(m, k), 'right'] : [...path(m - k, n - k), 'left']
	}
	for (let size = 1; size <= 70; size++)
		for (let at = 0; at < size; at++) assert.deepEqual(siblingSides(at, size), path(at, size), `${at} of ${size}`)
})
