import assert from 'node:assert/strict'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { after, before, describe, test } from 'node:test'
import { sampleId } from '@latchwork/core/access/testing'
import { isFault, newId, seededRandom } from '@latchwork/core/base'
import { checkConfig } from '@latchwork/edge/config'
import { wiringOf } from './wiring.ts'

const bank = sampleId('bank', 'one')
const random = seededRandom(3)
/** Of two hundred doors, in no order. */
const DOORS = Array.from({ length: 200 }, (_, i) => ({ id: newId('compartment', 0, random), number: ((i * 7) % 200) + 1, size: 'M' }))
/** What enrolment writes beside the wiring. */
const ENROLLED = {
	controller: sampleId('controller', 'one'),
	bank,
	bundle: 'bundle.json',
	lease: 'lease.json',
	makers: [{ keyId: 'maker', publicKey: '0'.repeat(64) }],
	siteKey: 'site.key',
	deviceKey: 'device.pem',
}

describe('latchwork edge wiring', () => {
	const http = createServer((request, response) => {
		const { searchParams } = new URL(request.url ?? '', 'http://server')
		const from = Number(searchParams.get('cursor') ?? 0)
		const known = searchParams.get('bank') === bank
		const items = known ? DOORS.slice(from, from + 150) : []
		if (request.headers.authorization !== 'Bearer right') return response.writeHead(401).end(JSON.stringify({ detail: 'Sign in first.' }))
		return response.end(JSON.stringify({ items, ...(known && from === 0 && { next: '150' }) }))
	})
	let url = ''
	before(async () => {
		await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve))
		url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`
	})
	after(() => http.close())

	test('each door of the bank has an output of its own, and what is printed is a wiring that a controller takes', async () => {
		const wiring = await wiringOf({ url, token: 'right' }, bank)
		const { compartments, buses } = checkConfig({ ...ENROLLED, ...wiring }, '/var/lib/latchwork/edge.json')
		assert.deepEqual(
			compartments.map(({ door }) => door),
			Array.from({ length: 200 }, (_, i) => i + 1),
		)
		assert.deepEqual(new Map(compartments.map(({ door, id }) => [door, id])), new Map(DOORS.map(({ number, id }) => [number, id])))
		assert.deepEqual(
			[compartments[16], compartments[160]].map((c) => [c?.bus, c?.board, c?.channel]),
			[
				['bus-1', 1, 0],
				['bus-2', 0, 0],
			],
		)
		assert.deepEqual(
			buses.map(({ boards }) => boards.length),
			[10, 3],
		)
	})

	test('what keeps it from that is said in words', async () => {
		const refused = (at: string, token: string, of: string, text: RegExp) =>
			assert.rejects(wiringOf({ url: at, token }, of), (fault) => isFault(fault) && text.test(fault.message))
		await refused(url, 'wrong', bank, /answered 401\. Sign in first\./)
		await refused(url, 'right', sampleId('bank', 'elsewhere'), /has no doors, or this token may not see them/)
		await refused(url, 'right', 'HQ Lobby A', /--bank needs the id/)
		await refused('http://127.0.0.1:1', 'right', bank, /does not answer/)
	})
})
