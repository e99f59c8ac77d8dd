import { execFile } from 'node:child_process'
import { cpSync, globSync, lstatSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { alone, type Bench } from './figures.ts'

const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url))
/** All that `npm ci` reads or links. */
const MANIFESTS = ['package.json', 'package-lock.json', '.npmrc', 'packages/*/package.json', 'packages/*/bin/*']

const INSTALLS = 3

/** P12, its other half: what it takes to install this repository. */
export const install: Bench = async ({ folder, effort, log }) => {
	const times = Math.max(1, Math.round(INSTALLS * effort))
	log(`P12: npm ci, ${times} times`)
	const found = await installed(folder, times)
	return {
		id: 'P12',
		name: 'install',
		what: '`npm ci` of this repository, development tools included',
		floor: 'none',
		conditions:
			'why' in found
				? [`could not be measured: ${found.why}`]
				: [
						`from npm’s cache, no network; ${found.packages} packages in the lock, those of other platforms among them; the Node and npm that were on the path`,
					],
		figures:
			'why' in found
				? []
				: [alone('npm ci', 's', found.seconds), { size: 'node_modules, sum of its files', unit: 'MB', p50: found.bytes / 1e6, samples: 1 }],
	}
}

interface Installed {
	readonly seconds: readonly number[]
	readonly bytes: number
	readonly packages: number
}

/** `npm ci` in copies of the manifests, from npm's cache alone, so that no network is in the figure; or why it cannot be measured here. */
async function installed(folder: string, times: number): Promise<Installed | { readonly why: string }> {
	const seconds: number[] = []
	let bytes = 0
	for (let i = 0; i < times; i++) {
		const copy = join(folder, `install-${i}`)
		for (const path of globSync(MANIFESTS, { cwd: REPOSITORY })) {
			mkdirSync(dirname(join(copy, path)), { recursive: true })
			cpSync(join(REPOSITORY, path), join(copy, path))
		}
		try {
			const began = performance.now()
			await promisify(execFile)('npm', ['ci', '--offline', '--no-audit', '--no-fund'], { cwd: copy })
			seconds.push((performance.now() - began) / 1000)
			bytes = sizeOf(join(copy, 'node_modules'))
		} catch (cause) {
			return { why: whyNot(cause) }
		} finally {
			rmSync(copy, { recursive: true, force: true })
		}
	}
	return { seconds, bytes, packages: packagesIn(join(REPOSITORY, 'package-lock.json')) }
}

function whyNot(cause: unknown): string {
	const { code, stderr = '' } = cause as { code?: string | number; stderr?: string }
	if (code === 'ENOENT') return 'there is no npm'
	if (stderr.includes('ENOTCACHED')) return "npm's cache lacks a package: run `npm ci` once with the network"
	return stderr.split('\n').find((line) => line.includes('error')) ?? String(cause)
}

const sizeOf = (folder: string): number =>
	globSync('**/*', { cwd: folder, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).size, 0)

function packagesIn(lock: string): number {
	const { packages } = JSON.parse(readFileSync(lock, 'utf8')) as { packages: Record<string, { link?: boolean }> }
	return Object.entries(packages).filter(([path, { link }]) => path.startsWith('node_modules/') && !link).length
}
