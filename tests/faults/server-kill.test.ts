import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { seededRandom } from '@latchwork/core/base'
import { eventually, type Site, startSite } from '../scenarios/site.ts'
import { pause, startTraffic } from './traffic.ts'

/** How often each of server, broker and database is killed in one run; a campaign asks for more. */
const ROUNDS = Number(process.env.LATCHWORK_SERVER_KILLS ?? 2)
const SEED = Number(process.env.LATCHWORK_SEED ?? 20261126)

const VICTIMS = ['server', 'broker', 'database'] as const
type Victim = (typeof VICTIMS)[number]
const pidOf = (site: Site, victim: Victim) => (victim === 'server' ? site.serverPid() : site.pidOf(victim))

describe('kill -9 of server, broker and database while people, staff and programs are at work', () => {
	let site: Site
	before(async () => {
		site = await startSite({ server: true })
	})
	after(async () => void (await site?.stop()))

	test('taps go on, what was acknowledged is there, every event once and in order, and one pulse an intent', async (t) => {
		const { people, program, desk, ...traffic } = await startTraffic(site)
		const random = seededRandom(SEED)
		const byChance = (below: number) => Math.floor(((random(1)[0] ?? 0) / 256) * below)
		for (let round = 0; round < ROUNDS; round++) {
			const left: Victim[] = [...VICTIMS]
			while (left.length > 0) {
				const [victim] = left.splice(byChance(left.length), 1)
				if (victim === undefined) break
				await program.goesOn(3)
				await pause(byChance(1_000))
				const pid = pidOf(site, victim) ?? assert.fail(`no ${victim}`)
				const next = victim === 'server' ? site.nextServer() : undefined
				process.kill(pid, 'SIGKILL')
				await Promise.all([people.goesOn(1), next])
				await eventually(
					async () => pidOf(site, victim),
					(now) => now !== undefined && now !== pid,
					`another ${victim}`,
				)
				await Promise.all([program.goesOn(1), desk.goesOn(1)])
			}
		}
		t.diagnostic(`seed ${SEED}: ${ROUNDS * VICTIMS.length} kills; ${await traffic.settled()}`)
		assert.ok(traffic.repeated() > 0 && traffic.opened() > 0, 'the kills fell into traffic')
	})
})
