import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { nodeCrypto, testKey } from '../access/testing/node-crypto.ts'
import { canonical, canonicalBytes, seededRandom, toHex } from '../base/index.ts'
import type { StreamEvent } from './event.ts'
import { MAX_EVENT_BYTES, readExport, type SignedHead, type StreamVerdict, signHead, verifyStream, writeExport } from './index.ts'
import { sampleStream } from './testing/sample-stream.ts'

const controller = testKey(new Uint8Array(32).fill(3))
const keys = new Map([['edge-1', controller.publicKey]])
const { sha256 } = nodeCrypto
const sample = (count: number, seed = 5) => sampleStream(count, { random: seededRandom(seed), sha256, sign: controller.sign, keyId: 'edge-1' })
const original = sample(24)
const stranger = sample(24, 6)

type Verify = (lines: readonly Uint8Array[], head: SignedHead) => StreamVerdict
const verify: Verify = (lines, head) => verifyStream(lines, { head, keys, crypto: nodeCrypto })

/** Damage done to a stream, and the first line that then differs from the original. */
interface Plant {
	readonly kind: string
	readonly index: number
	/** A function, so that a counterexample is printed by what was done and not as bytes. */
	readonly lines: () => readonly Uint8Array[]
}

const at = (lines: readonly Uint8Array[], index: number): Uint8Array => {
	const line = lines[index]
	assert.ok(line)
	return line
}
const event = (index: number): StreamEvent => JSON.parse(new TextDecoder().decode(at(original.lines, index)))
const line = () => fc.nat(original.lines.length - 1)
const gap = () => fc.nat(original.lines.length)

const flip: fc.Arbitrary<Plant> = fc.tuple(line(), fc.nat(), fc.nat(7)).map(([index, position, bit]) => {
	const damaged = Uint8Array.from(at(original.lines, index))
	const place = position % damaged.length
	damaged[place] = (damaged[place] ?? 0) ^ (1 << bit)
	return { kind: 'flip', index, lines: () => original.lines.with(index, damaged) }
})
const swap: fc.Arbitrary<Plant> = fc.uniqueArray(line(), { minLength: 2, maxLength: 2 }).map(([a = 0, b = 0]) => ({
	kind: 'swap',
	index: Math.min(a, b),
	lines: () => original.lines.with(a, at(original.lines, b)).with(b, at(original.lines, a)),
}))
const removal: fc.Arbitrary<Plant> = line().map((index) => ({ kind: 'removal', index, lines: () => original.lines.toSpliced(index, 1) }))
const truncation: fc.Arbitrary<Plant> = line().map((index) => ({ kind: 'truncation', index, lines: () => original.lines.slice(0, index) }))
const insertion: fc.Arbitrary<Plant> = fc.tuple(gap(), line(), fc.boolean()).map(([index, other, foreign]) => {
	// A copy of the line that is already there differs only behind it.
	const added = at(foreign ? stranger.lines : original.lines, other)
	return { kind: 'insertion', index: !foreign && other === index ? index + 1 : index, lines: () => original.lines.toSpliced(index, 0, added) }
})
/** The careful forger keeps everything in order that can be checked without the lines behind. */
const forgedInsertion: fc.Arbitrary<Plant> = gap().map((index) => {
	const prev = index === 0 ? '0'.repeat(64) : toHex(sha256(at(original.lines, index - 1)))
	const forged = canonicalBytes({ ...event(Math.max(0, index - 1)), seq: index + 1, prev, data: { forged: true } })
	return { kind: 'forged insertion', index, lines: () => original.lines.toSpliced(index, 0, forged) }
})
const rewriting: fc.Arbitrary<Plant> = line().map((index) => {
	const forged = canonicalBytes({ ...event(index), data: { forged: true } })
	return { kind: 'rewriting', index, lines: () => original.lines.with(index, forged) }
})
const renumbering: fc.Arbitrary<Plant> = fc.tuple(line(), fc.constantFrom('seq', 'prev', 'stream')).map(([index, field]) => {
	const forgery = { seq: { seq: index + 2 }, prev: { prev: 'ab'.repeat(32) }, stream: { stream: stranger.head.stream } }[field]
	return { kind: `other ${field}`, index, lines: () => original.lines.with(index, canonicalBytes({ ...event(index), ...forgery })) }
})
const plants = fc.oneof(flip, swap, removal, truncation, insertion, forgedInsertion, rewriting, renumbering)

test('an untouched stream passes, with and without its head, however long', () => {
	for (const count of [0, 1, 2, 24, 300]) {
		const { lines, head } = sample(count)
		const expected = { ok: true, count, head: { seq: count, hash: head.hash } }
		assert.deepEqual(verify(lines, head), { ...expected, signed: true })
		assert.deepEqual(verifyStream(lines, { crypto: nodeCrypto }), { ...expected, signed: false })
	}
})

/** Runs random plants through a verifier; answers the first mistake. The untouched stream must pass in the same run. */
function firstMistake(check: Verify, runs: number, counts: Map<string, number> = new Map(), planted = plants): string | undefined {
	if (!check(original.lines, original.head).ok) return 'the untouched stream was refused'
	const result = fc.check(
		fc.property(planted, (plant) => {
			counts.set(plant.kind, (counts.get(plant.kind) ?? 0) + 1)
			const verdict = check(plant.lines(), original.head)
			assert.equal(verdict.ok ? 'passed' : verdict.index, plant.index, plant.kind)
		}),
		{ numRuns: runs },
	)
	return result.failed ? String(result.errorInstance) : undefined
}

test('after any single flip, swap, removal, insertion, truncation or forgery the first bad line is named exactly', (t) => {
	const counts = new Map<string, number>()
	assert.equal(firstMistake(verify, 2_500, counts), undefined)
	t.diagnostic(`planted: ${[...counts].map(([kind, count]) => `${kind} ${count}`).join(', ')}`)
	assert.equal(counts.size, 10)
})

test('the property above can fail: a verifier that refuses everything, one that ignores prev, one without the way back', () => {
	const alwaysFails: Verify = () => ({ ok: false, index: 0, code: 'malformed', text: '' })
	assert.match(firstMistake(alwaysFails, 50) ?? '', /untouched stream was refused/)
	const onlyCounts: Verify = (lines, head) => {
		const misplaced = lines.findIndex((bytes, index) => !new TextDecoder().decode(bytes).includes(`"seq":${index + 1},`))
		const index = misplaced < 0 ? lines.length : misplaced
		if (index === head.seq && lines.length === head.seq) return { ok: true, count: index, head, signed: true }
		return { ok: false, index, code: 'sequence', text: '' }
	}
	assert.match(firstMistake(onlyCounts, 200, new Map(), rewriting) ?? '', /passed/)
	const onlyForward: Verify = (lines) => verifyStream(lines, { crypto: nodeCrypto })
	assert.notEqual(firstMistake(onlyForward, 2_000), undefined)
})

test('without a head a break is named to within one line, and the missing end is not noticed', () => {
	const forward = (lines: readonly Uint8Array[]) => {
		const verdict = verifyStream(lines, { crypto: nodeCrypto })
		return verdict.ok ? 'passed' : verdict.index
	}
	fc.assert(
		fc.property(fc.oneof(removal, rewriting), ({ index, lines }) => assert.ok([index, index + 1, 'passed'].includes(forward(lines())))),
		{ numRuns: 100 },
	)
	assert.equal(forward(original.lines.with(12, canonicalBytes({ ...event(12), data: {} }))), 12)
	assert.equal(forward(original.lines.slice(0, 20)), 'passed')
})

test('a head by a stranger, for another stream, or with any field changed is refused', () => {
	const refusal = (head: SignedHead, known = keys) => {
		const verdict = verifyStream(original.lines, { head, keys: known, crypto: nodeCrypto })
		return verdict.ok ? 'passed' : verdict.code
	}
	assert.equal(refusal(original.head), 'passed')
	assert.equal(refusal(original.head, new Map()), 'head-signature')
	assert.equal(refusal(original.head, new Map([['edge-1', testKey().publicKey]])), 'head-signature')
	for (const change of [{ seq: 23 }, { at: 1 }, { hash: 'ab'.repeat(32) }, { signature: 'AAAA' }, { keyId: 'edge-2' }]) {
		assert.equal(refusal({ ...original.head, ...change }), 'head-signature')
	}
	assert.equal(refusal(stranger.head), 'other-stream')
})

test('an anchor fixes the end as a signed head does, only unsigned', () => {
	const byAnchor: Verify = (lines, head) =>
		verifyStream(lines, { anchor: { stream: head.stream, seq: head.seq, hash: head.hash }, crypto: nodeCrypto })
	const untouched = byAnchor(original.lines, original.head)
	assert.deepEqual([untouched.ok, untouched.ok && untouched.signed], [true, false])
	assert.equal(firstMistake(byAnchor, 200), undefined)
})

test('of several damaged lines the first is named', () => {
	const damaged = [5, 9, 17].reduce((lines, index) => lines.with(index, canonicalBytes({ ...event(index), data: { forged: true } })), original.lines)
	const verdict = verify(damaged, original.head)
	assert.deepEqual([verdict.ok, verdict.ok || verdict.index], [false, 5])
})

test('even what a controller signed is refused when it is not the canonical bytes of an event', () => {
	const signedAfterwards = (last: (event: StreamEvent) => string) => {
		const bytes = new TextEncoder().encode(last(event(23)))
		const lines = original.lines.with(23, bytes)
		const verdict = verify(lines, signHead({ ...original.head, hash: toHex(sha256(bytes)) }, 1, 'edge-1', controller.sign))
		return verdict.ok ? 'passed' : `${verdict.code} ${verdict.index}`
	}
	assert.equal(
		signedAfterwards((one) => canonical(one)),
		'passed',
	)
	assert.equal(
		signedAfterwards((one) => JSON.stringify(one, null, 1)),
		'malformed 23',
	)
	assert.equal(
		signedAfterwards((one) => canonical(one).replace('"v":1', '"v":1.0')),
		'malformed 23',
	)
	assert.equal(
		signedAfterwards((one) => canonical({ ...one, name: 'Ana' })),
		'malformed 23',
	)
	assert.equal(
		signedAfterwards((one) => canonical({ ...one, type: 'visit.began' })),
		'malformed 23',
	)
	assert.equal(
		signedAfterwards((one) => canonical({ ...one, data: { long: 'x'.repeat(MAX_EVENT_BYTES) } })),
		'malformed 23',
	)
})

test('a rewritten history with a chain of its own ends at the head, whose hash it cannot have', () => {
	let prev = toHex(sha256(at(original.lines, 9)))
	const forged = original.lines.map((bytes, index) => {
		if (index < 10) return bytes
		const rewritten = canonicalBytes({ ...event(index), prev, data: { forged: true } })
		prev = toHex(sha256(rewritten))
		return rewritten
	})
	const verdict = verify(forged, original.head)
	assert.deepEqual([verdict.ok, verdict.ok || verdict.code], [false, 'altered'])
})

test('an export is read back as it was written; a cut or torn one has no head', () => {
	const file = exportFile(original.lines, original.head)
	const back = readExport(file)
	assert.deepEqual(back.head, original.head)
	assert.deepEqual(verifyStream(back.events, { head: original.head, keys, crypto: nodeCrypto }).ok, true)
	assert.equal(readExport(file.subarray(0, file.length - 20)).head, undefined)
	assert.equal(readExport(new Uint8Array()).head, undefined)
	assert.equal(readExport(file).events.length, 24)
})

const exportFile = (lines: readonly Uint8Array[], head: SignedHead): Uint8Array => Uint8Array.from(Buffer.concat([...writeExport(lines, head)]))
const SCRIPT = fileURLToPath(new URL('../../../../docs/verify/verify_stream.py', import.meta.url))

test('the independent verifier in Python agrees on the untouched export and on damaged ones', () => {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-verify-'))
	try {
		const damaged = fc.sample(plants, { numRuns: 200, seed: 11 })
		const untouched = [0, 1, 24].map((count) => sample(count))
		const exports = [
			...untouched.map(({ lines, head }) => exportFile(lines, head)),
			...damaged.map(({ lines }) => exportFile(lines(), original.head)),
		]
		const files = exports.map((content, index) => {
			writeFileSync(join(folder, `${index}.jsonl`), content)
			return join(folder, `${index}.jsonl`)
		})
		const run = spawnSync('python3', [SCRIPT, ...files], { encoding: 'utf8' })
		assert.equal(run.error, undefined, 'python3 is needed for this test: apt-get install python3')
		assert.deepEqual([run.stderr, run.status], ['', 1])
		const verdicts = run.stdout
			.trim()
			.split('\n')
			.map((text) => JSON.parse(text))
		const named = verdicts.map((verdict) => (verdict.ok ? 'passed' : verdict.index))
		assert.deepEqual(named, [...untouched.map(() => 'passed'), ...damaged.map(({ index }) => index)])
	} finally {
		rmSync(folder, { recursive: true })
	}
})
