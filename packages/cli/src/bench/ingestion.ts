import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { Fault, type Id, newId, type Random, toHex } from '@latchwork/core/base'
import { exampleLayout } from '@latchwork/core/wire'
import { systemClock } from '@latchwork/edge/clock-file'
import { nodeCrypto } from '@latchwork/edge/keys'
import { ALWAYS_OPEN, compartmentsOf, createBank, createSite } from '@latchwork/server/estate'
import { type Migration, migrate, openStore, readMigrations, type Store, sql, startEmbedded } from '@latchwork/server/store'
import { alone, type Bench, type BenchOptions, below, type Figure, shareOfFloor } from './figures.ts'
import { BATCH, type IngestJob, type IngestTimes, type LedgerForm } from './ingest-job.ts'

const random: Random = (n) => new Uint8Array(randomBytes(n))
const CONNECTIONS = 4
const LEAST = 0.25
const MOST_MS = { p99: 25 }
/** Messages of each connection in one round; rounds of ours and of the floor take turns. */
const MESSAGES = 24
const ROUNDS = 5
const WARM_UP = 6
const FACTS = { 1: 400, 8: 100, 32: 50 } as const

/** P3: events made durable, with their state and their positions, and single transactions of people who wait. */
export const ingestion: Bench = async (options) => {
	const database = await openDatabase(options)
	try {
		const messages = atLeast(4, MESSAGES * options.effort)
		const rounds = atLeast(2, ROUNDS * options.effort)
		const figures: Figure[] = []
		for (const processes of [1, 4]) {
			const rates = { ingest: [] as number[], insert: [] as number[] }
			options.log(`P3: ${processes} processes, ${rounds} rounds of ${processes * CONNECTIONS * messages} messages`)
			for (let round = 0; round < rounds; round++) {
				for (const form of ['ingest', 'insert'] as const) rates[form].push(rateOf(await database.run(form, processes, CONNECTIONS, messages)))
			}
			figures.push(shareOfFloor(`events/s, ${processes} × ${CONNECTIONS} connections, messages of ${BATCH}`, rates.ingest, rates.insert, LEAST))
		}
		for (const connections of [1, 8, 32] as const) {
			const times = { append: [] as number[], 'locked-head': [] as number[] }
			const rates = { append: [] as number[], 'locked-head': [] as number[] }
			options.log(`P3: single transactions at ${connections} connections, both forms`)
			for (let round = 0; round < rounds; round++) {
				for (const form of ['append', 'locked-head'] as const) {
					const run = await database.run(form, 1, connections, atLeast(10, FACTS[connections] * options.effort))
					times[form].push(...run.flatMap(({ each }) => each))
					rates[form].push(rateOf(run))
				}
			}
			const name = `single transactions, ${connections} connections`
			figures.push(connections === 32 ? below(`${name}: sequencer`, 'ms', times.append, MOST_MS) : alone(`${name}: sequencer`, 'ms', times.append))
			figures.push(alone(`${name}: locked head`, 'ms', times['locked-head']))
			figures.push(alone(`${name}: sequencer`, '/s', rates.append), alone(`${name}: locked head`, '/s', rates['locked-head']))
		}
		return {
			id: 'P3',
			name: 'ingestion',
			what: 'events of controllers made durable (checked, deduplicated, state of doors, position, tree), and facts in single transactions',
			floor: `the same client inserts the same bytes with the same key and indexes, ${BATCH} in a statement, and nothing else; as many processes and connections`,
			conditions: [
				'embedded PostgreSQL with fsync on, on the same disk and cores as the processes; rounds of ours and of the floor take turns; a rate is events over the time until the last one has its position',
				'one tenant, one log; all processes try to be the sequencer, one is; the locked head is the form that was not chosen: position, tree and notification in each transaction',
				'a note, not measured here: the peer of performance.md (CitrineOS, OCPP) makes 32–43 events a second durable',
			],
			figures,
		}
	} finally {
		await database.close()
	}
}

const atLeast = (least: number, value: number): number => Math.max(least, Math.round(value))

function rateOf(run: readonly IngestTimes[]): number {
	const events = run.reduce((sum, one) => sum + one.events, 0)
	return (1000 * events) / (Math.max(...run.map(({ to }) => to)) - Math.min(...run.map(({ from }) => from)))
}

interface Database {
	/** One round: fresh controllers, processes that go at the same moment. `to` of the sequenced forms is when the last event had its position. */
	run(form: LedgerForm, processes: number, connections: number, each: number): Promise<IngestTimes[]>
	close(): Promise<void>
}

async function openDatabase({ folder, log }: BenchOptions): Promise<Database> {
	const embedded = await startEmbedded({ directory: join(folder, 'postgres'), clock: systemClock, random, log: () => {} })
	const { url } = embedded
	const tenant = newId('tenant', Date.now(), random)
	await migrate({ url, now: Date.now(), log, migrations: [...readMigrations(), benchTables(tenant)] })
	const store = openStore({ url, pool: 2 })
	let seed = 0
	return {
		async run(form, processes, connections, each) {
			const jobs: IngestJob[] = []
			for (let p = 0; p < processes; p++) {
				const isBatch = form === 'ingest' || form === 'insert'
				const banks = isBatch ? await makeBanks(store, tenant, connections) : []
				jobs.push({ url, form, tenant, connections, each, warmUp: WARM_UP, seed: ++seed, sequences: form === 'ingest' || form === 'append', banks })
			}
			return measured(jobs, store, tenant)
		},
		async close() {
			await store.close()
			await embedded.stop()
		},
	}
}

/** Beside the product's tables: those of the floor and of the form that was not chosen, made like them. */
function benchTables(tenant: Id<'tenant'>): Migration {
	const text = `
		CREATE TABLE event_floor (LIKE event INCLUDING ALL);
		CREATE TABLE event_locked (LIKE event INCLUDING ALL);
		CREATE TABLE tile_locked (LIKE ledger_tile INCLUDING ALL);
		CREATE TABLE head_locked (tenant_id text PRIMARY KEY, size bigint NOT NULL, root bytea, edge jsonb NOT NULL);
		INSERT INTO head_locked VALUES ('${tenant}', 0, NULL, '{"tiles": []}');
		GRANT ALL ON event_floor, event_locked, tile_locked, head_locked TO latchwork_app, latchwork_system`
	return { name: '9000-bench.sql', sql: text, sha256: toHex(nodeCrypto.sha256(Buffer.from(text))) }
}

async function makeBanks(store: Store, tenant: Id<'tenant'>, count: number): Promise<IngestJob['banks']> {
	const change = { actor: 'server', now: Date.now(), random } as const
	return store.write(tenant, async (tx) => {
		const { id: site } = await createSite(tx, change, { name: 'Bench', timeZone: 'UTC', address: '', calendar: ALWAYS_OPEN })
		const banks: IngestJob['banks'][number][] = []
		for (let i = 0; i < count; i++) {
			const { id: bank } = await createBank(tx, change, { site, name: `Bank ${i}`, helpPhone: '0', layout: exampleLayout })
			const compartments = (await compartmentsOf(tx, bank)).map(({ id }) => id)
			banks.push({ bank, site, compartments, controller: newId('controller', change.now, random) })
		}
		return banks
	})
}

/** Processes of their own, made ready, let go together, ended when the last event has its position. */
async function measured(jobs: readonly IngestJob[], store: Store, tenant: Id<'tenant'>): Promise<IngestTimes[]> {
	const program = fileURLToPath(new URL('./ingest-process.ts', import.meta.url))
	const started = await Promise.all(
		jobs.map(async (job) => {
			const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', program], { stdio: ['pipe', 'pipe', 'inherit'] })
			const ended = once(child, 'exit')
			const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
			const line = async () => {
				const { value } = await lines.next()
				if (typeof value !== 'string') throw new Fault('transport-closed', 'A process under measurement ended too early.')
				return value
			}
			child.stdin.write(`${JSON.stringify(job)}\n`)
			await line()
			return { child, ended, line }
		}),
	)
	for (const { child } of started) child.stdin.write('go\n')
	const times = await Promise.all(started.map(async ({ line }) => JSON.parse(await line()) as IngestTimes))
	const to = jobs.some(({ sequences }) => sequences) ? await allPlaced(store, tenant) : 0
	for (const { child, ended } of started) {
		child.stdin.write('end\n')
		await ended
	}
	return times.map((one) => ({ ...one, to: Math.max(to, one.to) }))
}

/** When the log has caught up with all that was recorded. */
async function allPlaced(store: Store, tenant: Id<'tenant'>): Promise<number> {
	while (await store.read(tenant, (db) => db.first(sql`SELECT FROM event_pending LIMIT 1`)))
		await new Promise<void>((resolve) => systemClock.after(2, resolve))
	return Date.now()
}
