import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { test } from 'node:test'

const src = join(import.meta.dirname, '..')
const product = (file: string) => file.endsWith('.ts') && !file.endsWith('.test.ts') && !/(?:^|\/)testing\//.test(file)

test('whatever sees all tenants is listed with its reason, and nothing else is', () => {
	const files = readdirSync(src, { recursive: true, encoding: 'utf8' }).filter(product)
	const crossing = files.filter((file) => /\.system\(/.test(readFileSync(join(src, file), 'utf8').replaceAll(/\s+/g, '')))
	const listed = [...readFileSync(join(import.meta.dirname, 'system.md'), 'utf8').matchAll(/^\| `([^`]+\.ts)` \| \S/gm)].map((match) => match[1])
	assert.ok(files.length > 50, relative('.', src))
	assert.deepEqual(crossing.toSorted(), listed.toSorted())
})
