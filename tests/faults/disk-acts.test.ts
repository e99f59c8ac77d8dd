import assert from 'node:assert/strict'
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { sampleId, samplePin } from '@latchwork/core/access/testing'
import { isFault } from '@latchwork/core/base'
import { createStage, type Stage, type StageOptions } from '@latchwork/edge/testing'
import { count, intents, type PageDisk, pageDisk, pulses, recovered, storageFull, watchPulses, whole } from './full-disk.ts'

/**
 * What else is written than a loan and its return, each with the disk ending at every page of it: no door opens without a record, nothing
 * is thrown where nobody catches it (the clock would reject), a person gets an answer, and with room again all goes on.
 */
const HOUR = 3_600_000

async function staged(t: TestContext, options: StageOptions = {}): Promise<{ stage: Stage; disk: PageDisk }> {
	const disk = pageDisk()
	const stage = await createStage({ ...options, tune: disk.tune })
	t.after(stage.end)
	return { stage, disk }
}

const fullNow = (fault: unknown) => isFault(fault, 'journal-full') && /Free some space/.test(fault.message)
const one = (stage: Stage) => stage.controller().bank.state().compartments[sampleId('compartment', '1')]

test('the first start: refused in words, or it goes on as soon as there is room; either way nothing of it is lost and no door opens', async (t) => {
	const { stage, disk } = await staged(t, { started: false })
	const met = new Map<string, number>()
	stage.writeBundle()
	for (let pages = 1, untouched = 0; untouched < 3; pages += 2) {
		disk.atStart({ pages })
		const cancel = stage.clock.after(2_000, () => {
			count(met, stage.controller().health().problems.includes('records-wait') ? 'began, and waited' : 'began')
			untouched = stage.controller().authority.current() && stage.screen().name === 'attract' ? untouched + 1 : 0
			disk.free()
		})
		try {
			await stage.start()
			await stage.until('the bundle is in force', () => stage.screen().name === 'attract')
			assert.equal(stage.types()[0], 'stream.started')
			assert.equal(pulses(stage), 0)
			stage.stop()
			whole(stage.directory())
		} catch (fault) {
			assert.ok(fullNow(fault), String(fault))
			count(met, 'refused')
			cancel()
		}
		if (existsSync(stage.directory())) rmSync(stage.directory(), { recursive: true })
	}
	assert.ok((met.get('refused') ?? 0) > 3 && (met.get('began') ?? 0) > 3, JSON.stringify([...met]))
	t.diagnostic(JSON.stringify([...met]))
})

test('a bundle and a lease: the old one stays in force or the new one is, never half of it, and the next look takes what did not fit', async (t) => {
	const { stage, disk } = await staged(t)
	const { authority, journal } = stage.controller()
	const met = new Map<string, number>()
	for (let room = 0, untouched = 0; untouched < 3; room += room < 30 ? 1 : 3) {
		const before = authority.current()?.bundle.version ?? 0
		disk.leave(room)
		stage.writeBundle({ version: before + 1 })
		const { issuedAt } = stage.writeLease({ bundleVersion: before + 1 })
		await stage.clock.advance(1_500)
		const { bundle, lease } = authority.current() ?? {}
		const taken = bundle?.version === before + 1
		assert.equal(journal.fact<{ version: number }>('authority', 'accepted')?.version, bundle?.version, 'what is kept is what is in force')
		count(met, `bundle ${taken}, lease ${lease?.issuedAt === issuedAt}`)
		untouched = taken && lease?.issuedAt === issuedAt ? untouched + 1 : 0
		disk.free()
		await stage.clock.advance(1_500)
		assert.deepEqual([authority.current()?.bundle.version, authority.current()?.lease?.issuedAt], [before + 1, issuedAt])
	}
	assert.ok(met.has('bundle false, lease false') && met.has('bundle true, lease true'), JSON.stringify([...met]))
	t.diagnostic(JSON.stringify([...met]))
	await recovered(stage, true)
	assert.equal(await stage.borrow(), 1)
	whole(stage.directory())
})

test('a PIN: looked at only when its try is on disk, else the screen says why; no try is free and none is lost', async (t) => {
	const { stage, disk } = await staged(t)
	stage.writeBundle({ version: 8, settings: { ...stage.bundle().settings, wrongPinsPerDay: 100 } })
	await stage.clock.advance(1_500)
	const spent = () => stage.controller().journal.fact<{ spent: number }>('budget', 'pin')?.spent ?? 0
	const met = new Map<string, number>()
	for (let room = 0, untouched = 0; untouched < 3; room++) {
		disk.leave(room)
		// One try takes the place of the one before, which needs no room: only a disk that takes nothing at all refuses it.
		const nothing = room === 0 ? new DatabaseSync(join(stage.directory(), 'edge.db')) : undefined
		nothing?.exec('BEGIN IMMEDIATE')
		const before = spent()
		stage.pin('99999999')
		const looked = stage.screen().name === 'pin'
		assert.ok(looked || storageFull(stage), JSON.stringify(stage.screen()))
		assert.equal(spent(), before + (looked ? 1 : 0))
		await stage.clock.advance(1_100)
		stage.pin(samplePin('ana'))
		const known = stage.screen().name === 'choose'
		assert.ok(known || storageFull(stage), JSON.stringify(stage.screen()))
		count(met, `wrong ${looked ? 'looked at' : 'not taken'}, right ${known ? 'looked at' : 'not taken'}`)
		untouched = looked && known ? untouched + 1 : 0
		assert.equal(pulses(stage), 0)
		nothing?.close()
		disk.free()
		await recovered(stage, false)
		await stage.clock.advance(5_000) // what was tried costs its time, also where its answer could not be given
		stage.pin(samplePin('ana'))
		await stage.shows('choose')
		stage.act({ kind: 'finish' })
	}
	assert.ok(met.has('wrong not taken, right not taken') && met.has('wrong looked at, right looked at'), JSON.stringify([...met]))
	t.diagnostic(JSON.stringify([...met]))
})

test('a deadline: the loan becomes overdue once, when there is room', async (t) => {
	const { stage, disk } = await staged(t)
	await stage.borrow() // due at 18:00, and it is 10:00 in Berlin
	const overdue = () => stage.types().filter((type) => type === 'loan.overdue').length
	await stage.serves(8.25 * HOUR - 60_000) // a quarter of an hour of grace
	await stage.start()
	disk.leave(0)
	await stage.clock.advance(240_000)
	assert.equal(overdue(), 0)
	disk.free()
	await stage.clock.advance(120_000)
	assert.equal(overdue(), 1)
	await stage.clock.advance(120_000)
	assert.equal(overdue(), 1)
	await recovered(stage, true)
	await stage.bringBack()
	whole(stage.directory())
})

test('a restart in the middle of a loan: it waits for room, opens nothing, and then ends as what it was', async (t) => {
	for (const more of [0, 1, 4, 16, 40]) {
		const { stage, disk } = await staged(t)
		const seen = watchPulses(stage, disk.db)
		stage.badge('ana')
		stage.choose('borrow:loan-laptop')
		await stage.shows('open')
		stage.cabinet.setItem(0, { present: false })
		disk.leave(0)
		stage.crash()
		disk.atStart({ more })
		let waited = 0
		stage.clock.after(5_000, () => {
			waited = stage.controller().health().waiting.count
			assert.equal(one(stage)?.session?.state, 'opened')
			disk.free()
		})
		await stage.start()
		await stage.clock.advance(6_000)
		stage.cabinet.setDoor(0, 'closed')
		await stage.until('the loan', () => stage.types().includes('loan.started'))
		if (more === 0) assert.ok(waited > 0, 'the disk was full')
		assert.equal(pulses(stage), 1)
		assert.equal(seen.wrong, 0)
		assert.equal(intents(disk.db()), 1)
		whole(stage.directory())
	}
})

test('a door left open and a person who goes: nobody hears of it before it can be recorded, and then all of it is', async (t) => {
	const { stage, disk } = await staged(t)
	stage.badge('ana')
	stage.choose('borrow:loan-laptop')
	await stage.shows('open')
	disk.leave(0)
	await stage.clock.advance(400_000)
	stage.badge('cem')
	stage.cabinet.setItem(0, { present: false })
	await stage.clock.advance(1_000)
	stage.cabinet.setDoor(0, 'closed')
	await stage.clock.advance(60_000)
	assert.ok(!stage.types().includes('door-session.left-open'))
	assert.ok(stage.controller().health().waiting.count > 0)
	disk.free()
	await stage.until('the end of the door session', () => one(stage)?.session === undefined)
	assert.ok(stage.types().includes('door-session.left-open'))
	await recovered(stage, true)
	stage.badge('cem')
	disk.leave(0)
	await stage.clock.advance(120_000)
	disk.free()
	await recovered(stage, true)
	assert.deepEqual([...stage.controller().journal.facts('visit').values()].length, 0, 'nobody is taken to stand there for ever')
	whole(stage.directory())
})

test('what staff found: recorded, or they are told that it is not and the door stays as it was', async (t) => {
	const { stage, disk } = await staged(t)
	const met = new Map<string, number>()
	const three = () => stage.controller().bank.state().compartments[sampleId('compartment', '3')]
	for (let room = 0, untouched = 0; untouched < 3; room++) {
		stage.cabinet.setDoor(2, 'open')
		await stage.until('the alarm', () => three()?.hold?.why === 'forced')
		stage.cabinet.setDoor(2, 'closed')
		await stage.until('it is shut', () => three()?.door === 'closed')
		disk.leave(room)
		try {
			stage.controller().settle({ door: 3, found: 'nothing' })
			assert.equal(three()?.hold, undefined)
			count(met, 'recorded')
			untouched++
		} catch (fault) {
			assert.ok(fullNow(fault), String(fault))
			assert.equal(three()?.hold?.why, 'forced')
			count(met, 'refused')
			untouched = 0
			disk.free()
			stage.controller().settle({ door: 3, found: 'nothing' })
		}
		disk.free()
		await recovered(stage, true)
	}
	assert.ok(met.has('refused') && met.has('recorded'), JSON.stringify([...met]))

	stage.crash()
	for (const name of ['edge.db', 'edge.db-wal']) rmSync(join(stage.directory(), name))
	await stage.start()
	for (const door of [1, 2, 3, 4]) stage.controller().settle({ door, found: door === 1 ? { tag: 'TAG-0' } : 'nothing' })
	disk.leave(0)
	assert.throws(() => stage.controller().settle({ history: 'checked' }), fullNow)
	assert.ok(stage.controller().journal.lost())
	disk.free()
	stage.controller().settle({ history: 'checked' })
	await recovered(stage, true)
	assert.equal(await stage.borrow(), 1)
})
