import { spawnSync } from 'node:child_process'
import { type Dirent, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** Builds the pages when a source is newer than the built ones; scenarios and browser tests look at what users get. Answers what went wrong. */
export function buildWebIfStale(root: string, say: (text: string) => void): string | undefined {
	const built = newest(join(root, 'packages/web/dist'))
	const sources = Math.max(newest(join(root, 'packages/web')), newest(join(root, 'packages/core/src')))
	if (built > sources) return undefined
	say('Building the web pages.')
	const { status } = spawnSync('npm', ['run', 'build', '-w', '@latchwork/web', '--silent'], { cwd: root, stdio: ['ignore', 'inherit', 'inherit'] })
	return status === 0 ? undefined : 'The web pages could not be built.'
}

/** Latest change of a file in the folder, in milliseconds since 1970; 0 when there is none. Built and installed files do not count inside a source folder. */
function newest(folder: string): number {
	const times = entries(folder).map((entry) => {
		const path = join(folder, entry.name)
		if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === 'dist' ? 0 : newest(path)
		return statSync(path).mtimeMs
	})
	return Math.max(0, ...times)
}

function entries(folder: string): Dirent[] {
	try {
		return readdirSync(folder, { withFileTypes: true })
	} catch {
		return []
	}
}
