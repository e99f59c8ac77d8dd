import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import { createStage, type Stage } from '@latchwork/edge/testing'
import { count, type Disk, intents, pageDisk, pulses, recovered, storageFull, watchPulses, whole } from './full-disk.ts'

type Kind = 'borrow' | 'return'

type Stopped = 'at the badge' | 'at the choice' | 'at the door' | 'nowhere'

const PLENTY = 100_001

const deniedForStorage = (stage: Stage, kind: Kind) => {
	const screen = stage.screen()
	return screen.name === 'choose' && screen.choices.some((c) => c.kind === kind && c.denied === 'storage-full')
}

function choiceOf(stage: Stage, kind: Kind): string | undefined {
	const screen = stage.screen()
	return screen.name === 'choose'
		? screen.choices.find((c) => c.kind === kind && c.denied === undefined && (kind === 'return' || c.free))?.id
		: undefined
}

/** One errand during which the disk ends after `room`; the person does what a person does, and all of it is recorded in the end. */
async function errand(stage: Stage, disk: Disk, kind: Kind, room: number): Promise<Stopped> {
	disk.leave(room)
	const before = pulses(stage)
	let stopped: Stopped = 'nowhere'
	stage.badge('ana')
	const id = choiceOf(stage, kind)
	if (id === undefined) stopped = 'at the badge'
	else stage.choose(id)
	if (stage.screen().name !== 'opening') {
		if (id) stopped = 'at the choice'
		const screen = stage.screen()
		assert.ok(storageFull(stage) || deniedForStorage(stage, kind), `the screen says what is wrong: ${JSON.stringify(screen)}`)
		await stage.clock.advance(2_000)
		assert.equal(pulses(stage), before, 'no door without a record')
		disk.free()
		await recovered(stage, room % 10 === 0)
		stage.badge('ana')
		stage.choose(choiceOf(stage, kind) ?? 'nothing')
	}
	await stage.until('a door springs open', () => stage.cabinet.door(door(stage) - 1) === 'open')
	const index = door(stage) - 1
	await stage.clock.advance(500)
	stage.cabinet.setItem(index, kind === 'return' ? { present: true, tag: 'TAG-0' } : { present: false })
	await stage.clock.advance(500)
	stage.cabinet.setDoor(index, 'closed')
	await stage.clock.advance(2_000)
	if (stage.screen().name !== 'done') stopped = 'at the door'
	disk.free()
	await stage.shows('done')
	assert.equal(pulses(stage), before + 1, 'one errand, one pulse')
	await recovered(stage, room % 10 === 0)
	return stopped
}

let lastDoor = 1
/** The door that the screen names. */
function door(stage: Stage): number {
	const screen = stage.screen()
	if ('door' in screen) lastDoor = screen.door.number
	return lastDoor
}

test('the disk ends at every page of a loan and of a return: no pulse without its row, nothing lost, all of it recorded when there is room', async () => {
	const disk = pageDisk()
	const stage = await createStage({ tune: disk.tune })
	try {
		const seen = watchPulses(stage, disk.db)
		const met = new Map<string, number>()
		for (const kind of ['borrow', 'return'] as const) {
			let untouched = 0
			// The first pages one by one, then in strides: one write takes many pages of this size.
			for (let room = 0, step = 1; untouched < 8; room += step) {
				if (kind === 'return') await errand(stage, disk, 'borrow', PLENTY)
				const stopped = await errand(stage, disk, kind, room)
				count(met, `${kind} ${stopped}`)
				untouched = stopped === 'nowhere' ? untouched + 1 : 0
				step = room < 16 || stopped === 'nowhere' ? 1 : 7
				if (kind === 'borrow') await errand(stage, disk, 'return', PLENTY)
				assert.equal(seen.wrong, 0)
				assert.equal(intents(disk.db()), pulses(stage))
			}
		}
		for (const kind of ['borrow', 'return'])
			for (const where of ['at the badge', 'at the choice', 'at the door', 'nowhere'])
				assert.ok((met.get(`${kind} ${where}`) ?? 0) >= 1, `${kind} ${where}: ${JSON.stringify([...met])}`)
		assert.ok(stage.types().includes('controller.storage-low') && stage.types().includes('controller.storage-good'))
		whole(stage.directory())
	} finally {
		stage.end()
	}
})

/** Said by the run, so that nobody takes a test that could not be made for one that passed. */
const withoutTmpfs = process.platform === 'linux' && process.getuid?.() === 0 ? false : 'only root on Linux can make a small file system'

test('a file system runs full at every block: loans are refused, returns go on with the space held back, and a restart finds it', {
	skip: withoutTmpfs,
}, async (t) => {
	const path = mountTmpfs()
	if (path === undefined) return t.skip('this machine lets nobody make a small file system')
	t.after(() => {
		execFileSync('umount', [path])
		rmSync(path, { recursive: true, force: true })
	})
	const disk = filledDisk(path)
	let db: DatabaseSync | undefined
	const stage = await createStage({
		within: path,
		tune: (of) => {
			db = of
		},
	})
	try {
		const seen = watchPulses(stage, () => db as DatabaseSync)
		const met = new Map<string, number>()
		for (let room = 0; room < 60; room += 3) {
			count(met, `borrow ${await errand(stage, disk, 'borrow', room)}`)
			count(met, `return ${await errand(stage, disk, 'return', room)}`)
			assert.equal(seen.wrong, 0)
			assert.equal(intents(db as DatabaseSync), pulses(stage))
		}
		assert.ok((met.get('borrow at the choice') ?? 0) + (met.get('borrow at the badge') ?? 0) >= 3, JSON.stringify([...met]))
		assert.equal(met.get('return nowhere'), 20, JSON.stringify([...met]))
		await errand(stage, disk, 'borrow', 1_000)
		disk.leave(0)
		stage.stop()
		await stage.start()
		assert.equal(await errand(stage, { leave: () => {}, free: disk.free }, 'return', 1), 'nowhere')
		whole(stage.directory())
	} finally {
		stage.end()
	}
	const late = await createStage({ within: path, started: false })
	try {
		late.writeBundle()
		disk.leave(0)
		await assert.rejects(late.start(), (fault) => isFault(fault, 'journal-full') && /Free some space/.test(fault.message))
		disk.free()
		await late.start()
		assert.equal(await late.borrow(), 1)
		whole(late.directory())
	} finally {
		late.end()
	}
})

function filledDisk(path: string): Disk {
	const filler = join(path, 'filler')
	const { bsize } = statfsSync(path)
	return {
		leave(room) {
			const fd = openSync(filler, 'w')
			let size = 0
			try {
				for (const block = new Uint8Array(bsize); ; ) size += writeSync(fd, block)
			} catch (cause) {
				assert.equal((cause as { code?: string }).code, 'ENOSPC')
			}
			ftruncateSync(fd, Math.max(0, size - room * bsize))
			closeSync(fd)
		},
		free: () => rmSync(filler, { force: true }),
	}
}

/** A file system of 16 MB; undefined where mounting is forbidden even to root, as in some containers. */
function mountTmpfs(): string | undefined {
	const path = mkdtempSync(join(tmpdir(), 'latchwork-full-'))
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path], { stdio: 'ignore' })
		return path
	} catch {
		rmSync(path, { recursive: true, force: true })
		return undefined
	}
}
