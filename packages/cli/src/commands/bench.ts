import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { Fault } from '@latchwork/core/base'
import { coldStart } from '../bench/cold-start.ts'
import { connections } from '../bench/connections.ts'
import { type Bench, type Findings, machine } from '../bench/figures.ts'
import { ingestion } from '../bench/ingestion.ts'
import { install } from '../bench/install.ts'
import { ledger } from '../bench/ledger.ts'
import { memory } from '../bench/memory.ts'
import { remoteOpen } from '../bench/remote-open.ts'
import { svgOf, tableOf } from '../bench/report.ts'
import { revocation } from '../bench/revocation.ts'
import { size } from '../bench/size.ts'
import { tapToFrame } from '../bench/tap-to-frame.ts'
import { readArgs } from '../config.ts'

/** In the order of performance.md; each can be named by its id or its name. */
const BENCHES: readonly { readonly id: string; readonly name: string; readonly run: Bench }[] = [
	{ id: 'P1', name: 'tap-to-frame', run: tapToFrame },
	{ id: 'P2', name: 'remote-open', run: remoteOpen },
	{ id: 'P3', name: 'ingestion', run: ingestion },
	{ id: 'P4', name: 'ledger', run: ledger },
	{ id: 'P5', name: 'connections', run: connections },
	{ id: 'P13', name: 'revocation', run: revocation },
	{ id: 'P9', name: 'cold-start', run: coldStart },
	{ id: 'P11', name: 'memory', run: memory },
	{ id: 'P12', name: 'size', run: size },
	{ id: 'P12', name: 'install', run: install },
]

/** `latchwork bench [NAME …] [--out DIR] [--effort N]`: measures, prints one table, writes JSON and SVG under `bench-results`. */
export async function bench(args: readonly string[]): Promise<void> {
	const { values, positionals } = readArgs(args, { out: { type: 'string' }, effort: { type: 'string' } }, true)
	const out = resolve(values.out === undefined ? 'bench-results' : String(values.out))
	const effort = values.effort === undefined ? 1 : Number(values.effort)
	if (!(effort > 0)) throw new Fault('config-invalid', '--effort multiplies the number of samples: a number above 0; 1 is a whole measurement.')
	const wanted = positionals.length === 0 ? BENCHES : positionals.flatMap(named)
	const log = (line: string) => void process.stderr.write(`${line}\n`)
	const all: Findings[] = []
	for (const { run } of wanted) {
		const folder = mkdtempSync(join(tmpdir(), 'latchwork-bench-'))
		try {
			const findings = await run({ folder, effort, log })
			all.push(findings)
			keep(out, findings, effort)
		} finally {
			rmSync(folder, { recursive: true, force: true })
		}
	}
	process.stdout.write(`${tableOf(all, effort)}\n\nKept as JSON and SVG in ${out}.\n`)
}

function named(asked: string): typeof BENCHES {
	const found = BENCHES.filter(({ id, name }) => name === asked || id.toLowerCase() === asked.toLowerCase())
	if (found.length === 0)
		throw new Fault('config-invalid', `There is no benchmark "${asked}". There are: ${BENCHES.map(({ id, name }) => `${name} (${id})`).join(', ')}.`)
	return found
}

function keep(out: string, findings: Findings, effort: number): void {
	mkdirSync(out, { recursive: true })
	writeFileSync(join(out, `${findings.name}.json`), `${JSON.stringify({ machine: machine(), effort, ...findings }, null, '\t')}\n`)
	writeFileSync(join(out, `${findings.name}.svg`), svgOf(findings, effort))
}
