import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, globSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { after, before, describe, type TestContext, test } from 'node:test'
import { type Site, startSite } from './site.ts'

/**
 * What the documents tell a reader to type is typed here. Each shell block says in the line above it whether it is run,
 * or why not; a new block without that line fails.
 */
const ROOT = join(import.meta.dirname, '../..')
const PAGES = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/guides/*.md', { cwd: ROOT })]
const RUN = '<!-- tests/scenarios/readme.test.ts runs this block -->'
const RUN_GO = '<!-- tests/peers/go-log.test.ts runs this block -->'
const RUN_PYTHON = '<!-- tests/scenarios/readme.test.ts runs this block where there is Python 3 -->'

interface Block {
	readonly page: string
	readonly mark: string
	readonly script: string
}
const read = (page: string) => readFileSync(join(ROOT, page), 'utf8')
const blocksOf = (page: string): Block[] =>
	[...read(page).matchAll(/(.*)\n```sh\n([\s\S]*?)^```/gm)].map(([, mark = '', script = '']) => ({ page, mark, script }))
const runOf = (page: string): Block[] => {
	const wanted = spawnSync('python3', ['--version']).status === 0 ? [RUN, RUN_PYTHON] : [RUN]
	return blocksOf(page).filter(({ mark }) => wanted.includes(mark))
}

test('each shell block of README and guides is run here, or says why not', () => {
	const blocks = PAGES.flatMap(blocksOf)
	assert.ok(blocks.length > 8)
	assert.ok(blocks.filter(({ mark }) => mark === RUN).length >= 4)
	for (const { page, mark, script } of blocks)
		assert.ok(
			mark === RUN || mark === RUN_PYTHON || mark === RUN_GO || /^<!-- not run: .{10,} -->$/.test(mark),
			`${page}: no word on whether this is run:\n${script}`,
		)
})

/** As from the top of the repository, but what a block writes goes into a folder that is removed. */
function place(t: TestContext): string {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-guide-'))
	t.after(() => rmSync(folder, { recursive: true, force: true }))
	for (const name of ['docs', 'node_modules', 'package.json', 'packages']) symlinkSync(join(ROOT, name), join(folder, name))
	return folder
}

/** The variables that the documents speak of. */
const variables = (site: Site) => ({
	KIOSK: site.ready.kiosk.replace(/\/$/, ''),
	VIRTUAL: site.ready.virtual,
	BANK: site.bank,
	EDGE: String(site.edgePid()),
	LATCHWORK_DATA: site.ready.dataDir,
})

async function run({ page, script }: Block, cwd: string, env: Readonly<Record<string, string>>): Promise<string> {
	const shell = spawn('bash', ['-euo', 'pipefail', '-c', script], {
		cwd,
		env: { ...process.env, ...env },
		stdio: ['ignore', 'pipe', 'pipe'],
		timeout: 60_000,
	})
	const [said, complaints, [code]] = await Promise.all([text(shell.stdout), text(shell.stderr), once(shell, 'close')])
	assert.equal(code, 0, `${page}:\n${script}\n${said}${complaints}`)
	return said
}

/** Several blocks as typed into one terminal, one page after the other, with what `npm start` printed here in place of what it prints elsewhere. */
const typed = (blocks: readonly Block[], { ready }: Site): string =>
	blocks
		.map(({ script }) => script)
		.join('\n')
		.replaceAll('http://127.0.0.1:4180', ready.kiosk.replace(/\/$/, ''))
		.replaceAll('http://127.0.0.1:4181', ready.virtual)
		.replaceAll('http://127.0.0.1:4182', ready.api ?? assert.fail('no API'))
		.replaceAll('lw_as_printed', ready.token ?? assert.fail('no token'))

describe('README and the guides of policies and integrators, typed from top to bottom into a terminal beside `npm start`', () => {
	let site: Site
	before(async () => {
		site = await startSite({ server: true })
	})
	after(async () => void (await site?.stop()))

	test('README: a loan with one pulse on the bus, a parcel whose code opens nothing twice, and a door from afar with who asked and why', async (t) => {
		const blocks = runOf('README.md')
		assert.equal(blocks.length, 3)
		const said = await run({ page: 'README.md', mark: RUN, script: typed(blocks, site) }, place(t), {})
		assert.match(said, /^Borrowed until .* 2\d{3} .*, evidence E3$/m)
		assert.match(said, /\{ number: \d+, door: 'closed', item: false, pulses: 1 \}/)
		assert.match(said, /^(?:code-used|wrong)$/m)
		assert.match(said, /^done: committed$/m)
		assert.match(said, /^\d+ lockers\.command\.requested\.v1 sub_\S+ check-content$/m)
	})

	test('policies guide: a typo is named, a draft is tried, the door obeys it and then the version before', async (t) => {
		const page = 'docs/guides/policies.md'
		const said = await run({ page, mark: RUN, script: typed(runOf(page), site) }, place(t), {})
		assert.match(
			said,
			/^There is no group stafff\. Is staff meant\?\n@id\("s1:staff:laptop-14"\)\nallow now; deny by the draft: not-authorised, allowed from 20\S+Z\n/,
		)
		assert.match(said, /version 2 is in force\nChen is refused at the door\nversion 3 is in force\nand allowed again\n$/)
	})

	test('integrator’s guide: pages, a problem, one delivery for two requests, its way from order to collection, and its events', async (t) => {
		const page = 'docs/guides/integrator.md'
		const said = await run({ page, mark: RUN, script: typed(runOf(page), site) }, place(t), {})
		assert.match(
			said,
			/^Fernholt Group\nHQ Lobby A is online, 24 doors\n24 compartments\n403 not-permitted: .+\nthe same delivery\nready\ncollected\n/,
		)
		assert.match(said, /^\d+ lockers\.delivery\.deposited\.v1\n(?:.+\n)*\d+ lockers\.delivery\.collected\.v1$/m)
		assert.match(said, /^20\S+Z lockers\.delivery\.collected\.v1 by sub_\S+$/m)
	})
})

/** Rows of the table whose first column is headed so. */
function table(page: string, head: string): string[][] {
	const rows = read(page).split(`\n| ${head} |`)[1]?.split('\n\n')[0]?.split('\n').slice(2) ?? []
	return rows.map((row) =>
		row
			.slice(1, -1)
			.split('|')
			.map((cell) => cell.trim()),
	)
}
const codes = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)

test('the developer’s guide: every request, every fault and every command does what it says', async (t) => {
	const page = 'docs/guides/developer.md'
	const site = await startSite({ args: ['--virtual-clock'] })
	try {
		const send = (method: string, path: string, body?: string) =>
			fetch(site.ready.virtual + path, { method, ...(body !== undefined && { headers: { 'content-type': 'application/json' }, body }) })
		const faults = table(page, 'body').flatMap(([body = '']) => codes(body))
		assert.ok(faults.length >= 9)
		for (const body of faults) assert.equal((await send('POST', `/banks/${site.bank}/faults`, body)).status, 204, body)
		assert.equal((await send('DELETE', `/banks/${site.bank}/faults`)).status, 204)
		await site.until((v) => v.screen.name !== 'out-of-service', 'a bank that is well again')

		const requests = table(page, 'request')
		assert.ok(requests.length >= 10)
		await site.door(3, 'open')
		const [code = ''] = await site.codes(0)
		for (const [request = '', bodies = ''] of requests) {
			const [[method = '', path = ''] = []] = codes(request).map((c) => c.split(' '))
			const [body] = bodies === 'see below' ? faults : codes(bodies)
			const answer = await send(method, path.replace('{id}', site.bank).replace('{n}', '3'), body?.replace('LW1.…', code))
			// A door that was just shut takes nothing in: the row says so.
			assert.ok(answer.ok || (answer.status === 409 && path.endsWith('/item')), `${request} ${body}: ${answer.status} ${await answer.text()}`)
		}
		await send('DELETE', `/banks/${site.bank}/faults`)

		const cwd = place(t)
		const said: string[] = []
		for (const block of runOf(page)) {
			const back = block.script.includes('$EDGE') ? site.nextEdge() : undefined
			said.push(await run(block, cwd, variables(site)))
			await back
		}
		assert.match(said.join(''), /whole\. \d+ events/)
		assert.match(said.join(''), /Public key of the controller: [0-9a-f]{64}/)
	} finally {
		await site.stop()
	}
})

/** `latchwork server` as its operator starts it; ends when told, in peace. */
async function startServer(
	t: TestContext,
	data: string,
): Promise<{ said: { url: string; admin?: { email: string; password: string } }; end(): Promise<number> }> {
	const main = join(ROOT, 'packages/cli/src/main.ts')
	const server = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main, 'server', '--data', data], {
		env: { ...process.env, LATCHWORK_PORT: '0', LATCHWORK_DEVICE_PORT: '0' },
		stdio: ['ignore', 'pipe', 'pipe'],
	})
	t.after(() => server.kill('SIGKILL'))
	const over = once(server, 'close')
	let complaints = ''
	server.stderr.on('data', (words: Buffer) => {
		complaints += words.toString()
	})
	for await (const line of createInterface({ input: server.stdout }))
		if (line.startsWith('SERVER '))
			return {
				said: JSON.parse(line.slice('SERVER '.length)),
				async end() {
					server.kill('SIGTERM')
					return (await over)[0] as number
				},
			}
	throw new Error(`The server ended: ${complaints}`)
}

test('the administrator’s guide works as printed; a second start knows everything and tells no password', async (t) => {
	const [block] = runOf('docs/guides/administrator.md')
	assert.ok(block !== undefined, 'the guide has the marked block')
	const data = mkdtempSync(join(tmpdir(), 'latchwork-guide-'))
	t.after(() => rmSync(data, { recursive: true, force: true }))
	const first = await startServer(t, data)
	const { url, admin } = first.said
	assert.ok(admin)
	const script = block.script
		.replace('http://127.0.0.1:4170', url)
		.replace('EMAIL=admin@localhost', `EMAIL=${admin.email}`)
		.replace('as-printed-at-the-first-start', admin.password)
	assert.match(await run({ ...block, script }, place(t), {}), /^badge\n\d{8}\ndesk-staff\nsite\nlaptop-14\npublished: 1\n$/m)
	assert.equal(await first.end(), 0)
	const again = await startServer(t, data)
	assert.equal(again.said.admin, undefined)
	const body = JSON.stringify(admin)
	const signedIn = await fetch(`${again.said.url}/v1/sign-ins`, { method: 'POST', headers: { 'content-type': 'application/json' }, body })
	assert.equal(signedIn.status, 201)
	assert.equal(await again.end(), 0)
	// A master key that others can read is no secret any more.
	chmodSync(join(data, 'master.key'), 0o644)
	await assert.rejects(startServer(t, data), /can be read by others/)
})
