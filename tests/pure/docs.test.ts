import assert from 'node:assert/strict'
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { checkConfig, readConfig } from '@latchwork/edge/config'
import { ERROR_PAGE, errorPage } from '../house/error-page.ts'

const root = join(import.meta.dirname, '../..')
const read = (file: string) => readFileSync(join(root, file), 'utf8')
const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
	.split('\0')
	.filter((file) => file !== '' && existsSync(join(root, file)))
const pages = tracked.filter((file) => file.endsWith('.md'))

interface Block {
	readonly page: string
	readonly language: string
	readonly text: string
}
const blocks: Block[] = pages.flatMap((page) =>
	[...read(page).matchAll(/^```(\w*)\n([\s\S]*?)^```/gm)].map(([, language = '', text = '']) => ({ page, language, text })),
)
/** Commands as written in shell blocks, and inline where they stand in backquotes. */
function commands(pattern: RegExp): { page: string; found: string }[] {
	const shell = blocks.filter((b) => b.language === 'sh').map((b) => ({ page: b.page, text: b.text }))
	const inline = pages.flatMap((page) => [...read(page).matchAll(/`([^`\n]+)`/g)].map(([, text = '']) => ({ page, text })))
	return [...shell, ...inline].flatMap(({ page, text }) => [...text.matchAll(pattern)].map((m) => ({ page, found: m[1] ?? '' })))
}

test('the page of errors is what the code says (node tests/house/error-page.ts writes it)', () => {
	assert.equal(read(ERROR_PAGE), errorPage())
})

test('every npm command in the documents exists', () => {
	const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
	const named = [...commands(/\bnpm run ([\w-]+)/g), ...commands(/\bnpm (start|test)\b/g)]
	assert.ok(named.length > 5)
	for (const { page, found } of named) assert.ok(Object.hasOwn(scripts, found), `${page}: npm ${found}`)
})

test('every latchwork command in the documents exists', () => {
	const main = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))
	const help = execFileSync(process.execPath, [main, 'help'], { encoding: 'utf8' })
	const known = new Set(['help', ...[...help.matchAll(/^ {2}latchwork (\w+)/gm)].map((m) => m[1])])
	const named = commands(/(?:^|[\s(])(?:npx )?latchwork ([a-z]+)\b/gm)
	assert.ok(new Set(named.map((n) => n.found)).size >= 6, 'dev, edge, driver, ledger, doctor and bench are documented')
	for (const { page, found } of named) assert.ok(known.has(found), `${page}: latchwork ${found}`)
})

test('the page about performance has every benchmark that there is, under its number, and no other', () => {
	const main = fileURLToPath(import.meta.resolve('@latchwork/cli/main'))
	const asked = spawnSync(process.execPath, [main, 'bench', 'none-such'], { encoding: 'utf8' })
	const there = [...asked.stderr.matchAll(/([a-z][a-z-]+) \((P\d+)\)/g)].map(([, name, id]) => `${name} ${id}`)
	const told = [...read('docs/guides/performance.md').matchAll(/^\| `([a-z-]+)` \((P\d+)\)/gm)].map(([, name, id]) => `${name} ${id}`)
	assert.ok(there.length > 7, asked.stderr)
	assert.deepEqual(told.toSorted(), there.toSorted())
})

test('every link and picture in the documents leads to a file of the repository', () => {
	const links = pages.flatMap((page) => [...read(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, to = '']) => ({ page, to })))
	assert.ok(links.length > 10)
	for (const { page, to } of links) {
		if (/^https?:/.test(to)) continue
		const [file = '', anchor] = to.split('#')
		const target = file === '' ? page : join(dirname(page), file)
		assert.ok(existsSync(join(root, target)), `${page}: ${to}`)
		if (anchor !== undefined && target.endsWith('.md')) assert.ok(anchorsOf(target).includes(anchor), `${page}: ${to}`)
	}
})

test('every picture is shown on some page and made by `npm run pictures`', () => {
	const pictures = tracked.filter((file) => file.startsWith('docs/images/'))
	assert.ok(pictures.length >= 2)
	const shown = pages.flatMap((page) => [...read(page).matchAll(/!\[[^\]]+\]\(([^)\s]+)\)/g)].map(([, to = '']) => join(dirname(page), to)))
	for (const picture of pictures) {
		assert.ok(shown.includes(picture), `${picture} is shown nowhere`)
		assert.ok(read('tests/pictures.ts').includes(`'${basename(picture)}'`), `${picture} is made by nothing`)
	}
})

/** As GitHub makes them: lower case, spaces to hyphens, other signs dropped. */
function anchorsOf(page: string): string[] {
	return [...read(page).matchAll(/^#+ (.+)$/gm)].map(([, title = '']) =>
		title
			.toLowerCase()
			.replace(/[^\w\- ]/g, '')
			.replaceAll(' ', '-'),
	)
}

test('the installer’s edge.json is one that the controller accepts, and so is its wiring.json with what enrolment adds', () => {
	const [example, wiring] = blocks.filter((b) => b.page === 'docs/guides/installer.md' && b.language === 'json')
	assert.ok(example !== undefined && wiring !== undefined)
	const { compartments } = checkConfig({ ...JSON.parse(example.text), ...JSON.parse(wiring.text) }, 'edge.json')
	assert.deepEqual(
		compartments.map(({ door }) => door),
		[1, 2],
	)
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-docs-'))
	try {
		writeFileSync(join(folder, 'edge.json'), example.text)
		assert.equal(readConfig(join(folder, 'edge.json')).buses[0]?.family, 'kr16')
		writeFileSync(join(folder, 'edge.json'), example.text.replace('"bus": "bus-1"', '"bus": "bus-2"'))
		assert.throws(() => readConfig(join(folder, 'edge.json')), /unknown bus "bus-2"/)
	} finally {
		rmSync(folder, { recursive: true, force: true })
	}
})

test('decision records are numbered without gaps and carry date, status and their headings', () => {
	const records = tracked.filter((file) => file.startsWith('docs/decisions/')).sort()
	assert.ok(records.length >= 3)
	for (const [i, file] of records.entries()) {
		const number = String(i + 1).padStart(4, '0')
		assert.match(file, new RegExp(`^docs/decisions/${number}-[a-z0-9-]+\\.md$`))
		assert.match(read(file), new RegExp(`^# ${number} .+\\n\\nDate: \\d{4}-\\d{2}-\\d{2} · Status: (accepted|superseded by \\d{4})\\n`), file)
		for (const heading of ['Context', 'Decision', 'Consequences', 'Not chosen'])
			assert.match(read(file), new RegExp(`^## ${heading}$`, 'm'), `${file}: ${heading}`)
	}
})

test('no file holds the marks of a merge that nobody finished', () => {
	const marks = /^(?:<{7}|>{7}) \S/m
	assert.ok(marks.test('a\n<<<<<<< HEAD\nb'))
	assert.deepEqual(
		tracked.filter((file) => marks.test(read(file))),
		[],
	)
})

test('no text of the repository names a folder of somebody’s machine', () => {
	const machine = /(?:^|[\s"'`(=])\/(?:home|Users|root|work|mnt)\/[a-z.]/
	assert.match('see /home/ada/latchwork', machine)
	const binary = /\.(?:png|jpg|ico|woff2?|db)$/
	const found = tracked.filter((file) => file !== 'tests/pure/docs.test.ts' && !binary.test(file) && machine.test(read(file)))
	assert.deepEqual(found, [])
})
