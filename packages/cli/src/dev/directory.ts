import { generateKeyPairSync, randomBytes } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '@latchwork/core/base'
import { clockAhead } from '@latchwork/edge/clock-file'
import { writeText } from '@latchwork/edge/durable'
import { isLocked, lockDirectory, refuseNewer } from '@latchwork/edge/journal'
import type { DevConfig } from '../config.ts'
import { readDemo } from './demo.ts'
import { readEstate } from './estate-file.ts'

/** The data directory of `latchwork dev`: whose it is, whether a start may use it, and what `--fresh` takes away. */
export const filesOf = (data: string) => ({
	demo: join(data, 'demo.json'),
	/** Of an estate with a server. */
	estate: join(data, 'estate.json'),
	server: join(data, 'server'),
	masterKey: join(data, 'server', 'master.key'),
	makerKey: join(data, 'maker.pem'),
	edge: join(data, 'edge.json'),
	virtualPlan: join(data, 'virtual.json'),
	bundle: join(data, 'bundle.json'),
	lease: join(data, 'lease.json'),
	siteKey: join(data, 'site.key'),
	deviceKey: join(data, 'device.pem'),
	readerKey: join(data, 'reader.key'),
	clock: join(data, 'clock'),
	keep: join(data, 'metal'),
	journal: join(data, 'edge.db'),
	/** Shared by all data directories of this checkout; Node does without where it cannot write. */
	cache: fileURLToPath(new URL('../../../../node_modules/.cache/latchwork', import.meta.url)),
})
export type Files = ReturnType<typeof filesOf>

/** Our own lock stays: whoever removed it would let a second process in. */
const LOCK = /^dev\.lock(-journal)?$/
/** What a start leaves that ended before it had made anything. */
const BEGINNING = /^(demo|estate)\.json\.new$/
/** All that a start and its controller write into the directory; nothing else is ever removed. */
const MADE =
	/^((demo|estate|edge|wiring|virtual|bundle|lease|metal-[\w-]+)\.json|(maker|device|link)\.pem|(link|server-ca)\.crt|(site|reader)\.key|operator\.token)(\.new)?$|^edge\.(db(-wal|-shm|-journal)?|mark|lock(-journal)?)$|^reserve\.bin$/
/** Whole folders of ours: the server's, and those of further banks. */
const MADE_FOLDER = /^(server|bank-\d+)$/
const MADE_CLOCK = /^(clock\.json|seen-[\w-]+)(\.\d+\.new)?$/

/** Looks without writing: what stands in the way of this start. Throws `Fault` config-invalid, data-in-use, data-newer. */
export function checkDirectory({ data, fresh, demo, virtualClock, alone }: DevConfig): void {
	if (!existsSync(data)) return
	if (!statSync(data).isDirectory()) throw new Fault('config-invalid', `${data} is a file. Choose a directory with LATCHWORK_DATA.`)
	if (isLocked(data, 'dev'))
		throw new Fault('data-in-use', `Another Latchwork uses ${data}. Stop it, or choose another directory with LATCHWORK_DATA.`)
	const files = filesOf(data)
	if (!existsSync(files.demo) && !existsSync(files.estate)) return refuseForeign(data, fresh)
	if (fresh) return refuseUnlocked(data)
	refuseOtherKind(data, existsSync(files.demo), alone)
	refuseNewer(data)
	refuseOtherPeople(data, alone ? readDemo(files.demo).people.length > 0 : readEstate(files.estate).demo, demo)
	refuseLostKeys(files, alone)
	if (!virtualClock) refuseMovedClock(files)
}

/** A folder with somebody's files in it never becomes ours, so that `--fresh` can never remove them. */
function refuseForeign(data: string, fresh: boolean): void {
	const theirs = readdirSync(data).filter((name) => !LOCK.test(name) && !BEGINNING.test(name))
	if (theirs.length === 0) return
	throw new Fault(
		'config-invalid',
		fresh
			? `--fresh would empty ${data}, but Latchwork did not make it. Remove it by hand, or choose another directory.`
			: `${data} holds files that Latchwork did not make (${named(theirs)}). Choose an empty directory with LATCHWORK_DATA.`,
	)
}

/** Each start takes the lock before it makes anything: a `demo.json` without it is somebody else's. */
function refuseUnlocked(data: string): void {
	if (existsSync(join(data, 'dev.lock'))) return
	throw new Fault(
		'config-invalid',
		`--fresh would empty ${data}, but Latchwork did not make it: its dev.lock is missing. Remove it by hand, or choose another directory.`,
	)
}

/** A controller that worked alone has records that no server knows. */
function refuseOtherKind(data: string, wasAlone: boolean, alone: boolean): void {
	if (wasAlone === alone) return
	throw new Fault(
		'config-invalid',
		alone
			? `${data} was made with a server. Start without --alone, begin anew with --alone --fresh, or choose another directory.`
			: `${data} was made with --alone. Start with --alone again, begin anew with --fresh, or choose another directory.`,
	)
}

function refuseOtherPeople(data: string, has: boolean, wanted: boolean): void {
	if (has === wanted) return
	throw new Fault(
		'config-invalid',
		wanted
			? `${data} was made with --no-demo and has no people. Start with --no-demo again, begin anew with --fresh, or choose another directory.`
			: `${data} has the demo's people and laptops already. Start without --no-demo, begin anew with --no-demo --fresh, or choose another directory.`,
	)
}

/** A new key beside an old journal would make its signatures and pseudonyms worthless without a word. */
function refuseLostKeys({ journal, makerKey, masterKey, siteKey, deviceKey }: Files, alone: boolean): void {
	if (!existsSync(journal)) return
	const lost = [alone ? makerKey : masterKey, siteKey, deviceKey].find((file) => !existsSync(file))
	if (lost === undefined) return
	throw new Fault(
		'config-invalid',
		`${lost} is missing, and the journal beside it was written with it. Put it back from a copy, or begin anew with --fresh.`,
	)
}

/** Journal, bundle and lease are of the moved time: under the machine's clock they would all be in the future. */
function refuseMovedClock({ clock }: Files): void {
	const ahead = clockAhead(clock)
	if (ahead < 1_000) return
	throw new Fault(
		'config-invalid',
		`The time of this directory was moved ${spoken(ahead)} ahead of the machine's clock. Start with --virtual-clock to go on in that time, or begin anew with --fresh.`,
	)
}

function spoken(ms: number): string {
	const [size, unit] =
		ms < 120_000 ? [1_000, 'seconds'] : ms < 7_200_000 ? [60_000, 'minutes'] : ms < 172_800_000 ? [3_600_000, 'hours'] : [86_400_000, 'days']
	return `${Math.round(ms / Number(size))} ${unit}`
}

/** Makes the directory ours until `close`; under `--fresh` emptied of what earlier starts made. Throws `Fault` data-in-use. */
export function takeDirectory({ data, fresh }: DevConfig, log: (line: string) => void): { close(): void } {
	mkdirSync(data, { recursive: true, mode: 0o700 })
	const lock = lockWritable(data)
	try {
		if (fresh) removeMade(data, log)
		return lock
	} catch (fault) {
		lock.close()
		throw fault
	}
}

/** SQLite says only that it cannot open a file (14) or write one (8, 10, 13). */
function lockWritable(data: string): { close(): void } {
	try {
		return lockDirectory(data, 'dev')
	} catch (cause) {
		if (![8, 10, 13, 14].includes(Number((cause as { errcode?: number }).errcode) & 0xff)) throw cause
		throw new Fault(
			'config-invalid',
			`${data} cannot be written. Free some space there, or choose a directory that this user owns with LATCHWORK_DATA.`,
			{ cause },
		)
	}
}

function removeMade(data: string, log: (line: string) => void): void {
	// A controller that somebody runs on it by hand has it too.
	lockDirectory(data, 'edge').close()
	const { clock } = filesOf(data)
	removeNamed(data, MADE)
	for (const entry of readdirSync(data, { withFileTypes: true }))
		if (MADE_FOLDER.test(entry.name) && entry.isDirectory()) rmSync(join(data, entry.name), { recursive: true })
	if (existsSync(clock) && statSync(clock).isDirectory()) {
		removeNamed(clock, MADE_CLOCK)
		if (readdirSync(clock).length === 0) rmSync(clock, { recursive: true })
	}
	const left = readdirSync(data).filter((name) => !LOCK.test(name))
	if (left.length > 0) log(`Left in ${data}, as Latchwork did not make it: ${named(left)}.`)
}

function removeNamed(folder: string, names: RegExp): void {
	for (const entry of readdirSync(folder, { withFileTypes: true }))
		if (names.test(entry.name) && !entry.isDirectory()) rmSync(join(folder, entry.name))
}

const named = (names: readonly string[]): string => names.slice(0, 5).join(', ') + (names.length > 5 ? ` and ${names.length - 5} more` : '')

/** Each that is missing is drawn and kept. */
export function makeKeys({ makerKey, siteKey, deviceKey }: Files): void {
	const pair = () => generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
	if (!existsSync(makerKey)) writeText(makerKey, pair())
	if (!existsSync(siteKey)) writeText(siteKey, randomBytes(32).toString('hex'))
	if (!existsSync(deviceKey)) writeText(deviceKey, pair())
}
