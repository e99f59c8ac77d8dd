import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Random } from '@latchwork/core/base'
import pg from 'pg'
import { migrate, openStore, type Store, startEmbedded } from '../store/index.ts'

/** A store on a fresh database with all tables, for one test. */
export interface TestStore {
	readonly store: Store
	/** Of the database's owner; what it does is under no row-level security. */
	readonly url: string
	/** Of the login that the store uses. */
	readonly appUrl: string
	/** Closes the store and drops the database. */
	close(): Promise<void>
}

export interface TestStoreOptions {
	/** Connections; default 2, as in the scenarios: whoever takes a second one inside a transaction hangs here and not at a customer's. */
	readonly pool?: number
}

export interface TestCluster {
	readonly directory: string
	readonly url: string
	readonly appUrl: string
	pid(): number
	/** The URL of a fresh database: of the migrated template, or of nothing. */
	database(template?: 'empty'): Promise<{ url: string; appUrl: string; drop(): Promise<void> }>
	/** The owner asks the cluster itself. */
	asked(statement: string): Promise<Record<string, unknown>[]>
	close(): Promise<void>
}

const TEMPLATE = 'latchwork_template'
/** 2026-01-05T09:00Z, when the tests' clocks start. */
const APPLIED_AT = Date.UTC(2026, 0, 5, 9)
const random: Random = (n) => new Uint8Array(randomBytes(n))
/** Of this machine: tests that run a real PostgreSQL wait for real. */
export const realClock = {
	mono: () => performance.now(),
	after(ms: number, run: () => void) {
		const timer = setTimeout(run, ms)
		return () => clearTimeout(timer)
	},
}

let cluster: Promise<TestCluster> | undefined
let made = 0

export async function testStore({ pool = 2 }: TestStoreOptions = {}): Promise<TestStore> {
	const { url, appUrl, drop } = await (await testCluster()).database()
	const store = openStore({ url, appUrl, pool })
	return {
		store,
		url,
		appUrl,
		async close() {
			await store.close()
			await drop()
		},
	}
}

/** The PostgreSQL of this test process: started by the first who asks, gone with the process, however that ends. */
export function testCluster(): Promise<TestCluster> {
	cluster ??= (async () => {
		const started = await throwawayCluster()
		const template = { url: within(started.url, TEMPLATE), appUrl: within(started.appUrl, TEMPLATE) }
		await asked(started.url, `CREATE DATABASE ${TEMPLATE}`)
		await migrate({ ...template, now: APPLIED_AT })
		return started
	})()
	return cluster
}

/** One more PostgreSQL, for tests of what belongs to a whole cluster: roles, logins, its death. It knows no template, but gives empty databases. */
export async function throwawayCluster(): Promise<TestCluster> {
	const directory = realpathSync(mkdtempSync(join(tmpdir(), 'latchwork-pg-')))
	const sweep = sweeper(directory)
	// Nothing is synced: these databases live for one test, and a power cut takes the test with them.
	const embedded = await startEmbedded({ directory, clock: realClock, random, log: () => {}, throwaway: true })
	const { url, appUrl } = embedded
	const onExit = () => {
		// What is still there when the test process is gone would be called left behind.
		embedded.endNow()
		remove()
	}
	const remove = () => {
		rmSync(directory, { recursive: true, force: true })
		sweep.kill('SIGKILL')
	}
	process.once('exit', onExit)
	return {
		directory,
		url,
		appUrl,
		pid: embedded.pid,
		async database(template) {
			const name = `test_${++made}`
			await asked(url, `CREATE DATABASE ${name} TEMPLATE ${template === 'empty' ? 'template0' : TEMPLATE} STRATEGY FILE_COPY`)
			return { url: within(url, name), appUrl: within(appUrl, name), drop: async () => void (await asked(url, `DROP DATABASE ${name} WITH (FORCE)`)) }
		},
		asked: (statement) => asked(url, statement),
		async close() {
			process.off('exit', onExit)
			await embedded.stop()
			remove()
		},
	}
}

const within = (url: string, database: string): string => url.replace(/\/latchwork\?/, `/${database}?`)

async function asked(url: string, statement: string): Promise<Record<string, unknown>[]> {
	const client = new pg.Client({ connectionString: url })
	await client.connect()
	try {
		return (await client.query(statement)).rows
	} finally {
		await client.end()
	}
}

/** Removes the directory when this process was killed: its standard input closes, the database ends by its own guard, and nobody is in there any more. */
function sweeper(directory: string) {
	const script =
		'cat >/dev/null; while p=$(head -n 1 "$1/data/postmaster.pid" 2>/dev/null) && kill -0 "$p" 2>/dev/null; do sleep 0.1; done; rm -rf "$1"'
	const sweep = spawn('/bin/sh', ['-c', script, 'latchwork-test-sweeper', directory], { detached: true, stdio: ['pipe', 'ignore', 'ignore'] })
	sweep.unref()
	// Without this the pipe alone would keep the test process alive.
	;(sweep.stdin as unknown as { unref(): void }).unref()
	return sweep
}
