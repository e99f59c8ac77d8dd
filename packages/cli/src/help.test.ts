import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { type CommandHelp, HELP, helpText } from './help.ts'

interface Answer {
	readonly code: number
	readonly out: string
	readonly complaint: string
}

const latchwork = (...args: string[]): Promise<Answer> =>
	new Promise((resolve) => {
		execFile(process.execPath, [join(import.meta.dirname, 'main.ts'), ...args], (error, out, complaint) =>
			resolve({ code: error ? Number(error.code) : 0, out, complaint }),
		)
	})

test('help lists every option that a command reads, and no other', () => {
	const read = globSync(['commands/*.ts', 'commissioning/*.ts', 'config.ts'], { cwd: import.meta.dirname }).flatMap((file) =>
		[...readFileSync(join(import.meta.dirname, file), 'utf8').matchAll(/['{\s]([\w-]+)'?: \{ type: '(?:string|boolean)'/g)].map((m) => `--${m[1]}`),
	)
	const commands: CommandHelp[] = Object.values(HELP)
	const listed = commands.flatMap(({ options = {} }) => Object.keys(options).map((option) => option.split(' ')[0]))
	assert.ok(read.length > 15)
	assert.deepEqual([...new Set(listed)].sort(), [...new Set(read)].sort())
})

test('each command tells about itself, all together about all, and the version is said', async () => {
	const [all, none, dev, ledger, version] = await Promise.all([
		latchwork('help'),
		latchwork(),
		latchwork('dev', '--help'),
		latchwork('help', 'ledger'),
		latchwork('--version'),
	])
	assert.deepEqual(all, { code: 0, out: helpText(), complaint: '' })
	assert.deepEqual(none, all)
	assert.deepEqual(dev, { code: 0, out: helpText('dev'), complaint: '' })
	assert.match(dev.out, /--virtual-clock/)
	assert.deepEqual(ledger, { code: 0, out: helpText('ledger'), complaint: '' })
	assert.match(version.out, /^latchwork \d+\.\d+\.\d+ \(Node v\d+/)
})

test('what is no command, and words that mean nothing, are refused in words', async () => {
	const names = ['toString', 'constructor', '__proto__', 'devv']
	const answers = await Promise.all([...names.map((name) => latchwork(name)), latchwork('help', 'toString')])
	for (const [i, { code, out, complaint }] of answers.entries()) {
		assert.deepEqual([code, out], [2, ''], 'nothing that the reason could scroll away with')
		assert.match(
			complaint,
			new RegExp(`^There is no command "${names[i] ?? 'toString'}"\\. There are: dev, .*doctor.*\\. .latchwork help. tells more\\.\n$`),
		)
		assert.doesNotMatch(complaint, /^\s+at /m)
	}
	const extra = [
		['dev', 'now'],
		['driver', 'list', 'kr16'],
		['driver', 'test', 'kr16', 'osdp'],
		['driver', 'test', 'kr16', '--fast'],
		['bundle', 'edge', 'here', '--out', 'x'],
		['bundle', 'server', '--out', 'x'],
		['--version', 'now'],
	]
	const { complaint: option } = await latchwork('doctor', '--port', '1')
	assert.match(option, /^Unknown option '--port'[^\n]*\. `latchwork help` lists the options\.\n$/)
	assert.doesNotMatch(option, /\.\./)
	for (const { code, complaint, out } of await Promise.all(extra.map((args) => latchwork(...args)))) {
		assert.equal(code, 1, complaint + out)
		assert.match(complaint, /^\S/)
		assert.doesNotMatch(complaint, /^\s+at /m)
	}
})
