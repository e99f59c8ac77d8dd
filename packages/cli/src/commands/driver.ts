import { randomBytes } from 'node:crypto'
import { Fault } from '@latchwork/core/base'
import { CATALOG } from '@latchwork/drivers/catalog'
import { BOARD_FAMILIES, READER_FAMILIES } from '@latchwork/drivers/emulators'
import { type CheckResult, runConformance, runReaderConformance } from '@latchwork/drivers/testing'
import type { DriverClock } from '@latchwork/drivers/transport'
import { systemClock } from '@latchwork/edge/clock-file'
import { installKey } from '../commissioning/install-key.ts'
import { learn } from '../commissioning/learn.ts'
import { type Act, realAct } from '../commissioning/place.ts'
import { probe } from '../commissioning/probe.ts'
import { readArgs } from '../config.ts'

/** At the cabinet, with the controller stopped; each answers whether all is as it should be. */
const COMMISSIONING: Readonly<Record<string, (args: readonly string[], act: Act) => Promise<boolean>>> = { probe, learn, 'install-key': installKey }

/** `latchwork driver list | test | probe | learn | install-key`; exit 1 when a check fails, or something is not as it should be. */
export async function driver([verb = '', ...args]: readonly string[]): Promise<void> {
	if (verb === 'list') {
		readArgs(args, {})
		return list()
	}
	if (verb === 'test' && args[0]) {
		readArgs(args.slice(1), {})
		return test(args[0])
	}
	const commissioning = COMMISSIONING[verb]
	if (!commissioning) {
		throw new Fault(
			'config-invalid',
			`Say what to do: \`driver list\`, \`driver test FAMILY\` with one of ${tested().join(', ')}, or at the cabinet \`driver probe\`, \`driver learn\` or \`driver install-key\` (docs/guides/installer.md).`,
		)
	}
	if (!(await commissioning(args, realAct()))) process.exitCode = 1
}

const tested = (): string[] => CATALOG.filter((e) => suiteOf(e.family)).map((e) => e.family)

type Suite = (clock: DriverClock, onResult: (result: CheckResult) => void) => Promise<CheckResult[]>

/** Each kind of hardware has its own list of checks (hardware.md §6). */
function suiteOf(family: string): Suite | undefined {
	const board = BOARD_FAMILIES.find((f) => f.family === family)
	if (board) return (clock, onResult) => runConformance(board, clock, onResult)
	const reader = READER_FAMILIES.find((f) => f.family === family)
	return reader && ((clock, onResult) => runReaderConformance(reader, clock, onResult))
}

function list(): void {
	for (const { family, kind, products } of CATALOG) process.stdout.write(`${family.padEnd(10)} ${kind.padEnd(8)} ${products.join(', ')}\n`)
}

async function test(family: string): Promise<void> {
	const suite = suiteOf(family)
	if (!suite) throw new Fault('not-found', `There is no conformance suite for "${family}". Known: ${tested().join(', ')}.`)
	const clock = { mono: systemClock.mono, after: systemClock.after, random: (n: number) => new Uint8Array(randomBytes(n)) }
	const results = await suite(clock, ({ product, item, name, line, ok, notApplicable, detail }) => {
		const verdict = notApplicable ? 'n/a ' : ok ? 'ok  ' : 'FAIL'
		process.stdout.write(
			`${verdict} ${product} ${String(item).padStart(2)} ${notApplicable ? '' : line.padEnd(6)} ${name}${detail ? `\n        ${detail}` : ''}\n`,
		)
	})
	const tried = results.filter((r) => !r.notApplicable)
	const failed = tried.filter((r) => !r.ok).length
	process.stdout.write(
		`\n${tried.length - failed} passed, ${failed} failed, ${results.length - tried.length} do not apply. Against our own emulator: a real board is still to be tried (docs/guides/installer.md).\n`,
	)
	if (failed) process.exitCode = 1
}
