import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SAMPLE_PEOPLE, sampleBadge, samplePin } from '@latchwork/core/access/testing'
import { canonicalBytes } from '@latchwork/core/base'
import { scanForPersonalData } from '@latchwork/core/ledger'
import { readJournal } from './journal/index.ts'
import { createStage, type Stage } from './testing/stage.ts'

test('a loan and its return, one pulse each, and no timer is left when it stops', async () => {
	const stage = await createStage()
	try {
		assert.equal(await stage.borrow(), 1)
		const door = await stage.bringBack()
		assert.equal(stage.cabinet.pulses(0) + stage.cabinet.pulses(door - 1), door === 1 ? 4 : 2)
	} finally {
		stage.end()
	}
	assert.equal(stage.clock.pending(), 0)
})

test('no event of people who borrow, mistype, show codes and are refused holds a badge number, a PIN, a code or the name of a place', async (t) => {
	const stage = await createStage()
	t.after(stage.end)
	const code = stage.code('cem', 'code-for-the-scan')
	await stage.borrow()
	await stage.bringBack()
	stage.pin(samplePin('cem'))
	stage.act({ kind: 'finish' })
	stage.pin('40414243')
	stage.act({ kind: 'finish' })
	stage.badge('eli')
	stage.act({ kind: 'finish' })
	stage.scan(code)
	stage.choose('borrow:loan-laptop')
	await stage.hand(stage.doorOfLaptop(), false)
	const people = Object.keys(SAMPLE_PEOPLE) as (keyof typeof SAMPLE_PEOPLE)[]
	const needles = [...people.flatMap((p) => [sampleBadge(p), samplePin(p)]), code, '40414243', 'Library', 'Main building']
	for (const { lines } of readJournal(stage.directory())) {
		assert.ok(lines.length > 40)
		for (const bytes of lines) assert.deepEqual(scanForPersonalData(bytes, needles), [], new TextDecoder().decode(bytes))
	}
	const planted = canonicalBytes({ data: { text: `PIN ${samplePin('ana')}` } })
	assert.deepEqual(scanForPersonalData(planted, needles), [samplePin('ana')], 'the scan finds what is planted')
})

/** Rows and pulses of this bank, and whether anything hangs. */
const settled = (stage: Stage) => Object.values(stage.controller().bank.state().compartments).every((c) => !c.session?.recovering)
const pulses = (stage: Stage) => Array.from({ length: 16 }, (_, i) => stage.cabinet.pulses(i)).reduce((a, b) => a + b, 0)

test('the plug is pulled at every tenth of a second of a loan: one pulse at most, none without its row, all decided within 5 s', async () => {
	const ends = new Map<string, number>()
	for (let tenth = 0; tenth < 18; tenth++) {
		const stage = await createStage()
		const stuckLock = tenth % 6 === 5
		try {
			stage.cabinet.setFaults(0, { stuckLock })
			const hurry = stage.clock.mono() + tenth * 100
			const until = async (at: number) => {
				if (stage.clock.mono() < at) await stage.clock.advance(Math.max(0, Math.min(at, hurry) - stage.clock.mono()))
			}
			const began = stage.clock.mono()
			stage.badge('ana')
			stage.choose('borrow:loan-laptop')
			await until(began + 600)
			if (stage.clock.mono() < hurry) stage.cabinet.setItem(0, { present: false })
			await until(began + 1_000)
			if (stage.clock.mono() < hurry) stage.cabinet.setDoor(0, 'closed')
			await until(hurry)
			const before = pulses(stage)
			stage.crash()
			await stage.start()
			await stage.until('all is decided', () => settled(stage), 5_000)
			assert.equal(pulses(stage), before, 'a restart opens nothing')
			assert.ok(before <= 1)
			if (stage.cabinet.door(0) === 'open') {
				stage.cabinet.setItem(0, { present: false })
				await stage.clock.advance(500)
				stage.cabinet.setDoor(0, 'closed')
			}
			await stage.until('nobody waits', () => Object.values(stage.controller().bank.state().compartments).every((c) => !c.session), 10_000)
			const releasing = stage.types().filter((type) => type === 'door-session.releasing').length
			assert.ok(releasing >= pulses(stage))
			const end = stage.types().find((type) => /^door-session\.(committed|ambiguous|no-change|not-opened|failed)$/.test(type)) ?? 'none'
			ends.set(end, (ends.get(end) ?? 0) + 1)
		} finally {
			stage.end()
		}
	}
	assert.deepEqual(Object.fromEntries(ends), { 'door-session.committed': 15, 'door-session.ambiguous': 3 }, 'a door that never showed is in doubt')
})
