import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { ALL_UP } from '@latchwork/core/wire'
import { bareRoundTrip, compare, happened, type LinkSite, type LinkWorld, linkRoundTrip, linkSite, linkWorld } from './testing/index.ts'

/** The one bound on time in these tests: a socket that holds small packets back costs 40 ms, and nobody sees it otherwise. Its control is in tests/peers. */
const BOUND_MS = 5

describe('no socket of the link waits', () => {
	let site: LinkSite
	let world: LinkWorld
	let heard = () => {}
	before(async () => {
		site = await linkSite()
		world = await linkWorld({
			handlers: {
				async credential() {
					heard()
					return undefined
				},
			},
		})
	})
	after(async () => {
		await site.close()
		await world.close()
	})

	test('a message to a controller and its answer take at most 5 ms more than the broker alone, over TLS no more than over WebSocket', async (t) => {
		const server = site.internal()
		await happened(server, 'connect')
		await server.subscribeAsync(ALL_UP, { qos: 1 })
		const bare = async (mqtts: boolean) => {
			const device = await site.device()
			const client = site.connect(device, { mqtts })
			await happened(client, 'connect')
			if (mqtts) (client.stream as TLSSocket).setNoDelay(true)
			return bareRoundTrip(server, client, device.controller)
		}
		const enrolled = await world.enrol((await world.bank()).controller)
		const device = await world.connect(enrolled)
		const through = await linkRoundTrip(world, enrolled, device, (told) => {
			heard = told
		})
		// The library of WebSockets never waits, whatever we forget: its way is the floor.
		const [floor = 0, tls = 0, link = 0] = await compare([await bare(false), await bare(true), through])
		t.diagnostic(JSON.stringify({ p50Ms: { floor, tls, link } }))
		assert.ok(tls - floor <= BOUND_MS, `${tls} ms over TLS, ${floor} ms over WebSocket`)
		assert.ok(link - floor <= BOUND_MS, `${link} ms over a floor of ${floor} ms`)
	})
})
