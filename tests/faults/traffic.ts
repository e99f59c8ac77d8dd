import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { allOf, borrow, giveBack, wholeRecord } from '../scenarios/hands.ts'
import { eventually, type Site } from '../scenarios/site.ts'

/**
 * People, a program and a desk that go on with their work while processes of the server are killed, and what must be true of all of it afterwards:
 * what was acknowledged is there, each request once, every event once and in order, and one pulse an intent.
 */
const PATIENCE_MS = 45_000
const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))

export const pause = (ms: number) => new Promise<void>((done) => setTimeout(done, ms))

/** Does it again and again until told to stop; what goes wrong is thrown by `stop`. */
function keepDoing(act: () => Promise<void>) {
	let times = 0
	let stopped = false
	const work = (async () => {
		for (; !stopped; times++) await act()
	})()
	work.catch(() => {})
	return {
		/** `more` further whole times, begun and ended from now on. */
		async goesOn(more: number): Promise<void> {
			// The one under way has begun before.
			const wanted = times + 1 + more
			await Promise.race([
				eventually(
					async () => times,
					(now) => now >= wanted,
					`${more} more`,
				),
				work,
			])
		},
		async stop(): Promise<number> {
			stopped = true
			await work
			return times
		},
	}
}

interface Command {
	readonly id: string
	readonly state: string
}
const ENDED = ['done', 'failed', 'refused', 'expired']

/** `servers`: origins of all that answer requests for this site. */
export async function startTraffic(site: Site, servers: readonly string[] = [site.ready.api ?? '']) {
	const { elsewhere, ready } = site
	const all = <T>(path: string) => allOf<T>(site, path)
	let turn = 0
	/** Of several servers each is asked in turn, as a load balancer would hand it on. */
	const inTurn = (path: string, init: RequestInit = {}) =>
		fetch(`${servers[turn++ % servers.length]}${path}`, { ...init, headers: { ...init.headers, authorization: `Bearer ${ready.token}` } })
	/** A request that is made again, with the same key, until it is answered: what a program does that was told of `Idempotency-Key`. */
	const insist = async <T>(path: string, asked: object): Promise<{ status: number; body: T; tries: number }> => {
		const init = {
			method: 'POST',
			headers: { 'content-type': 'application/json', 'idempotency-key': randomUUID() },
			body: JSON.stringify(asked),
		}
		for (let tries = 1, end = Date.now() + PATIENCE_MS; ; tries++) {
			const answer = await inTurn(path, init).catch(() => undefined)
			const text = await answer?.text().catch(() => undefined)
			// 409: the first of these requests is still being answered.
			if (answer && text !== undefined && answer.status < 500 && answer.status !== 409)
				return { status: answer.status, body: JSON.parse(text) as T, tries }
			assert.ok(Date.now() < end, `${path}: ${answer?.status} ${text}`)
			await pause(100)
		}
	}
	const made = (type: string) => all<{ data: Record<string, unknown> }>(`/v1/events?type=${type}&`)
	const usersBefore = (await all('/v1/users?')).length
	const loansBefore = (await all('/v1/cases?workflow=loan&')).length
	const createdBefore = (await made('user.created')).length
	const doors = (await all<{ id: string; number: number }>(`/v1/compartments?bank=${elsewhere.bank}&`)).slice(0, 12)
	const pulsesBefore = new Map((await elsewhere.metal()).map(({ number, pulses }) => [number, pulses]))

	// People at the first bank, a program that brings people in, and a desk that opens doors of the second bank from afar.
	const people = keepDoing(async () => {
		await borrow(site, 0)
		await giveBack(site, 0)
	})
	const names: string[] = []
	const users = new Map<string, string>()
	let repeated = 0
	const program = keepDoing(async () => {
		const name = `Person ${names.length}`
		names.push(name)
		const { status, body, tries } = await insist<{ id: string }>('/v1/users', { name })
		assert.equal(status, 201, JSON.stringify(body))
		users.set(name, body.id)
		if (tries > 1) repeated += 1
		await pause(20)
	})
	const commands: { id: string; door: number; end: string }[] = []
	const desk = keepDoing(async () => {
		const { id: compartment, number } = doors[commands.length % doors.length] ?? assert.fail()
		const { status, body } = await insist<Command>('/v1/door-sessions', { compartment, reason: 'person-at-the-door' })
		// A bank that was not heard yet is not asked at all.
		if (status !== 202) return pause(100)
		const place = commands.push({ id: body.id, door: number, end: 'asked' }) - 1
		const { state } = await eventually(
			async () => {
				for (const { number: open, door } of await elsewhere.metal()) if (door === 'open') await elsewhere.door(open, 'closed')
				return (await (await inTurn(`/v1/commands/${body.id}`)).json()) as Command
			},
			(command) => ENDED.includes(command.state),
			`the end of ${body.id}`,
		)
		commands[place] = { id: body.id, door: number, end: state }
	})

	/** Ends the work, and holds all that came of it against the record and the metal; answers the figures in one line. */
	const settled = async (): Promise<string> => {
		const [errands] = [await people.stop(), await program.stop(), await desk.stop()]

		const events = await wholeRecord(site)
		const now = await all<{ id: string; name: string }>('/v1/users?')
		assert.equal(now.length - usersBefore, names.length, 'each request once, however often it was made')
		for (const [name, id] of users)
			assert.deepEqual(
				now.filter((one) => one.name === name).map((one) => one.id),
				[id],
			)
		assert.equal((await made('user.created')).length - createdBefore, names.length)

		const loans = (await all<{ state: string; conflict?: string }>('/v1/cases?workflow=loan&')).slice(0, -loansBefore || undefined)
		assert.deepEqual([loans.length, new Set(loans.map(({ state, conflict }) => `${state} ${conflict}`))], [errands, new Set(['returned undefined'])])

		const releases = events.filter((one) => one.type.endsWith('door-session.releasing.v1')).map((one) => JSON.stringify(one))
		for (const { id, end } of commands) {
			const times = releases.filter((text) => text.includes(id)).length
			assert.ok(end === 'done' ? times === 1 : times <= 1, `${id} ended ${end} and was released ${times} times`)
		}
		const pulses = (await elsewhere.metal()).map(({ number, pulses: at }) => [number, at - (pulsesBefore.get(number) ?? 0)] as const)
		assert.deepEqual(
			new Map(pulses),
			new Map(
				pulses.map(([number]) => [number, commands.filter(({ id, door }) => door === number && releases.some((text) => text.includes(id))).length]),
			),
			'a pulse for each release on record, and for nothing else',
		)

		const folder = mkdtempSync(join(tmpdir(), 'latchwork-export-'))
		try {
			const options = { env: { ...process.env, LATCHWORK_TOKEN: site.ready.token }, timeout: 60_000 }
			const latchwork = (...args: string[]) => promisify(execFile)(process.execPath, [CLI, ...args], options)
			await latchwork('ledger', 'export', '--server', site.ready.api ?? '', '--out', join(folder, 'log'))
			await latchwork('ledger', 'verify', join(folder, 'log'))
		} finally {
			rmSync(folder, { recursive: true, force: true })
		}
		const ends = Object.entries(Object.groupBy(commands, ({ end }) => end)).map(([end, of]) => `${of?.length} ${end}`)
		return `${errands} loans, ${users.size} users (${repeated} asked again), doors from afar: ${ends.join(', ')}; ${events.length} events`
	}
	return {
		people,
		program,
		desk,
		settled,
		/** Requests that were answered only when they were made again. */
		repeated: () => repeated,
		/** Doors that were opened from afar, and are shut again. */
		opened: () => commands.filter(({ end }) => end === 'done').length,
	}
}
