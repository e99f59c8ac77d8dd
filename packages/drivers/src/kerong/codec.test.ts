import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fromHex } from '@latchwork/core/base'
import fc from 'fast-check'
import { createParser, decode, encode, LONGEST_FRAME, MAX_UNLOCK_MS, type Message, type Parsed } from './codec.ts'

const board = fc.integer({ min: 0, max: 9 })
const lock = fc.integer({ min: 0, max: 15 })
const word = fc.integer({ min: 0, max: 0xffff })
const ms = fc.integer({ min: 0, max: MAX_UNLOCK_MS / 10 }).map((tens) => tens * 10)

/** Plain objects, as the codec makes them. */
const record = <T>(model: { [K in keyof T]: fc.Arbitrary<T[K]> }) => fc.record<T>(model, { noNullPrototype: true })
const kind = <K extends Message['kind']>(name: K) => fc.constant(name)

const message: fc.Arbitrary<Message> = fc.oneof(
	record({ kind: kind('status-query'), board }),
	record({ kind: kind('status-all-query') }),
	record({ kind: kind('unlock'), board, lock }),
	record({ kind: kind('unlock-all'), board }),
	record({ kind: kind('unlock-time-query'), board }),
	record({ kind: kind('unlock-time-set'), board, ms }),
	record({ kind: kind('delayed-unlock'), board, lock, seconds: fc.integer({ min: 0, max: 250 }) }),
	record({ kind: kind('status'), board, lock, latches: word, objects: word }),
	record({ kind: kind('unlock-time'), board, ms }),
)

const messages = (parsed: readonly Parsed[]) => parsed.flatMap((one) => (one.kind === 'message' ? [one.message] : []))
const discarded = (parsed: readonly Parsed[]) => parsed.flatMap((one) => (one.kind === 'discarded' ? [one.discarded] : []))

test('every message survives the way to bytes and back, and no frame is longer than said', () => {
	fc.assert(
		fc.property(message, (one) => {
			const bytes = encode(one)
			assert.ok(bytes.length <= LONGEST_FRAME)
			assert.deepEqual(decode(bytes), one)
		}),
	)
})

test('what has no published layout is rubbish, and the frame behind it is found', () => {
	const good = encode({ kind: 'status-query', board: 3 })
	// `36` with the words of two boards, `40` to 9600, the version envelope; each with a sum that fits.
	for (const hex of ['02 f0 36 ff ff 00 00 fe ff 00 00 03 28', '02 00 40 00 03 45', 'f5 b6 00 00 5f 0a']) {
		const found = createParser().push(Uint8Array.from([...fromHex(hex), ...good]))
		assert.deepEqual(messages(found), [{ kind: 'status-query', board: 3 }], hex)
		assert.deepEqual(discarded(found), [{ code: 'framing', bytes: fromHex(hex).length }], hex)
	}
})

test('a stream of messages is the same however it is cut', () => {
	fc.assert(
		fc.property(fc.array(message, { maxLength: 8 }), fc.infiniteStream(fc.integer({ min: 1, max: 12 })), (sent, cuts) => {
			const bytes = sent.flatMap((one) => [...encode(one)])
			const parser = createParser()
			const found: Message[] = []
			for (let at = 0; at < bytes.length; ) {
				const length = cuts.next().value ?? 1
				found.push(...messages(parser.push(Uint8Array.from(bytes.slice(at, at + length)))))
				at += length
			}
			assert.deepEqual(found, sent)
			assert.equal(parser.held(), 0)
		}),
	)
})

test('any rubbish is got over: of three frames after it at least the last is found', () => {
	fc.assert(
		fc.property(fc.uint8Array({ maxLength: 40 }), message, (rubbish, one) => {
			const parser = createParser()
			parser.push(rubbish)
			// A false start can swallow what it takes for its own data; it is no longer than the longest frame.
			const found = [1, 2, 3].flatMap(() => messages(parser.push(encode(one))))
			assert.deepEqual(found.at(-1), one)
		}),
	)
})

test('what was thrown away is reported as one run, with what was wrong with it', () => {
	const good = fromHex('02 00 35 FD FF 10 00 03 46')
	const badSum = fromHex('02 00 35 FD FF 10 00 03 47')
	assert.deepEqual(discarded(createParser().push(Uint8Array.of(0xff, 0xfb, ...good))), [{ code: 'framing', bytes: 2 }])
	assert.deepEqual(discarded(createParser().push(Uint8Array.of(...badSum, ...good))), [{ code: 'checksum', bytes: 9 }])
	const parser = createParser()
	assert.deepEqual(parser.push(good.slice(0, 4)), [])
	assert.equal(parser.held(), 4)
	assert.deepEqual(parser.reset(), { code: 'framing', bytes: 4 })
	assert.equal(parser.reset(), undefined)
	assert.deepEqual(messages(parser.push(good)).length, 1)
})

test('half an answer before a whole one costs only the half', () => {
	const good = fromHex('02 00 35 FD FF 10 00 03 46')
	for (let length = 1; length < good.length; length++) {
		const parsed = createParser().push(Uint8Array.of(...good.slice(0, length), ...good))
		// Eight bytes lack only the sum, and the start of the next frame is taken for it.
		assert.deepEqual(discarded(parsed), [{ code: length === 8 ? 'checksum' : 'framing', bytes: length }], `${length} bytes`)
		assert.equal(messages(parsed).length, 1)
	}
})

test('an unlock time is never written in a way that reads as a query', () => {
	const frame = encode({ kind: 'unlock-time-set', board: 0, ms: 60_000 })
	assert.deepEqual(decode(frame), { kind: 'unlock-time-set', board: 0, ms: MAX_UNLOCK_MS })
})

test('a delay above 250 s is no message', () => {
	assert.equal(decode(fromHex('02 00 39 FB 03 39')), undefined)
})
