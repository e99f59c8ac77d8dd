import { Fault, type Id, isFault, isId } from '@latchwork/core/base'
import pg from 'pg'
import { asFault } from './faults.ts'
import { compiled, type Sql } from './sql.ts'

/** Reads, inside one transaction that sees one tenant (row-level security), or all of them for system work. Times are milliseconds since 1970 in `bigint`. */
export interface Db {
	/** Undefined in system work, which crosses tenants. */
	readonly tenant: Id<'tenant'> | undefined
	rows<R>(statement: Sql<R>): Promise<R[]>
	first<R>(statement: Sql<R>): Promise<R | undefined>
}

declare const writes: unique symbol
/** Whoever holds no `Tx` cannot write. All of it is committed, or nothing. Nobody takes a second connection inside (architecture.md §2.10). */
export interface Tx extends Db {
	readonly [writes]: true
	/** Called once all of it is committed, and never otherwise: to wake somebody who would look by himself a little later. Must not throw. */
	afterwards(run: () => void): void
	/** How many rows it touched. */
	run(statement: Sql<unknown>): Promise<number>
}

export interface Store {
	/** One tenant, read only; sees one moment of the database. */
	read<T>(tenant: Id<'tenant'>, work: (db: Db) => Promise<T>): Promise<T>
	/** One tenant. What `work` throws rolls everything back. */
	write<T>(tenant: Id<'tenant'>, work: (tx: Tx) => Promise<T>): Promise<T>
	/** Across tenants, as role latchwork_system: sequencer, deadlines, cursors, sign-in by token. Each use is listed in `store/system.md`. */
	system<T>(work: (tx: Tx) => Promise<T>): Promise<T>
	/** A connection of its own for LISTEN; `heard` gets each payload, `lost` is called once when the connection breaks. Resolves when it listens. */
	listen(channel: string, heard: (payload: string) => void, lost: (cause: unknown) => void): Promise<{ close(): Promise<void> }>
	/** Did the last write find no room on the disk? */
	isFull(): boolean
	/** A connection of its own that holds an advisory lock as long as it lives: one owner of a job in the whole installation. Undefined: somebody else holds it. */
	hold(lock: number, lost: (cause: unknown) => void): Promise<Held | undefined>
	close(): Promise<void>
}

export interface Held {
	/** Across tenants, as role latchwork_system, in one round trip and outside any transaction: for a look that is taken many times a second. */
	first<R>(statement: Sql<R>): Promise<R | undefined>
	close(): Promise<void>
}

export interface StoreConfig {
	/** Postgres URL of a login that may `SET ROLE` to latchwork_app and latchwork_system; the owner of the tables if `appUrl` is given. */
	readonly url: string
	/** Another login for requests and system work, which is nothing but a member of the two roles; it may lead through a pooler, `url` is for LISTEN and locks. */
	readonly appUrl?: string | undefined
	/** Connections that work at the same time. */
	readonly pool: number
}

// int8 and numeric counts are below 2^53 here; the client's default is text.
pg.types.setTypeParser(pg.types.builtins.INT8, Number)

/** Set by each transaction, so that a pooler between us and the database needs no settings. Temporary tables hide nothing of ours. */
export const SEARCH_PATH = 'latchwork, public, pg_temp'
const ROLE = { app: 'latchwork_app', system: 'latchwork_system' } as const

/** Connects lazily: whoever must know that the database answers asks it something. Throws the faults of `faults.ts`. */
export function openStore(config: StoreConfig): Store {
	const pool = new pg.Pool({
		connectionString: config.appUrl ?? config.url,
		max: config.pool,
		connectionTimeoutMillis: 10_000,
		application_name: 'latchwork',
	})
	// A connection that breaks is replaced by the next use, and its statement rejects; without listeners it would end the process, idle or at work.
	pool.on('error', () => {})
	pool.on('connect', (client) => void client.on('error', () => {}))

	let full = false

	const transaction = async <T>(begin: string, tenant: Id<'tenant'> | undefined, work: (tx: Tx) => Promise<T>): Promise<T> => {
		const client = await asked(pool.connect())
		let broken: unknown
		try {
			await asked(client.query(begin))
			const afterwards: (() => void)[] = []
			const wrote = { any: false }
			const result = await work(transactionOf(client, tenant, afterwards, wrote))
			await commit(client)
			// Whoever only looked has shown nothing.
			if (wrote.any) full = false
			for (const run of afterwards) run()
			return result
		} catch (cause) {
			if (isFault(cause, 'database-full')) full = true
			await client.query('ROLLBACK').catch((failed: unknown) => {
				broken = failed
			})
			throw cause
		} finally {
			client.release(broken !== undefined)
		}
	}

	const own = async (lost: (cause: unknown) => void) => {
		const client = new pg.Client({ connectionString: config.url, application_name: 'latchwork', keepAlive: true })
		let closing = false
		let told = false
		const tell = (cause: unknown) => {
			if (closing || told) return
			told = true
			lost(cause)
		}
		client.on('error', tell)
		client.on('end', () => tell(new Fault('database-unavailable', 'The database closed the connection.')))
		await client.connect().catch((cause: unknown) => {
			told = true
			throw asFault(cause)
		})
		return {
			client,
			close: async () => {
				closing = true
				await client.end().catch(() => {})
			},
		}
	}

	return {
		read: (tenant, work) => transaction(beginFor(tenant, 'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY'), tenant, work),
		write: (tenant, work) => transaction(beginFor(tenant, 'BEGIN'), tenant, work),
		system: (work) => transaction(`BEGIN; ${as('system')}`, undefined, work),
		async listen(channel, heard, lost) {
			const { client, close } = await own(lost)
			client.on('notification', ({ payload }) => heard(payload ?? ''))
			await asked(client.query(`LISTEN ${pg.escapeIdentifier(channel)}`))
			return { close }
		},
		async hold(lock, lost) {
			const { client, close } = await own(lost)
			const { rows } = await asked(client.query<{ held: boolean }>('SELECT pg_try_advisory_lock($1) AS held', [lock]))
			if (!rows[0]?.held) {
				await close()
				return undefined
			}
			await asked(client.query(`SET ROLE ${ROLE.system}; SET search_path = ${SEARCH_PATH}`))
			return {
				close,
				async first<R>(statement: Sql<R>) {
					const { text, values } = compiled(statement)
					return (await asked(client.query({ text, values: [...values] }))).rows[0] as R | undefined
				},
			}
		},
		isFull: () => full,
		close: () => pool.end(),
	}
}

/** Only what the database answers is judged here: a file that the work does not find is not a database that is away. */
const asked = <T>(answer: Promise<T>): Promise<T> =>
	answer.catch((cause: unknown) => {
		throw asFault(cause)
	})

async function commit(client: pg.PoolClient): Promise<void> {
	const { command } = await client.query('COMMIT').catch((cause: unknown) => {
		const fault = asFault(cause)
		if (!isFault(fault, 'database-unavailable')) throw fault
		throw new Fault('database-unavailable', 'The database went away while it was saving: look whether the change is there before you repeat it.', {
			cause,
		})
	})
	// A statement failed, the work went on as if nothing had happened, and PostgreSQL answers COMMIT with ROLLBACK and no error.
	if (command === 'ROLLBACK') throw new Error('A statement of this transaction failed and its error was caught: nothing was saved.')
}

/** Nobody waits longer than a person would, and no forgotten transaction keeps its locks: it ends, and whoever asked may ask again. */
const PATIENCE = { app: { statement: 30_000, lock: 10_000, idle: 60_000 }, system: { statement: 300_000, lock: 30_000, idle: 60_000 } } as const

const as = (role: keyof typeof ROLE): string => {
	const { statement, lock, idle } = PATIENCE[role]
	return `SET LOCAL ROLE ${ROLE[role]}; SET LOCAL search_path = ${SEARCH_PATH}; SET LOCAL statement_timeout = ${statement}; SET LOCAL lock_timeout = ${lock}; SET LOCAL idle_in_transaction_session_timeout = ${idle}`
}

/** One round trip; the id is checked because it is written into the text. */
function beginFor(tenant: Id<'tenant'>, begin: string): string {
	if (!isId('tenant', tenant)) throw new Fault('not-found', 'There is no such tenant.')
	return `${begin}; ${as('app')}; SET LOCAL latchwork.tenant = '${tenant}'`
}

function transactionOf(client: pg.PoolClient, tenant: Id<'tenant'> | undefined, afterwards: (() => void)[], wrote: { any: boolean }): Tx {
	const query = async (statement: Sql<unknown>) => {
		const { text, values } = compiled(statement)
		return asked(client.query({ text, values: [...values] }))
	}
	return {
		tenant,
		rows: async <R>(statement: Sql<R>) => (await query(statement)).rows as R[],
		first: async <R>(statement: Sql<R>) => (await query(statement)).rows[0] as R | undefined,
		async run(statement: Sql<unknown>) {
			const { rowCount } = await query(statement)
			wrote.any ||= (rowCount ?? 0) > 0
			return rowCount ?? 0
		},
		afterwards: (run: () => void) => void afterwards.push(run),
	} as Tx
}
