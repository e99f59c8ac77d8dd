import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sampleId, samplePin } from '@latchwork/core/access/testing'
import { createStage, type Stage } from '../testing/stage.ts'

const WRONG_A_DAY = 4

async function staged(t: TestContext): Promise<Stage> {
	const stage = await createStage({ started: false })
	t.after(stage.end)
	stage.writeBundle({
		settings: { ...stage.bundle().settings, wrongPinsPerDay: WRONG_A_DAY },
		revoked: { epoch: 3, ids: [sampleId('credential', 'fay-badge')] },
	})
	await stage.start()
	return stage
}

const reason = (stage: Stage) => {
	const screen = stage.screen()
	return screen.name === 'denied' ? screen.reason : screen.name
}
const lastDenied = (stage: Stage) => stage.events().findLast((e) => e.type === 'decision.denied')?.data
const spent = (stage: Stage) => stage.controller().journal.fact<{ spent: number }>('budget', 'pin')?.spent

test('wrong PINs cost time that grows, over a restart too, and the last one of the day rests the method until midnight alone', async (t) => {
	const stage = await staged(t)
	const waits: number[] = []
	for (let i = 1; i <= WRONG_A_DAY; i++) {
		stage.pin('99999999')
		assert.equal(spent(stage), i)
		const screen = stage.screen()
		if (i < WRONG_A_DAY) {
			assert.ok(screen.name === 'pin' && screen.wrong && screen.waitUntil !== undefined, JSON.stringify(screen))
			waits.push(screen.waitUntil - stage.clock.now())
			// Typed too early: nothing is looked at, nothing is spent, also by the right one.
			stage.pin(samplePin('ana'))
			assert.equal(spent(stage), i)
			stage.crash()
			await stage.start()
			assert.equal(spent(stage), i, 'a pulled plug buys no free try')
			await stage.clock.advance(waits.at(-1) ?? 0)
		}
	}
	assert.deepEqual(waits, [1_000, 2_000, 4_000])
	assert.equal(reason(stage), 'pin-suspended')
	assert.equal(stage.types().filter((type) => type === 'credential.locked-out').length, 1)

	stage.crash()
	await stage.start()
	stage.pin(samplePin('ana'))
	assert.equal(reason(stage), 'pin-suspended')
	const screen = stage.screen()
	const midnight = Date.UTC(2026, 0, 5, 23) // in Berlin
	assert.equal(screen.name === 'denied' && screen.until, midnight)
	stage.badge('ana')
	assert.equal(stage.screen().name, 'choose', 'other methods go on (T2)')
	stage.act({ kind: 'finish' })
	stage.crash()
	stage.clock.stepWall(midnight - stage.clock.now())
	await stage.start()
	stage.pin(samplePin('ana'))
	assert.equal(stage.screen().name, 'choose')
	assert.equal(spent(stage), 0, 'the right one is given back')
})

test('the try is on disk before the PIN is looked at', async (t) => {
	const stage = await staged(t)
	const { journal } = stage.controller()
	const before = journal.head().seq
	stage.pin(samplePin('ana'))
	assert.equal(stage.screen().name, 'choose')
	// One row with the try spent, then one that gives it back together with the visit: between them a crash leaves it spent.
	stage.act({ kind: 'finish' })
	stage.pin('12345678')
	stage.crash()
	await stage.start()
	assert.equal(spent(stage), 1)
	assert.ok(stage.controller().journal.head().seq > before)
})

test('unknown, revoked, suspended and garbled badges each get their answer, and no number is recorded', async (t) => {
	const stage = await staged(t)
	stage.badge('fay')
	assert.equal(reason(stage), 'credential-revoked')
	assert.deepEqual(lastDenied(stage), { method: 'badge', reason: 'credential-revoked', credential: sampleId('credential', 'fay-badge') })
	stage.controller().readers.event({ kind: 'card', format: 1, bitCount: 26, bits: new Uint8Array([0, 0, 0, 0]), secure: true }, 'rdr_x')
	assert.equal(reason(stage), 'unknown-credential', 'a bad parity bit is no badge')
	assert.deepEqual(lastDenied(stage), { method: 'badge', reason: 'unknown-credential' })
	stage.controller().readers.event({ kind: 'card', format: 0, bitCount: 3, bits: new Uint8Array([0]), secure: true }, 'rdr_x')
	assert.equal(reason(stage), 'unknown-credential')
	stage.act({ kind: 'back' })
	stage.badge('eli')
	const screen = stage.screen()
	assert.ok(screen.name === 'choose' && screen.choices.every((c) => c.denied !== undefined), JSON.stringify(screen))
})

test('a one-time code opens one door, also over a restart; not at another bank, not changed by a letter', async (t) => {
	const stage = await staged(t)
	const code = stage.code('ana', 'code-one-a')
	stage.scan(stage.code('ana', 'code-two-b', stage.otherBank))
	assert.equal(reason(stage), 'code-other-bank')
	stage.scan(`${code.slice(0, 30)}x${code.slice(31)}`)
	assert.equal(reason(stage), 'unknown-credential')
	stage.scan(code)
	assert.equal(stage.screen().name, 'choose')
	stage.act({ kind: 'finish' })
	stage.scan(code)
	assert.equal(stage.screen().name, 'choose', 'it is used up by a door, not by a look')
	stage.choose('borrow:loan-laptop')
	await stage.hand(1, false)
	stage.act({ kind: 'finish' })
	stage.scan(code)
	assert.equal(reason(stage), 'code-used')
	stage.crash()
	await stage.start()
	stage.scan(code)
	assert.equal(reason(stage), 'code-used')
	assert.equal(stage.types().filter((type) => type === 'credential.code-used').length, 1)
})

test('a lease that says that PINs rest is obeyed until then, other methods go on, and a rest of more than a day is nobody’s word', async (t) => {
	const stage = await staged(t)
	const until = stage.clock.now() + 3_600_000
	stage.writeLease({ pinsRestUntil: until })
	stage.controller().authority.refresh()
	stage.pin(samplePin('ana'))
	const screen = stage.screen()
	assert.ok(screen.name === 'denied' && screen.reason === 'pin-suspended' && screen.until === until, JSON.stringify(screen))
	assert.equal(spent(stage), undefined, 'nothing was tried')
	stage.badge('ana')
	assert.equal(stage.screen().name, 'choose')
	stage.act({ kind: 'finish' })
	await stage.clock.advance(3_600_000)
	stage.pin(samplePin('ana'))
	assert.equal(stage.screen().name, 'choose')
	stage.act({ kind: 'finish' })
	stage.writeLease({ pinsRestUntil: stage.clock.now() + 400 * 86_400_000 })
	stage.controller().authority.refresh()
	stage.pin(samplePin('ana'))
	assert.equal(stage.screen().name, 'choose')
})
