import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { writeJson } from '@latchwork/edge/durable'
import { atWork, type LinkedHealth, untilSo } from './controller.ts'
import type { Place, Site } from './site.ts'

/** What lies between one controller and its server, and nothing else: cut, the bank goes on alone while the rest of the site notices nothing of it. */
export interface Cable {
	/** Where that controller keeps what it knows. */
	readonly folder: string
	cut(): void
	mend(): void
	close(): Promise<void>
}

/** Puts one in: from its next start on the controller of this folder reaches its server through it. */
export async function cableOf(folder: string): Promise<Cable> {
	const path = join(folder, 'edge.json')
	const config = JSON.parse(readFileSync(path, 'utf8')) as { server: { https: string; mqtt: string } }
	const server = Number(new URL(config.server.https).port)
	const ends = new Set<Socket>()
	let whole = true
	const through = createServer((near) => {
		if (!whole) return void near.destroy()
		const far = connect(server, '127.0.0.1')
		for (const [end, other] of [
			[near, far],
			[far, near],
		] as const) {
			ends.add(end)
			end.on('error', () => {})
			end.on('close', () => {
				ends.delete(end)
				other.destroy()
			})
			end.pipe(other)
		}
	})
	await new Promise<void>((done) => through.listen(0, '127.0.0.1', done))
	const { port } = through.address() as AddressInfo
	const by = (url: string) => url.replace(`:${server}`, `:${port}`)
	writeJson(path, { ...config, server: { ...config.server, https: by(config.server.https), mqtt: by(config.server.mqtt) } })
	return {
		folder,
		cut() {
			whole = false
			for (const end of ends) end.destroy()
		},
		mend() {
			whole = true
		},
		close: () =>
			new Promise((done) => {
				through.close(() => done())
				for (const end of ends) end.destroy()
			}),
	}
}

/** The same for a bank of a whole site, whose controller starts anew for it. */
export async function cableAt(site: Site, place: Place): Promise<Cable> {
	const index = (site.ready.banks ?? []).findIndex(({ id }) => id === place.bank)
	assert.notEqual(index, -1)
	const cable = await cableOf(index === 0 ? site.ready.dataDir : join(site.ready.dataDir, `bank-${index + 1}`))
	const next = site.nextEdge(place.bank)
	process.kill(site.edgePid(place.bank), 'SIGKILL')
	await next
	await online(site, place)
	return cable
}

const healthOf = async (place: Place) => (await place.health()) as unknown as LinkedHealth

/** The controller has its server, its boards and its readers. It waits in the site's time before it tries again, and nobody waits for that here. */
export async function online(site: Site, place: Place): Promise<void> {
	await untilSo(
		async () => {
			const health = await healthOf(place)
			if (!health.link.online) await site.advance(5)
			return health
		},
		atWork,
		'the bank to be at work with its server',
	)
}

/** It knows that it is alone. */
export async function alone(place: Place): Promise<void> {
	await untilSo(
		() => healthOf(place),
		({ link }) => !link.online,
		'the bank to miss its server',
	)
}
