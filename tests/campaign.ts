import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runWorld } from '../packages/core/src/door/testing/world.ts'

/**
 * `npm run campaign -- door|kill|server-kill [--seed N] [--amount N]`: amounts that are too long for every change. Seeded, at most an hour;
 * the result file under docs/campaigns/ names commit, seed, amounts and outcome, and is committed. Exit 1 when anything is violated.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

interface Outcome {
	readonly amount: Readonly<Record<string, number>>
	readonly violations: readonly unknown[]
	readonly seen: unknown
}

const CAMPAIGNS: Readonly<Record<string, { readonly amount: number; readonly run: (seed: number, amount: number) => Promise<Outcome> }>> = {
	/** The door reducer in its simulated world, dying at every effect boundary, until so many crash points are behind it. */
	door: { amount: 5_000_000, run: doorWorlds },
	/** kill -9 of the shipped controller while people use it. */
	kill: { amount: 3_000, run: kills('tests/faults/kill.test.ts', 'LATCHWORK_KILLS') },
	/** The same of server, broker and database, each so often. */
	'server-kill': { amount: 100, run: kills('tests/faults/server-kill.test.ts', 'LATCHWORK_SERVER_KILLS') },
}

async function doorWorlds(seed: number, amount: number): Promise<Outcome> {
	let crashPoints = 0
	let worlds = 0
	const violations: unknown[] = []
	const seen: Record<string, number> = {}
	for (let next = seed; crashPoints < amount && violations.length === 0; next++) {
		const run = runWorld({ seed: next, runs: 20 })
		crashPoints += run.crashPoints
		worlds += 20
		violations.push(...run.violations)
		for (const [what, count] of run.distribution) seen[what] = (seen[what] ?? 0) + count
	}
	return { amount: { crashPoints, worlds }, violations, seen }
}

function kills(file: string, amountOf: string) {
	return (seed: number, amount: number): Promise<Outcome> =>
		new Promise((resolve) => {
			const env = { ...process.env, [amountOf]: String(amount), LATCHWORK_SEED: String(seed) }
			const child = spawn(process.execPath, ['--test', '--test-isolation=none', file], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] })
			let output = ''
			child.stdout.on('data', (chunk: Buffer) => {
				output += chunk.toString()
			})
			child.on('close', (code) => {
				const line = output.split('\n').find((l) => l.includes(`seed ${seed}:`))
				resolve({ amount: { kills: amount }, violations: code === 0 ? [] : [output.slice(-4_000)], seen: line?.replace(/^\W+/, '') ?? 'nothing' })
			})
		})
}

async function main(): Promise<void> {
	const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string' }, amount: { type: 'string' } } })
	const campaign = CAMPAIGNS[positionals[0] ?? '']
	if (!campaign) {
		process.stderr.write(`Name a campaign: ${Object.keys(CAMPAIGNS).join(', ')}.\n`)
		process.exit(2)
	}
	const seed = Number(values.seed ?? 1)
	const start = performance.now()
	const outcome = await campaign.run(seed, Number(values.amount ?? campaign.amount))
	const result = {
		campaign: positionals[0],
		commit: execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim(),
		seed,
		...outcome,
		passed: outcome.violations.length === 0,
		seconds: Math.round((performance.now() - start) / 1000),
		machine: { cores: availableParallelism(), node: process.version },
	}
	mkdirSync(`${ROOT}docs/campaigns`, { recursive: true })
	const file = `docs/campaigns/${positionals[0]}-${seed}.json`
	writeFileSync(ROOT + file, `${JSON.stringify(result, null, '\t')}\n`)
	process.stdout.write(`${result.passed ? 'passed' : 'VIOLATED'}: ${JSON.stringify(outcome.amount)} in ${result.seconds} s, written to ${file}\n`)
	process.exitCode = result.passed ? 0 : 1
}

await main()
