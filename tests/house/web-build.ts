import { spawnSync } from 'node:child_process'
import { globSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** One page each; `latchwork dev` builds all but the gallery by itself, so each is looked at on its own. */
const PAGES = ['kiosk', 'virtual', 'console', 'gallery'].map((page) => `packages/web/dist/${page}/index.html`)
const SOURCES = ['packages/web/src/**/*', 'packages/web/*.{ts,json}', 'packages/core/src/{wire,ledger,base}/*.ts']

/** Builds the pages when a source is newer than one of them: scenarios and browser tests look at what users get. Answers what went wrong. */
export function buildWebIfStale(root: string, say: (text: string) => void): string | undefined {
	const changed = (file: string): number => statSync(join(root, file), { throwIfNoEntry: false })?.mtimeMs ?? 0
	const newestSource = Math.max(...globSync(SOURCES, { cwd: root }).map(changed))
	if (Math.min(...PAGES.map(changed)) > newestSource) return undefined
	say('Building the web pages.')
	const { status } = spawnSync('npm', ['run', 'build', '-w', '@latchwork/web', '--silent'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
	return status === 0 ? undefined : 'the web pages could not be built'
}
