import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { tokens } from './lexer.ts'

/**
 * What is a campaign, how much of it counts, and what its result is a statement about. The result is committed; when an input has changed since, the
 * statement is about another program, and `npm test` fails until the campaign was run again.
 */
export interface Campaign {
	/** What is counted, and how much of it makes a result: minutes, since every change of an input asks for it again. */
	readonly unit: string
	readonly amount: number
	/** Patterns of files; tests beside them and their helpers decide nothing here. */
	readonly inputs: readonly string[]
}

/**
 * Inputs are what the statement rests on, and the program that makes it: who decides about a door, who writes, orders, sends again and acknowledges. Not
 * who only reads or words something, nor what belongs to another domain (people, policies, reports, pages): there a change cannot make a second
 * pulse or lose an event, and it would cost minutes each time. Were one to do so nevertheless, the short run of the same program would see it, which
 * is a part of `npm test` for every change. Whoever moves such a decision elsewhere adds the place here.
 */
export const CAMPAIGNS = {
	/** The door reducer in its simulated world, dying at every effect boundary, until so many crash points are behind it. */
	door: { unit: 'crashPoints', amount: 3_000_000, inputs: ['packages/core/src/door/*.ts', 'packages/core/src/door/testing/*.ts'] },
	/** kill -9 of the shipped controller while people use it. */
	kill: {
		unit: 'kills',
		amount: 600,
		inputs: [
			'packages/core/src/door/*.ts',
			'packages/core/src/visit/*.ts',
			'packages/drivers/src/kerong/!(learn|vectors).ts',
			'packages/drivers/src/transport/*.ts',
			'packages/edge/src/{controller,durable,main,records}.ts',
			'packages/edge/src/bank/*.ts',
			'packages/edge/src/cases/*.ts',
			'packages/edge/src/journal/*.ts',
			'packages/edge/src/kiosk/{errand,errands,loan-errands,session,visits}.ts',
			'tests/faults/kill.test.ts',
		],
	},
	/** The same of server, broker and database, and of whichever of two servers on one database has the link: so often each. */
	'server-kill': {
		unit: 'rounds',
		amount: 20,
		inputs: [
			'packages/core/src/ledger/{checkpoint,event,read-event,shape,stream,tiles,tree}.ts',
			'packages/core/src/wire/link.ts',
			'packages/edge/src/journal/*.ts',
			'packages/edge/src/sync/*.ts',
			'packages/server/src/{installation,main,works}.ts',
			'packages/server/src/cases/{bank,step}-write.ts',
			'packages/server/src/http/{idempotency-write,perform,server}.ts',
			'packages/server/src/ledger/!(routes).ts',
			'packages/server/src/link/!(routes).ts',
			'packages/server/src/space/command-*.ts',
			'packages/server/src/store/*.ts',
			'packages/server/src/store/migrations/*-{foundation,ledger,http,idempotency-sealed,link,command,command-session}.sql',
			'tests/faults/{server-kill,two-servers-kill}.test.ts',
			'tests/faults/traffic.ts',
			'tests/scenarios/hands.ts',
		],
	},
} as const satisfies Readonly<Record<string, Campaign>>
export type CampaignName = keyof typeof CAMPAIGNS
export const isCampaign = (name: string): name is CampaignName => Object.hasOwn(CAMPAIGNS, name)
export const NAMES = Object.keys(CAMPAIGNS).filter(isCampaign)

/** What is kept of a run. */
export interface CampaignResult {
	readonly campaign: string
	/** Where the run began, for whoever repeats it; whether it still counts is known by the inputs alone, so that a rebase makes nothing old. */
	readonly commit: string
	/** As `inputsHash` made it when the run began. */
	readonly inputs: string
	readonly seed: number
	readonly amount: Readonly<Record<string, number>>
	readonly violations: readonly unknown[]
	readonly seen: unknown
	readonly passed: boolean
	readonly seconds: number
	readonly machine: { readonly cores: number; readonly node: string }
}

export const resultFile = (name: CampaignName) => `docs/campaigns/${name}.json`
const renewal = (name: CampaignName) => `npm run campaign -- ${name}`

/** Paths and contents, in the order of their paths. Complains about a pattern that finds nothing: what it meant was moved. */
export function inputsOf(root: string, { inputs }: Campaign): Map<string, string> {
	const found = inputs.flatMap((pattern) => {
		const files = globSync(pattern, { cwd: root }).filter((file) => pattern.startsWith('tests/') || !/\.test\.tsx?$/.test(file))
		if (files.length === 0) throw new Error(`tests/house/campaigns.ts: there is no ${pattern}`)
		return files
	})
	return new Map(found.sort().map((file) => [file, readFileSync(join(root, file), 'utf8')]))
}

/** Of a program only what it says counts: another comment or another line break makes no result old. */
export function inputsHash(inputs: ReadonlyMap<string, string>): string {
	const hash = createHash('sha256')
	for (const [file, text] of inputs) {
		const said = file.endsWith('.ts') ? tokens(text).map(({ kind, text: word }) => [kind, word]) : text
		hash.update(`${JSON.stringify([file, said])}\n`)
	}
	return hash.digest('hex')
}

/** Why the kept result says nothing about these inputs; undefined: it does. */
export function complaint(name: CampaignName, kept: CampaignResult | undefined, inputs: ReadonlyMap<string, string>): string | undefined {
	const { unit, amount } = CAMPAIGNS[name]
	const why = () => {
		if (!kept) return 'is not there'
		if (kept.inputs !== inputsHash(inputs)) return 'is older than its inputs (tests/house/campaigns.ts)'
		if (!kept.passed || kept.violations.length > 0) return 'tells of violations'
		if (!((kept.amount[unit] ?? 0) >= amount)) return `tells of ${kept.amount[unit]} ${unit}, and ${amount} are wanted`
		return undefined
	}
	const found = why()
	return found && `${resultFile(name)} ${found}. Run it again: ${renewal(name)}`
}

export function keptResult(root: string, name: CampaignName): CampaignResult | undefined {
	try {
		return JSON.parse(readFileSync(join(root, resultFile(name)), 'utf8')) as CampaignResult
	} catch (cause) {
		if ((cause as NodeJS.ErrnoException).code === 'ENOENT') return undefined
		throw cause
	}
}
