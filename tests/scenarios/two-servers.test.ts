import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { besideEmbedded } from '@latchwork/server/store'
import { leave } from './hands.ts'
import { eventually, startSite } from './site.ts'

const CLI = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))
const ROUNDS = 8
/** Far more than news take, far less than the minute after which a lease makes good what was lost. */
const NEWS_MS = 10_000

test('with a second server on the database what is taken away reaches the connected bank, whichever server it was taken away at', async (t) => {
	const site = await startSite({ server: true })
	t.after(() => site.stop())
	const second = mkdtempSync(join(tmpdir(), 'latchwork-second-'))
	t.after(() => rmSync(second, { recursive: true, force: true }))
	const server = join(site.ready.dataDir, 'server')
	const { url, appUrl } = besideEmbedded(join(server, 'postgres'))
	const named = (text: string) => text.replace('@/', '@localhost/')
	const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, 'server', '--data', second], {
		env: {
			...process.env,
			DATABASE_URL: named(url),
			DATABASE_APP_URL: named(appUrl),
			LATCHWORK_MASTER_KEY_FILE: join(server, 'master.key'),
			LATCHWORK_PORT: '0',
			LATCHWORK_DEVICE_PORT: '0',
		},
		stdio: ['ignore', 'pipe', 'inherit'],
	})
	const ended = once(child, 'close')
	t.after(async () => {
		child.kill('SIGTERM')
		await ended
	})
	let beside = ''
	for await (const line of createInterface({ input: child.stdout }))
		if (line.startsWith('SERVER ')) {
			beside = (JSON.parse(line.slice('SERVER '.length)) as { url: string }).url
			break
		}
	assert.ok(beside, 'the second server is there')
	child.stdout.resume()

	const { items: groups } = await site.api<{ items: { id: string; code: string }[] }>('GET', '/v1/groups')
	const { id: user } = await site.api<{ id: string }>('POST', '/v1/users', { name: 'Eve Marlow' })
	await site.api('PUT', `/v1/groups/${groups.find(({ code }) => code === 'staff')?.id}/members/${user}`)
	const tapped = async (number: string) => {
		await site.badge(number)
		const { screen } = await site.until((v) => v.screen.name === 'choose' || v.screen.name === 'denied', 'an answer to the badge')
		if (screen.name === 'choose') await leave(site)
		else {
			await site.act({ kind: 'back' })
			await site.screen('attract')
		}
		return screen.name
	}
	for (let round = 0; round < ROUNDS; round++) {
		const number = String(70_700_000 + round)
		const badge = await site.api<{ id: string; version: number }>('POST', '/v1/credentials', { kind: 'badge', user, number })
		await eventually(
			() => tapped(number),
			(screen) => screen === 'choose',
			'a new badge at the door',
		)
		const gone = await fetch(`${round % 2 === 0 ? new URL(site.ready.api ?? '').origin : beside}/v1/credentials/${badge.id}`, {
			method: 'DELETE',
			headers: { authorization: `Bearer ${site.ready.token}`, 'if-match': `"${badge.version}"` },
		})
		assert.ok(gone.ok, await gone.text())
		await eventually(
			() => tapped(number),
			(screen) => screen === 'denied',
			`the revocation of round ${round} at the door`,
			NEWS_MS,
		)
	}
})
