import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdtempSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { verifyStream } from '@latchwork/core/ledger'
import { readJournal } from '@latchwork/edge/journal'
import { nodeCrypto } from '@latchwork/edge/keys'
import { createStage, type Stage } from '@latchwork/edge/testing'

type Kind = 'borrow' | 'return'

/** What stops the disk from taking more, and what lets it again. */
interface Disk {
	/** From now on there is room for so much more: pages, or blocks. */
	leave(room: number): void
	free(): void
}

type Stopped = 'at the badge' | 'at the choice' | 'at the door' | 'nowhere'

const PLENTY = 100_001

const intents = (db: DatabaseSync) => Number(db.prepare('SELECT count(*) AS n FROM intent').get()?.n)
const pulses = (stage: Stage) => Array.from({ length: 16 }, (_, i) => stage.cabinet.pulses(i)).reduce((a, b) => a + b, 0)
const storageFull = (stage: Stage) => {
	const screen = stage.screen()
	return screen.name === 'out-of-service' && screen.why === 'storage-full'
}

const deniedForStorage = (stage: Stage, kind: Kind) => {
	const screen = stage.screen()
	return screen.name === 'choose' && screen.choices.some((c) => c.kind === kind && c.denied === 'storage-full')
}

/** Each pulse on the bus is compared with the rows on disk in the moment in which it arrives. */
function watchPulses(stage: Stage, db: () => DatabaseSync): { wrong: number } {
	const seen = { wrong: 0 }
	stage.cabinet.onChange(() => {
		if (pulses(stage) > intents(db())) seen.wrong++
	})
	return seen
}

/** Everything is as before: by itself, or sooner with a touch and an early look at the disk. */
async function recovered(stage: Stage, byItself: boolean): Promise<void> {
	if (!byItself) {
		stage.controller().journal.checkStorage()
		stage.act({ kind: 'finish' })
	}
	const ready = () => stage.controller().journal.storage() === 'good' && stage.screen().name === 'attract'
	for (let i = 0; !ready(); i++) {
		assert.ok(i < 120, `not as before within a minute: ${JSON.stringify(stage.screen())}`)
		await stage.clock.advance(500)
	}
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

const count = (met: Map<string, number>, what: string) => met.set(what, (met.get(what) ?? 0) + 1)

let lastDoor = 1
/** The door that the screen names. */
function door(stage: Stage): number {
	const screen = stage.screen()
	if ('door' in screen) lastDoor = screen.door.number
	return lastDoor
}

function whole(directory: string): void {
	const streams = readJournal(directory)
	assert.equal(streams.length, 1, 'no second stream: nothing was lost')
	for (const { lines, mark } of streams) {
		const verdict = verifyStream(lines, { crypto: nodeCrypto, ...(mark && { anchor: mark }) })
		assert.ok(verdict.ok, JSON.stringify(verdict))
	}
}

test('the disk ends at every page of a loan and of a return: no pulse without its row, nothing lost, all of it recorded when there is room', async () => {
	let db: DatabaseSync | undefined
	const handle = () => db as DatabaseSync
	const stage = await createStage({
		tune: (of) => {
			db = of
			of.exec('PRAGMA page_size=512') // so small that nearly every record needs a page
		},
	})
	const pages = (pragma: string) => Number(Object.values(handle().prepare(`PRAGMA ${pragma}`).get() ?? {})[0])
	const disk: Disk = {
		leave(room) {
			handle().exec('CREATE TABLE IF NOT EXISTS filler (b BLOB)')
			while (pages('freelist_count') > 0) handle().exec('INSERT INTO filler VALUES (zeroblob(400))')
			handle().exec(`PRAGMA max_page_count=${pages('page_count') + room}`)
		},
		free: () => handle().exec('PRAGMA max_page_count=1000000'),
	}
	try {
		const seen = watchPulses(stage, handle)
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
				assert.equal(intents(handle()), pulses(stage))
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

const tmpfs = mountTmpfs()
if (tmpfs) {
	test('a file system runs full at every block: loans are refused, returns go on with the space held back, and a restart finds it', async () => {
		const filler = join(tmpfs.path, 'filler')
		const { bsize } = statfsSync(tmpfs.path)
		const disk: Disk = {
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
		let db: DatabaseSync | undefined
		const stage = await createStage({
			within: tmpfs.path,
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
			tmpfs.unmount()
		}
	})
}

/** A file system of 16 MB where this user may make one. */
function mountTmpfs(): { path: string; unmount(): void } | undefined {
	if (process.getuid?.() !== 0 || process.platform !== 'linux') return undefined
	const path = mkdtempSync(join(tmpdir(), 'latchwork-full-'))
	const remove = () => rmSync(path, { recursive: true, force: true })
	try {
		execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16m', 'tmpfs', path], { stdio: 'ignore' })
	} catch {
		remove()
		return undefined
	}
	return {
		path,
		unmount() {
			execFileSync('umount', [path])
			remove()
		},
	}
}
