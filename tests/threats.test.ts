import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'

/** docs/guides/threats.md says which test tries what: each of them is there. */
const root = new URL('..', import.meta.url)
const page = readFileSync(new URL('docs/guides/threats.md', root), 'utf8')
const NAMED = /`([^`]+\.test\.ts)`: \*([^*]+)\*/g

/** What a page names and the repository does not have. */
function missing(text: string): string[] {
	return [...text.matchAll(NAMED)].flatMap(([, path = '', name = '']) => {
		const file = new URL(path, root)
		if (!existsSync(file)) return [path]
		return readFileSync(file, 'utf8').includes(`'${name}'`) ? [] : [`${path}: ${name}`]
	})
}

test('each test that the page of threats names is there under its name, and each threat names one', () => {
	assert.deepEqual(missing(page), [])
	const rows = page.split('\n').filter((line) => /^\| \*\*T\d+\*\*/.test(line))
	assert.ok(rows.length >= 14)
	for (const row of rows) {
		const [threat, against, tried = '', left] = row.slice(2, -2).split(' | ')
		assert.ok(threat && against && left, row)
		assert.notEqual([...tried.matchAll(NAMED)].length, 0, threat)
	}
})

test('a test that is gone, under another name or with its file, is found out', () => {
	// Put together here, so that it is not in this file as it is looked for.
	assert.deepEqual(missing(`\`tests/threats.test.ts\`: *${['no', 'such', 'test'].join(' ')}*`), ['tests/threats.test.ts: no such test'])
	assert.deepEqual(missing('`tests/gone.test.ts`: *anything*'), ['tests/gone.test.ts'])
})
