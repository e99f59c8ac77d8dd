import { spawnSync } from 'node:child_process'
import { existsSync, globSync, statSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '@latchwork/core/base'

const PAGES = ['kiosk', 'virtual', 'console'] as const

const webRoot = () => dirname(fileURLToPath(import.meta.resolve('@latchwork/web/package.json')))

/** Where the built console lies, or would lie. */
export const consoleFolder = (): string => join(webRoot(), 'dist', 'console')

/** The built pages; in the repository they are made when a source is newer than the last build. */
export function builtWeb(log: (line: string) => void): string {
	const root = webRoot()
	const dist = join(root, 'dist')
	if (PAGES.some((page) => isStale(root, join(dist, page, 'index.html')))) {
		log('Building the pages …')
		for (const page of PAGES) buildPage(root, page)
	}
	return dist
}

/** Builds one page of the web package at `root`, into `out` (default: its folder in `dist`). Throws `Fault` prerequisite-missing with what went wrong. */
export function buildPage(root: string, page: string, out?: string): void {
	const vite = fileURLToPath(new URL('../../bin/vite.js', import.meta.resolve('vite')))
	const into = out === undefined ? [] : ['--outDir', out, '--emptyOutDir']
	const made = spawnSync(process.execPath, [vite, 'build', '--mode', page, '--logLevel', 'warn', ...into], { cwd: root, encoding: 'utf8' })
	if (made.status !== 0)
		throw new Fault('prerequisite-missing', `The pages could not be built:\n${made.stdout}${made.stderr}\nRun \`npm ci\` and try again.`)
}

function isStale(root: string, made: string): boolean {
	if (!existsSync(made)) return true
	const at = statSync(made).mtimeMs
	const sources = globSync(['src/**/*', '*.html', '*/*.html', 'vite.config.ts', '../core/src/{wire,ledger,base}/**/*'], { cwd: root })
	return sources.some((file) => {
		const found = statSync(join(root, file))
		return found.isFile() && found.mtimeMs > at
	})
}
