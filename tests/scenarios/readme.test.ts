import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { test } from 'node:test'
import { startSite } from './site.ts'

const readme = readFileSync(join(import.meta.dirname, '../../README.md'), 'utf8')

test('the first loan of the README works as printed, with one pulse on the bus', async () => {
	const block = /<!-- tests\/scenarios\/readme\.test\.ts runs this block -->\n```sh\n([\s\S]*?)```/.exec(readme)?.[1]
	assert.ok(block !== undefined, 'the README has the marked block')
	const site = await startSite()
	try {
		const { kiosk, virtual } = site.ready
		const script = block.replace('http://127.0.0.1:4180', kiosk.replace(/\/$/, '')).replace('http://127.0.0.1:4181', virtual)
		const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 60_000 })
		const [said, complaints, [code]] = await Promise.all([text(shell.stdout), text(shell.stderr), once(shell, 'close')])
		assert.equal(code, 0, complaints)
		assert.match(said, /^Borrowed until .* 2\d{3} .*, evidence E3$/m)
		assert.match(said, /\{ number: \d+, door: 'closed', item: false, pulses: 1 \}/)
	} finally {
		await site.stop()
	}
})
