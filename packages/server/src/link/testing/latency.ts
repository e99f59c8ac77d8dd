import type { Id } from '@latchwork/core/base'
import { allDown, downTopic, upTopic } from '@latchwork/core/wire'
import type { MqttClient } from 'mqtt'
import type { Enrolled, LinkWorld } from './world.ts'

const ROUNDS = 100

/** One message to a controller and its answer, from the server's end. */
export type RoundTrip = () => Promise<void>

/** Over a broker, with nobody thinking in between. */
export async function bareRoundTrip(server: MqttClient, device: MqttClient, controller: Id<'controller'>): Promise<RoundTrip> {
	await device.subscribeAsync(allDown(controller), { qos: 1 })
	await server.subscribeAsync(upTopic(controller, 'asks'), { qos: 1 })
	device.on('message', (_, payload) => device.publish(upTopic(controller, 'asks'), payload, { qos: 1 }))
	return async () => {
		const back = new Promise<void>((done) => void server.once('message', () => done()))
		server.publish(downTopic(controller, 'commands'), 'x'.repeat(200), { qos: 1 })
		await back
	}
}

/**
 * Through both ends of the link: a notice to the controller, and its question that follows at once. As many hops, schemas and queues as a command and
 * its result have; the database, which is as fast as its disk, is left out. `asked`: whom the link's handler for credentials tells.
 */
export async function linkRoundTrip(
	world: LinkWorld,
	{ answer }: Enrolled,
	device: MqttClient,
	asked: (heard: () => void) => void,
): Promise<RoundTrip> {
	const controller = answer.controller as Id<'controller'>
	const bank = answer.bank as Id<'bank'>
	await device.subscribeAsync(allDown(controller), { qos: 1 })
	let asks = 0
	device.on('message', (topic) => {
		if (topic === downTopic(controller, 'authority'))
			device.publish(
				upTopic(controller, 'asks'),
				JSON.stringify({ v: 1, id: `ask-${String(++asks).padStart(6, '0')}`, kind: 'credential', bank, verifier: 'strange' }),
				{ qos: 1 },
			)
	})
	return async () => {
		const back = new Promise<void>(asked)
		void world.link.notify(controller, { v: 1, kind: 'bundle', bank, version: 8, digest: 'b'.repeat(64) })
		await back
	}
}

/** p50 of each in milliseconds. In turns, so that a machine that is busy is busy for all of them. */
export async function compare(trips: readonly RoundTrip[], rounds = ROUNDS): Promise<number[]> {
	const times = trips.map((): number[] => [])
	for (let round = 0; round < rounds; round++)
		for (const [i, trip] of trips.entries()) {
			const start = performance.now()
			await trip()
			times[i]?.push(performance.now() - start)
		}
	return times.map((of) => of.sort((a, b) => a - b)[rounds / 2] ?? Number.NaN)
}
