import { execFileSync, spawn } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runWorld } from '../packages/core/src/door/testing/world.ts'
import {
	CAMPAIGNS,
	type CampaignName,
	type CampaignResult,
	complaint,
	inputsHash,
	inputsOf,
	isCampaign,
	keptResult,
	NAMES,
	resultFile,
} from './house/campaigns.ts'

/**
 * `npm run campaign` runs those whose kept result no longer counts; `npm run campaign -- NAME… [--seed N] [--amount N]` those that are named. Amounts
 * that are too long for every change; seeded. The result under docs/campaigns/ is committed; that of less than the campaign's amount is only
 * told, since it would stand for more. Exit 1 when anything is violated.
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

type Outcome = Pick<CampaignResult, 'amount' | 'violations' | 'seen'>

const RUNS: Readonly<Record<CampaignName, (seed: number, amount: number) => Promise<Outcome>>> = {
	door: doorWorlds,
	kill: kills('LATCHWORK_KILLS', 'kills', 'tests/faults/kill.test.ts'),
	'server-kill': kills('LATCHWORK_SERVER_KILLS', 'rounds', 'tests/faults/server-kill.test.ts', 'tests/faults/two-servers-kill.test.ts'),
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

function kills(amountOf: string, unit: string, ...files: readonly string[]) {
	return (seed: number, amount: number): Promise<Outcome> =>
		new Promise((resolve) => {
			const env = { ...process.env, [amountOf]: String(amount), LATCHWORK_SEED: String(seed) }
			const args = ['--disable-warning=ExperimentalWarning', '--test', '--test-isolation=none', ...files]
			const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'inherit'] })
			let output = ''
			child.stdout.on('data', (chunk: Buffer) => {
				output += chunk.toString()
			})
			child.on('close', (code) => {
				const seen = output.split('\n').filter((line) => line.includes(`seed ${seed}:`))
				resolve({
					amount: { [unit]: amount },
					violations: code === 0 ? [] : [output.slice(-4_000)],
					seen: seen.map((line) => line.replace(/^\W+/, '')),
				})
			})
		})
}

async function run(name: CampaignName, seed: number, amount: number): Promise<boolean> {
	process.stdout.write(`${name}: ${amount} ${CAMPAIGNS[name].unit}, seed ${seed}\n`)
	// Before it begins: what is changed meanwhile is not what it has seen.
	const inputs = inputsHash(inputsOf(ROOT, CAMPAIGNS[name]))
	const commit = execFileSync('git', ['rev-parse', 'HEAD'], { cwd: ROOT, encoding: 'utf8' }).trim()
	const start = performance.now()
	const outcome = await RUNS[name](seed, amount)
	const result: CampaignResult = {
		campaign: name,
		commit,
		inputs,
		seed,
		...outcome,
		passed: outcome.violations.length === 0,
		seconds: Math.round((performance.now() - start) / 1000),
		machine: { cores: availableParallelism(), node: process.version },
	}
	const text = `${JSON.stringify(result, null, '\t')}\n`
	const isKept = amount >= CAMPAIGNS[name].amount
	if (isKept) {
		mkdirSync(join(ROOT, 'docs/campaigns'), { recursive: true })
		writeFileSync(join(ROOT, resultFile(name)), text)
	} else process.stdout.write(text)
	const where = isKept ? `written to ${resultFile(name)}` : `not kept: a result is of ${CAMPAIGNS[name].amount} ${CAMPAIGNS[name].unit}`
	process.stdout.write(`${name} ${result.passed ? 'passed' : 'VIOLATED'} in ${result.seconds} s, ${where}\n`)
	return result.passed
}

async function main(): Promise<void> {
	const { values, positionals } = parseArgs({ allowPositionals: true, options: { seed: { type: 'string' }, amount: { type: 'string' } } })
	const named = positionals.filter(isCampaign)
	if (named.length < positionals.length) {
		process.stderr.write(`Name campaigns: ${NAMES.join(', ')}; or none for those whose result no longer counts.\n`)
		process.exit(2)
	}
	const old = () => NAMES.filter((name) => complaint(name, keptResult(ROOT, name), inputsOf(ROOT, CAMPAIGNS[name])))
	for (const name of positionals.length > 0 ? named : old())
		if (!(await run(name, Number(values.seed ?? 1), Number(values.amount ?? CAMPAIGNS[name].amount)))) process.exitCode = 1
}

await main()
