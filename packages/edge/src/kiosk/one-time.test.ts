import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isReadBack, type MintedCode, mintDigits, mintedId, mintKeyOf, mintKeysAt, mintWeek, NO_DELTA, sealDelta } from '@latchwork/core/access'
import { SAMPLE_START, sampleId, samplePin, sampleSubject, testKey } from '@latchwork/core/access/testing'
import { nodeCrypto } from '../keys.ts'
import { createStage, type Stage } from '../testing/stage.ts'

/** A code of sixteen digits that the server made while this bank may have been cut off: it is known here by the bank's keys alone. */
const HOUR = 3_600_000
const BORROW = 'borrow:loan-laptop'
const ROOT = new Uint8Array(32).fill(9)
const BANK = sampleId('bank', 'library')
const START = Math.floor(SAMPLE_START / HOUR) * HOUR
/** The stage's own. */
const maker = testKey(new Uint8Array(32).fill(3))
const keys = mintKeysAt(ROOT, BANK, SAMPLE_START, nodeCrypto)
const codeOf = (change: Partial<MintedCode> = {}): MintedCode => ({ subject: sampleSubject('ana'), notBefore: START, hours: 12, n: 0, ...change })
const keyOf = (code: MintedCode) => mintKeyOf(ROOT, BANK, mintWeek(code.notBefore), nodeCrypto)
const digitsOf = (code: MintedCode) => mintDigits(keyOf(code), code, nodeCrypto)
const idOf = (code: MintedCode) => mintedId(keyOf(code), code, nodeCrypto)

async function withKeys(run: (stage: Stage) => Promise<void>): Promise<void> {
	const stage = await createStage()
	try {
		assert.ok(stage.controller().authority.take('bundle', stage.sealed({ version: 20 }), { mintKeys: keys }))
		await run(stage)
	} finally {
		stage.end()
	}
}

const pad = (stage: Stage) => {
	const screen = stage.screen()
	return screen.name === 'pin' ? [screen.length, screen.entered, screen.oneTime] : [screen.name]
}
function type(stage: Stage, digits: string): void {
	stage.act({ kind: 'start-pin' })
	stage.act({ kind: 'start-one-time' })
	stage.act({ kind: 'keys', keys: digits })
}

test('room for a one-time code is offered where the server can make one; a PIN still sends with its last digit', async () => {
	const stage = await createStage()
	try {
		stage.act({ kind: 'start-pin' })
		assert.deepEqual(pad(stage), [8, 0, undefined], 'no keys came: nothing is offered')
		stage.act({ kind: 'start-one-time' })
		assert.deepEqual(pad(stage), [8, 0, undefined])
	} finally {
		stage.end()
	}
	await withKeys(async (kiosk) => {
		kiosk.act({ kind: 'start-pin' })
		assert.deepEqual(pad(kiosk), [8, 0, 'offered'])
		kiosk.act({ kind: 'keys', keys: samplePin('ana') })
		assert.equal(kiosk.screen().name, 'choose')
		kiosk.act({ kind: 'finish' })
		kiosk.act({ kind: 'start-pin' })
		kiosk.act({ kind: 'start-one-time' })
		kiosk.act({ kind: 'keys', keys: '12345678' })
		assert.deepEqual(pad(kiosk), [16, 8, 'typing'])
		kiosk.act({ kind: 'finish' })
		// A keypad with wires has nothing to touch.
		kiosk.controller().readers.event({ kind: 'keys', keys: '#1234', secure: false }, sampleId('reader', 'one'))
		assert.deepEqual(pad(kiosk), [16, 4, 'typing'])
	})
})

test('typed, it lets its person in, opens one door, and is used up by that, also after the plug was pulled', () =>
	withKeys(async (stage) => {
		const code = codeOf()
		type(stage, digitsOf(code))
		assert.equal(stage.screen().name, 'choose')
		stage.act({ kind: 'finish' })
		type(stage, digitsOf(code))
		assert.equal(stage.screen().name, 'choose', 'who opened nothing has not used it')
		stage.choose(BORROW)
		await stage.shows('open')
		stage.crash()
		await stage.start()
		const used = stage.controller().journal.fact('code-used', idOf(code))
		assert.equal(typeof used, 'number')
		assert.equal(stage.types().filter((one) => one === 'credential.code-used').length, 1)
		for (const [digits, why] of [
			[digitsOf(code), 'code-used'],
			[digitsOf(codeOf({ n: 1, notBefore: START + 48 * HOUR })), 'outside-hours'],
			[digitsOf(codeOf({ n: 1, notBefore: START - 24 * HOUR })), 'code-expired'],
		] as const) {
			stage.act({ kind: 'finish' })
			await stage.until('the kiosk is free', () => stage.screen().name === 'attract' || stage.screen().name === 'open')
			if (stage.screen().name !== 'attract') {
				stage.cabinet.setDoor(0, 'closed')
				await stage.until('the door is shut', () => stage.screen().name !== 'open')
				stage.act({ kind: 'finish' })
			}
			type(stage, digits)
			assert.deepEqual(stage.screen(), { name: 'denied', reason: why }, 'the keys were kept over the crash')
		}
	}))

test('taken back, it opens nothing as soon as the bank hears of it; the person’s other code goes on', () =>
	withKeys(async (stage) => {
		const [gone, stays] = [codeOf(), codeOf({ n: 1 })]
		const { n } = NO_DELTA
		const site = stage.controller().authority.current()?.bundle.site.id ?? assert.fail()
		const delta = {
			format: 'latchwork-delta/1' as const,
			site,
			n: n + 1,
			prev: NO_DELTA.hash,
			changes: [{ revoke: idOf(gone) }],
			issuedAt: SAMPLE_START,
			until: SAMPLE_START + 72 * HOUR,
		}
		assert.equal(stage.controller().authority.takeDelta(JSON.stringify(sealDelta(delta, 'maker', maker.sign))), 'taken')
		type(stage, digitsOf(gone))
		assert.deepEqual(stage.screen(), { name: 'denied', reason: 'credential-revoked' })
		stage.act({ kind: 'finish' })
		type(stage, digitsOf(stays))
		assert.equal(stage.screen().name, 'choose')
	}))

test('wrong digits are a wrong PIN and cost a try of the same budget', () =>
	withKeys(async (stage) => {
		type(stage, `${digitsOf(codeOf()).slice(0, 15)}${(Number(digitsOf(codeOf()).at(-1)) + 1) % 10}`)
		const screen = stage.screen()
		assert.ok(screen.name === 'pin' && screen.wrong && screen.oneTime === 'typing', JSON.stringify(screen))
		assert.equal((stage.controller().journal.fact('budget', 'pin') as { spent: number }).spent, 1)
	}))

test('X22: Help shows somebody who is known here a number to read to the desk, and nobody else any', () =>
	withKeys(async (stage) => {
		stage.act({ kind: 'help' })
		assert.deepEqual(stage.screen(), { name: 'help' })
		stage.act({ kind: 'back' })
		stage.badge('ana')
		stage.act({ kind: 'help' })
		const screen = stage.screen()
		const number = screen.name === 'help' ? (screen.readBack ?? '') : ''
		const right = (who: 'ana' | 'cem') => isReadBack(number, keys, sampleSubject(who), stage.clock.now(), nodeCrypto)
		assert.ok(right('ana') && !right('cem'), JSON.stringify(screen))
		assert.ok(!JSON.stringify(stage.events()).includes(number), 'it is on no record')
	}))
