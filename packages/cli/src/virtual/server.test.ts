import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { virtualServer } from './server.ts'

test('the clock answers when what came due is done, says so when that takes too long, and takes a pace alone', async () => {
	const web = mkdtempSync(join(tmpdir(), 'latchwork-virtual-'))
	const moves: [number, number | undefined][] = []
	let patient = true
	const clock = {
		now: () => 1_000.5,
		async advance(ms: number, rate?: number) {
			moves.push([ms, rate])
			return patient
		},
	}
	const { app } = await virtualServer({ banks: [], people: [], parcels: [], kiosk: () => 'http://127.0.0.1:1/', web, clock })
	try {
		const move = (payload: object) => app.inject({ method: 'POST', url: '/clock', payload, headers: { host: '127.0.0.1' } })
		assert.deepEqual((await move({ advanceSeconds: 60 })).json(), { now: 1_000 })
		assert.deepEqual((await move({ rate: 0 })).json(), { now: 1_000 })
		assert.deepEqual(moves, [
			[60_000, undefined],
			[0, 0],
		])
		assert.equal((await move({})).statusCode, 400)
		patient = false
		const late = await move({ advanceSeconds: 60 })
		assert.equal(late.statusCode, 503)
		assert.match(late.headers['content-type']?.toString() ?? '', /problem\+json/)
		assert.match(late.json().detail, /was moved.*ask again/)
	} finally {
		await app.close()
		rmSync(web, { recursive: true, force: true })
	}
})
