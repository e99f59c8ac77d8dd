import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { judge, RULES } from './house/architecture.ts'

const root = join(import.meta.dirname, '..')
const tracked = (...patterns: string[]) =>
	execFileSync('git', ['ls-files', '-z', '--', ...patterns], { cwd: root, encoding: 'utf8' })
		.split('\0')
		.filter(Boolean)
/** Tracked files that are on disk: one that is being deleted or renamed is judged once that is committed. */
const files = new Map(
	tracked()
		.filter((file) => existsSync(join(root, file)))
		.map((file) => [file, readFileSync(join(root, file), 'utf8')]),
)

test('the tree keeps the dependency rules', () => {
	const { findings } = judge(files)
	assert.deepEqual(
		findings.map((f) => `${f.file}:${f.line} ${f.rule}: ${f.text}`),
		[],
	)
})

test('it read as many source files as git lists, and all packages are among them', () => {
	const listed = tracked('*.ts', '*.tsx', '*.mts', '*.mjs').filter((file) => existsSync(join(root, file)))
	assert.equal(judge(files).read, listed.length)
	for (const name of ['core', 'drivers', 'edge', 'web', 'cli'])
		assert.ok(
			listed.some((file) => file.startsWith(`packages/${name}/src/`)),
			name,
		)
})

/** Planted files are judged beside the package.json files only, which say what a package offers; that the tree is clean is a test of its own. */
const manifests = new Map([...files].filter(([file]) => file.endsWith('package.json')))

/** Each planted file breaks exactly the rule beside it; together they cover every rule. */
const PLANTED: readonly (readonly [keyof typeof RULES, string, string])[] = [
	['core-is-pure', 'packages/core/src/door/planted.ts', "import { readFileSync } from 'node:fs'\nexport const x = readFileSync"],
	['core-is-pure', 'packages/core/src/door/planted.ts', "import type { Policy } from '@cedar-policy/cedar-wasm'\nexport type P = Policy"],
	['core-is-pure', 'packages/core/src/door/planted.ts', 'export const at = () => Date.now()'],
	['core-is-pure', 'packages/core/src/door/planted.ts', 'export const at = (d = new Date()) => d'],
	['core-is-pure', 'packages/core/src/door/planted.ts', 'export const dice = () => `${Math.random()}`'],
	['core-is-pure', 'packages/core/src/door/planted.ts', 'export const later = (f: () => void) => setTimeout(f, 1)'],
	['core-is-pure', 'packages/core/src/door/planted.ts', 'export const pid = process.pid'],
	['core-is-pure', 'packages/core/src/door/planted.ts', 'export const pid = process?.pid'],
	['core-is-pure', 'packages/core/src/door/planted.ts', 'export const at = globalThis.Date.now()'],
	['package-direction', 'packages/drivers/src/planted.ts', "export * from '@latchwork/edge/main'"],
	['package-direction', 'packages/edge/src/planted.ts', "import '@latchwork/web'"],
	['package-direction', 'packages/edge/src/planted.ts', "const cli = await import('@latchwork/cli')\nexport const x = cli"],
	['package-direction', 'packages/edge/src/planted.ts', "import { fakeClock } from '../../core/src/base/index.ts'\nexport const x = fakeClock"],
	['package-direction', 'packages/edge/src/planted.ts', "import { x } from '@latchwork/drivers/inside/of/it'\nexport const y = x"],
	['server-order', 'packages/server/src/estate/read.ts', "import { loan } from '../cases/index.ts'\nexport const x = loan"],
	['server-order', 'packages/server/src/cases/read.ts', "import { bank } from '../estate/read.ts'\nexport const x = bank"],
	['server-order', 'packages/server/src/estate/write.ts', "import { publish } from '../link/index.ts'\nexport const x = publish"],
	['server-order', 'packages/server/src/http/planted.ts', "import { bank } from '../estate/index.ts'\nexport const x = bank"],
	['sql-places', 'packages/server/src/estate/routes.ts', 'export const q = `select id from banks where site = $1`'],
	['sql-places', 'packages/server/src/estate/index.ts', "import { sql } from 'kysely'\nexport const x = sql"],
	['sql-clock', 'packages/server/src/estate/loan-write.ts', "export const q = 'update banks set seen = now() where id = $1'"],
	['sql-clock', 'packages/edge/src/journal/planted.ts', 'export const q = "insert into rows values (unixepoch())"'],
	['vendor-names', 'packages/edge/src/bank/planted.ts', '// works with Kerong boards\nexport const x = 1'],
	['vendor-names', 'packages/core/src/door/planted.ts', "export const maker = 'Winnsen'"],
	['environment-places', 'packages/edge/src/bank/planted.ts', 'export const port = process.env.LATCHWORK_PORT'],
	['clock-places', 'packages/edge/src/bank/planted.ts', 'export const poll = (f: () => void) => setInterval(f, 50)'],
	['clock-places', 'packages/drivers/src/planted.ts', 'export const at = () => performance.now()'],
	['console-places', 'packages/edge/src/bank/planted.ts', "export const log = () => console.log('x')"],
	['no-default-export', 'packages/edge/src/bank/planted.ts', 'export default function planted() {}'],
	['no-default-export', 'packages/edge/src/bank/planted.ts', 'const a = 1\nexport { a as default }'],
	['file-names', 'packages/edge/src/bank/utils.ts', 'export const x = 1'],
	['file-names', 'packages/edge/src/loan-service.ts', 'export const x = 1'],
]

for (const [rule, file, text] of PLANTED) {
	test(`${rule} finds, in ${file}: ${text.split('\n')[0]}`, () => {
		const found = judge(new Map([...manifests, [file, text]])).findings
		assert.deepEqual([...new Set(found.map((f) => f.rule))], [rule])
	})
}

test('no-cycles finds two files that import each other, through a package name or for types only', () => {
	const planted = new Map([
		...manifests,
		['packages/edge/src/one.ts', "import type { B } from './two.ts'\nexport type A = B"],
		['packages/edge/src/two.ts', "export type { A as B } from './three.ts'"],
		['packages/edge/src/three.ts', "export { A } from './one.ts'"],
	])
	const found = judge(planted).findings
	assert.deepEqual(
		found.map((f) => f.rule),
		['no-cycles'],
	)
	for (const name of ['one', 'two', 'three']) assert.ok(found[0]?.text.includes(`edge/src/${name}.ts`), name)
})

test('package-direction finds a dependency in a package.json', () => {
	const manifest = JSON.stringify({ dependencies: { '@latchwork/edge': '0.1.0' } })
	const found = judge(new Map([...manifests, ['packages/server/package.json', manifest]])).findings
	assert.deepEqual(
		found.map((f) => [f.rule, f.file]),
		[['package-direction', 'packages/server/package.json']],
	)
})

test('every rule has a planted violation', () => {
	const covered = new Set<string>([...PLANTED.map(([rule]) => rule), 'no-cycles'])
	assert.deepEqual(
		Object.keys(RULES).filter((rule) => !covered.has(rule)),
		[],
	)
})

test('what only looks like a violation is none', () => {
	const innocent = [
		"// import { x } from 'node:fs'\n/* Date.now() */",
		'export const text = "import x from \'node:fs\'"',
		"export const text = `import x from 'node:fs' and ${'console.log(1)'} Date.now()`",
		"export const word = /console.log(1)|'/.source",
		'export const clock = { now: () => 1, setTimeout: 2 }\nexport const t = clock.setTimeout',
		'export const at = (ms: number) => new Date(ms)',
		'export class Host { private process(input: number) { return input } }',
		'export function run(process: { pid: number }): string { return `${process}` }',
	]
	for (const text of innocent) assert.deepEqual(judge(new Map([['packages/core/src/door/innocent.ts', text]])).findings, [], text)
})
