import assert from 'node:assert/strict'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'

const root = join(import.meta.dirname, '../..')
interface Manifest {
	readonly name: string
	readonly version?: string
	readonly dependencies?: Readonly<Record<string, string>>
	readonly devDependencies?: Readonly<Record<string, string>>
	readonly optionalDependencies?: Readonly<Record<string, string>>
	readonly scripts?: Readonly<Record<string, string>>
	readonly allowScripts?: Readonly<Record<string, boolean>>
}
interface Lock {
	readonly packages: Readonly<Record<string, Manifest & { readonly resolved?: string; readonly hasInstallScript?: boolean }>>
}
const json = <T>(path: string): T => JSON.parse(readFileSync(join(root, path), 'utf8')) as T
const lock = json<Lock>('package-lock.json')
const manifests = ['package.json', ...globSync('packages/*/package.json', { cwd: root })].map((path) => [path, json<Manifest>(path)] as const)

test('every dependency is pinned to one exact version', () => {
	for (const [path, manifest] of manifests) {
		const all = { ...manifest.dependencies, ...manifest.devDependencies, ...manifest.optionalDependencies }
		for (const [name, version] of Object.entries(all)) assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, `${path}: ${name}`)
	}
})

test('the lock file holds what each package.json asks for', () => {
	for (const [path, manifest] of manifests) {
		const locked = lock.packages[path === 'package.json' ? '' : path.replace('/package.json', '')]
		for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies'] as const)
			assert.deepEqual(locked?.[kind], manifest[kind], `${path}: ${kind}`)
	}
})

test('the lock file lists the optional packages of every platform', () => {
	// npm leaves out those that a registry did not serve, and then `npm ci` refuses the lock ("Missing: … from lock file").
	const missing = Object.entries(lock.packages).flatMap(([path, entry]) =>
		Object.keys(entry.optionalDependencies ?? {}).filter(
			(name) => !lock.packages[`${path}/node_modules/${name}`] && !lock.packages[`node_modules/${name}`],
		),
	)
	assert.deepEqual(missing, [])
})

test('the lock file names no registry host', () => {
	const hosts = Object.values(lock.packages).flatMap((entry) => (entry.resolved?.includes('://') ? [entry.resolved] : []))
	assert.deepEqual(hosts, [])
})

test('every package with an install script is allowed or denied by name', () => {
	const decided = Object.keys(json<Manifest>('package.json').allowScripts ?? {})
	const scripted = Object.entries(lock.packages).flatMap(([path, entry]) => (entry.hasInstallScript ? [path.replace(/^.*node_modules\//, '')] : []))
	assert.deepEqual(
		scripted.filter((name) => !decided.includes(name)),
		[],
	)
})
