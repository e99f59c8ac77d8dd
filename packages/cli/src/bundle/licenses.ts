import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Fault } from '@latchwork/core/base'

/** A third-party package whose code goes into a bundle. */
interface ThirdParty {
	readonly name: string
	readonly version: string
	readonly license: string
	readonly folder: string
}

interface Manifest {
	readonly name?: string
	readonly version?: string
	readonly license?: string
	readonly dependencies?: Readonly<Record<string, string>>
}

/** The packages that these modules (absolute paths) belong to, without our own. */
export const packagesOf = (modules: readonly string[]): ThirdParty[] =>
	modules.flatMap((path) => (path.includes('node_modules') ? packageAt(dirname(path)) : []))

/** All packages that one of ours depends on, near and far, without our own. */
export function dependenciesOf(folder: string, seen: Set<string> = new Set()): ThirdParty[] {
	return Object.keys(readManifest(folder)?.dependencies ?? {}).flatMap((name) => {
		const found = installed(name, folder)
		if (seen.has(found)) return []
		seen.add(found)
		const own = name.startsWith('@latchwork/') ? [] : [packageAt(found)]
		return [...own, ...dependenciesOf(found, seen)]
	})
}

/** One text with every package once, by name, and its license as the package itself states it. */
export function licensesText(packages: readonly ThirdParty[]): string {
	const once = new Map(packages.map((one) => [`${one.name} ${one.version}`, one]))
	const parts = [...once].sort(([a], [b]) => (a < b ? -1 : 1)).map(([title, one]) => `${title}\nLicense: ${one.license}\n\n${licenseOf(one)}\n`)
	return `Latchwork's controller contains the packages below, each under its own license.\n\n${parts.join(`\n${'-'.repeat(80)}\n\n`)}`
}

function licenseOf({ name, folder, license }: ThirdParty): string {
	const texts = readdirSync(folder)
		.filter((file) => /^(?:licen[cs]e|copying|notice)/i.test(file))
		.sort()
		.map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim())
	if (texts.length > 0) return texts.join('\n\n')
	return `(The package ${name} carries no license text of its own; its package.json says ${license}.)`
}

/** The package that a folder is part of: the nearest package.json that has a name and a version. */
function packageAt(folder: string): ThirdParty {
	const { name, version, license = 'not stated' } = readManifest(folder) ?? {}
	if (name !== undefined && version !== undefined) return { name, version, license, folder }
	const above = dirname(folder)
	if (above === folder) throw new Fault('config-invalid', 'A bundled module belongs to no package.')
	return packageAt(above)
}

function installed(name: string, from: string): string {
	const here = join(from, 'node_modules', name)
	if (existsSync(here)) return here
	const above = dirname(from)
	if (above === from) throw new Fault('config-invalid', `The package ${name} is not installed. Run \`npm ci\`.`)
	return installed(name, above)
}

function readManifest(folder: string): Manifest | undefined {
	const path = join(folder, 'package.json')
	return existsSync(path) ? (JSON.parse(readFileSync(path, 'utf8')) as Manifest) : undefined
}
