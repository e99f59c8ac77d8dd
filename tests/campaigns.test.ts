import assert from 'node:assert/strict'
import { globSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import {
	CAMPAIGNS,
	type CampaignName,
	type CampaignResult,
	complaint,
	inputsHash,
	inputsOf,
	keptResult,
	NAMES,
	resultFile,
} from './house/campaigns.ts'

const root = join(import.meta.dirname, '..')
/** The name of a file to one of its inputs, as they are now. */
const inputs = new Map(NAMES.map((name) => [name, inputsOf(root, CAMPAIGNS[name])]))
const of = (name: CampaignName) => inputs.get(name) ?? assert.fail(name)

for (const name of NAMES)
	test(`the result of the campaign "${name}" is about the program as it is`, () => {
		const wrong = complaint(name, keptResult(root, name), of(name))
		assert.equal(wrong, undefined, wrong)
	})

test('there is no result of a campaign that does not exist', () => {
	assert.deepEqual(
		globSync('docs/campaigns/*', { cwd: root }).filter((file) => !NAMES.some((name) => resultFile(name) === file)),
		[],
	)
})

/** A result as it should be, for inputs as they are. */
const good = (name: CampaignName): CampaignResult => ({
	campaign: name,
	commit: '',
	inputs: inputsHash(of(name)),
	seed: 1,
	amount: { [CAMPAIGNS[name].unit]: CAMPAIGNS[name].amount },
	violations: [],
	seen: '',
	passed: true,
	seconds: 1,
	machine: { cores: 2, node: 'v24' },
})

test('the check fails for an input that is changed, new or gone, a short run, a violation and no result, and says what to run', () => {
	for (const name of NAMES) {
		assert.equal(complaint(name, good(name), of(name)), undefined)
		const [file = '', text = ''] = [...of(name)].find(([path]) => path.endsWith('.ts')) ?? []
		const changes: ReadonlyMap<string, string>[] = [
			new Map([...of(name), [file, `${text}\nexport const planted = 1\n`]]),
			new Map([...of(name), ['tests/faults/new.ts', '']]),
			new Map([...of(name)].slice(1)),
		]
		for (const changed of changes) {
			const said = complaint(name, good(name), changed) ?? ''
			assert.match(said, /is older than its inputs/)
			assert.ok(said.endsWith(`npm run campaign -- ${name}`), said)
		}
		assert.equal(complaint(name, good(name), new Map([...of(name), [file, `// Another word.\n${text}`]])), undefined, 'a comment is no change')
		const { unit, amount } = CAMPAIGNS[name]
		assert.match(complaint(name, { ...good(name), amount: { [unit]: amount - 1 } }, of(name)) ?? '', /are wanted/)
		assert.match(complaint(name, { ...good(name), amount: {} }, of(name)) ?? '', /are wanted/)
		assert.match(complaint(name, { ...good(name), violations: ['one'], passed: false }, of(name)) ?? '', /violations/)
		assert.match(complaint(name, undefined, of(name)) ?? '', /is not there/)
	}
})

test('a change in any string, pattern or number counts; a pattern that finds no file is named', () => {
	const hash = (text: string) => inputsHash(new Map([['a.ts', text]]))
	const before = hash('const a = /x+/.test(`y`) ? 1 : b / 2')
	assert.equal(hash('// why\nconst a =\n\t/x+/.test(`y`) ? 1 : b / 2'), before)
	for (const other of ['const a = /x*/.test(`y`) ? 1 : b / 2', 'const a = /x+/.test(`z`) ? 1 : b / 2', 'const a = /x+/.test(`y`) ? 1 : b / 3'])
		assert.notEqual(hash(other), before)
	assert.throws(() => inputsOf(root, { ...CAMPAIGNS.door, inputs: ['packages/core/src/window/*.ts'] }), /there is no packages\/core\/src\/window/)
})

test('inputs are what a statement rests on: no page, no words of the console', () => {
	for (const name of NAMES) {
		assert.ok(of(name).size >= 10, name)
		for (const file of of(name).keys()) assert.doesNotMatch(file, /^packages\/web\//)
	}
})
