import { spawnSync } from 'node:child_process'
import { accessSync, constants, readFileSync } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Programs that tests start and npm cannot deliver, and their packages: a real browser, without the windows that nobody would see, socat for pairs of
 * pseudo-terminals (serial ports), mosquitto as a broker that is not ours, Go with its checksum database, which verifies our log, and libfaketime,
 * which moves the machine's clock for one program.
 */
const PROGRAMS: ReadonlyMap<string, readonly string[]> = new Map([
	['chromium-headless-shell', ['chromium-headless-shell']],
	['socat', ['socat']],
	['mosquitto', ['mosquitto']],
	['faketime', ['faketime']],
	['go', ['golang-go', 'golang-golang-x-mod-dev']],
])
/** Without a font for every script the pictures of the screens show boxes. */
const PACKAGES = [...[...PROGRAMS.values()].flat(), 'fonts-noto-core']
const INSTALL = `apt-get update && apt-get install -y --no-install-recommends ${PACKAGES.join(' ')}`

export interface Machine {
	has(program: string): boolean
	/** Root on Debian: may install. */
	mayInstall(): boolean
	/** Runs the shell command; false when it failed. */
	run(command: string): boolean
}

/** Nothing when all is there (installed now if need be), else what is missing and the command that installs it. Tests are never skipped for it. */
export function ensurePrerequisites(machine: Machine, say: (text: string) => void): string | undefined {
	const missing = () => [...PROGRAMS.keys()].filter((program) => !machine.has(program))
	if (missing().length === 0) return undefined
	if (machine.mayInstall()) {
		say(`Installing ${missing().join(' and ')}: ${INSTALL}`)
		if (machine.run(INSTALL) && missing().length === 0) return undefined
		return `Could not install ${missing().join(' and ')}. Run this by hand and look at its answer:\n  ${INSTALL}`
	}
	return `The tests need ${missing().join(' and ')}. On Debian, as root:\n  ${INSTALL}`
}

export const thisMachine: Machine = {
	has: (program) => (process.env.PATH ?? '').split(delimiter).some((folder) => canRun(join(folder, program))),
	mayInstall: () => process.getuid?.() === 0 && /^ID=debian$/m.test(osRelease()),
	run: (command) =>
		spawnSync('sh', ['-c', command], { stdio: ['ignore', 'inherit', 'inherit'], env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
			.status === 0,
}

function canRun(path: string): boolean {
	try {
		accessSync(path, constants.X_OK)
		return true
	} catch {
		return false
	}
}

function osRelease(): string {
	try {
		return readFileSync('/etc/os-release', 'utf8')
	} catch {
		return ''
	}
}
