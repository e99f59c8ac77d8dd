import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import { serverConfig } from './config.ts'
import { startServer } from './main.ts'
import { takesAll } from './testing/api.ts'
import { realClock, testCluster } from './testing/test-store.ts'

/** A server over an empty database; each start is of one more process. */
async function installation(t: TestContext) {
	const database = await (await testCluster()).database('empty')
	const data = mkdtempSync(join(tmpdir(), 'latchwork-first-'))
	t.after(async () => {
		await database.drop()
		rmSync(data, { recursive: true, force: true })
	})
	return (env: Readonly<Record<string, string>>) =>
		startServer(
			{ ...serverConfig({ LATCHWORK_DATA: data, LATCHWORK_PORT: '0', LATCHWORK_DEVICE_PORT: '0', LATCHWORK_POOL: '4', ...env }), database },
			{
				clock: { ...realClock, now: Date.now },
				random: (n) => new Uint8Array(randomBytes(n)),
				log: () => {},
				failed: () => {},
				engine: takesAll,
			},
		)
}

test('a port that is taken at the very first start makes no owner whose password nobody was told', async (t) => {
	const start = await installation(t)
	const other = createServer()
	await new Promise<void>((listening) => other.listen(0, '127.0.0.1', listening))
	t.after(() => other.close())
	const { port } = other.address() as { port: number }
	await assert.rejects(start({ LATCHWORK_PORT: String(port) }), (fault) => isFault(fault, 'port-in-use'))
	const running = await start({})
	t.after(running.stop)
	const { email, password } = running.first ?? assert.fail('the second start tells no password')
	const signedIn = await fetch(`${running.url}/v1/sign-ins`, {
		method: 'POST',
		headers: { 'content-type': 'application/json' },
		body: JSON.stringify({ email, password }),
	})
	assert.equal(signedIn.status, 201)
})
