import { accessSync, constants, existsSync, readFileSync, statfsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { acceptBundle, type Bundle, checkPinSettings, refusalCode } from '@latchwork/core/access'
import { Fault, fromHex, isFault, percentOf } from '@latchwork/core/base'
import { readConfig } from '@latchwork/edge/config'
import type { Health, Problem } from '@latchwork/edge/health'
import { readFact, readJournal } from '@latchwork/edge/journal'
import { nodeCrypto } from '@latchwork/edge/keys'
import { dataDirectory, readArgs } from '../config.ts'

type Finding = { readonly ok: boolean; readonly what: string; readonly remedy?: string }

/** `latchwork doctor [--data DIR]`: each thing that Latchwork needs here, and what to do where it is missing. Exit 1 if anything is. */
export async function doctor(args: readonly string[]): Promise<void> {
	const { values } = readArgs(args, { data: { type: 'string' } })
	const data = values.data === undefined ? dataDirectory(process.env) : String(values.data)
	const findings = [
		node(),
		space(data),
		writable(data),
		...(existsSync(join(data, 'edge.json')) ? [configuration(data), ...bundle(data), journal(data), await controller(data)] : []),
	]
	for (const { ok, what, remedy } of findings) process.stdout.write(`${ok ? 'ok  ' : 'BAD '} ${what}${remedy ? `\n     ${remedy}` : ''}\n`)
	if (!existsSync(join(data, 'edge.json'))) process.stdout.write(`     Nothing is set up in ${data} yet. \`latchwork dev\` sets up a demo there.\n`)
	if (findings.some((f) => !f.ok)) process.exitCode = 1
}

function node(): Finding {
	const ok = Number(process.versions.node.split('.')[0]) >= 24
	return { ok, what: `Node ${process.versions.node}`, ...(!ok && { remedy: 'Run `npm ci` in the repository; it brings Node 24 along.' }) }
}

function existing(path: string): string {
	return existsSync(path) ? path : existing(dirname(path))
}

function space(data: string): Finding {
	const { bavail, blocks, bsize } = statfsSync(existing(data))
	const free = bavail * bsize
	const ok = free > 200e6 && bavail / blocks > 0.05
	return {
		ok,
		what: `${Math.round(free / 1e6)} MB free on the disk of ${data}`,
		...(!ok && { remedy: 'Free some space: below 5 % the controller lends and takes nothing new.' }),
	}
}

function writable(data: string): Finding {
	try {
		accessSync(existing(data), constants.W_OK)
		return { ok: true, what: `${data} can be written` }
	} catch {
		return { ok: false, what: `${data} cannot be written`, remedy: 'Choose another directory with LATCHWORK_DATA, or change its owner.' }
	}
}

function configuration(data: string): Finding {
	try {
		const c = readConfig(join(data, 'edge.json'))
		return { ok: true, what: `edge.json: ${c.compartments.length} compartments on ${c.buses.length} bus(es), ${c.readers.length} reader(s)` }
	} catch (fault) {
		return { ok: false, what: 'edge.json', remedy: isFault(fault) ? fault.message : String(fault) }
	}
}

function bundle(data: string): Finding[] {
	try {
		const c = readConfig(join(data, 'edge.json'))
		const keys = new Map(c.makers.map((m) => [m.keyId, fromHex(m.publicKey)]))
		const last = readFact<{ version: number; digest: string }>(data, 'authority', 'accepted')
		const now = Date.now()
		const answer = acceptBundle(c.bundle === undefined ? readFact<string>(data, 'authority', 'bundle') : readFileSync(c.bundle, 'utf8'), {
			keys,
			crypto: nodeCrypto,
			bank: c.bank,
			now,
			...(last && { last }),
		})
		if (!answer.ok) throw new Fault(refusalCode(answer.code), answer.text)
		return [
			...wiringFits(c.compartments, answer.bundle.bank.compartments),
			pinGuessing(answer.bundle),
			...(answer.expired ? [expired(answer.bundle, now)] : []),
		]
	} catch (fault) {
		if (isFault(fault, 'bundle-invalid') || isFault(fault, 'bundle-rollback')) return [refusedBundle(fault)]
		const remedy = isFault(fault) ? fault.message : 'There is none yet where edge.json says. Without one no door opens.'
		return [{ ok: false, what: 'bundle', remedy }]
	}
}

/** Doors that are wired here and are none of this bank, and doors of the bank that are wired nowhere: a slip while the wiring was written. */
export function wiringFits(wired: readonly { readonly id: string }[], bank: readonly { readonly id: string; readonly number: number }[]): Finding[] {
	const strange = wired.filter(({ id }) => !bank.some((one) => one.id === id)).map(({ id }) => id)
	const missing = bank.filter(({ id }) => !wired.some((one) => one.id === id)).map(({ number }) => number)
	return [
		...(strange.length > 0
			? [
					{
						ok: false,
						what: `edge.json: ${strange.length} compartments are of no door of this bank`,
						remedy: `Correct their ids: ${strange.slice(0, 5).join(', ')}`,
					},
				]
			: []),
		...(missing.length > 0
			? [
					{
						ok: false,
						what: `edge.json: ${missing.length} doors of this bank are wired nowhere`,
						remedy: `Wire them, or take them out of the bank: door ${missing.slice(0, 12).join(', ')}`,
					},
				]
			: []),
	]
}

/** With its code, which the table of errors explains. */
export const refusedBundle = ({ code, message }: Pick<Fault, 'code' | 'message'>): Finding => ({
	ok: false,
	what: `refused: ${code}`,
	remedy: `${message} The controller goes on with the last one it accepted.`,
})

/** The time is the first suspect: with the clock set right an expired bundle may turn out to be good. */
const expired = ({ version, expiresAt }: Pick<Bundle, 'version' | 'expiresAt'>, now: number): Finding => ({
	ok: false,
	what: `bundle ${version} expired at ${iso(expiresAt)}; this machine's clock says ${iso(now)}`,
	remedy: 'If the clock is wrong, set it: nothing else is needed then. If it is right, let a new bundle arrive.',
})

const iso = (at: number) => new Date(at).toISOString().slice(0, 16)

/**
 * How likely somebody who types every day finds a PIN or a pick-up code: at most 1 % a year at one kiosk, and both count (trust.md §3.4). A bundle
 * holds no PIN and so no PIN's length: the figure is of the length that new ones get, and says so.
 */
export function pinGuessing(bundle: Pick<Bundle, 'version' | 'credentials' | 'codes' | 'revoked' | 'settings'>): Finding {
	const { version, credentials, revoked, settings } = bundle
	const gone = new Set<string>(revoked.ids)
	const pins = credentials.filter((c) => c.kind === 'pin' && !gone.has(c.id)).length
	const codes = (bundle.codes ?? []).filter((c) => !gone.has(c.id)).length
	// Where codes are longer, whoever guesses types PINs.
	const { digits, hint } = settings.pickUpCode ?? { digits: 8, hint: 0 }
	const alike = digits + hint <= settings.pinLength ? codes : 0
	const answer = checkPinSettings(pins + alike, settings.pinLength, settings.wrongPinsPerDay)
	const what = `bundle ${version}: ${pins} PINs${alike ? ` and ${alike} pick-up codes` : ''}, ${settings.wrongPinsPerDay} wrong tries a day: a guesser finds one within a year with ${percentOf(answer.chance)}, if all have the ${settings.pinLength} digits that new PINs get; one from before a longer setting is as short as it was until it is renewed`
	return { ok: answer.ok, what, ...(!answer.ok && { remedy: answer.text }) }
}

function journal(data: string): Finding {
	try {
		const streams = readJournal(data)
		const empty = streams.filter((s) => s.lines.length === 0)
		return {
			ok: streams.length > 0 && empty.length === 0,
			what: `journal: ${streams.map((s) => `${s.lines.length} events`).join(', ') || 'no stream'}${streams.length > 1 ? ' (history was lost before; see the first event of the newest stream)' : ''}`,
			...((empty.length || !streams.length) && {
				remedy: 'Events are gone. `latchwork ledger verify` names them; keep the directory for those who look into it.',
			}),
		}
	} catch (fault) {
		return { ok: isFault(fault, 'not-found'), what: 'journal', remedy: fault instanceof Error ? fault.message : String(fault) }
	}
}

async function controller(data: string): Promise<Finding> {
	try {
		const { port } = readConfig(join(data, 'edge.json'))
		const health = (await (await fetch(`http://127.0.0.1:${port}/health`)).json()) as Health
		const bad = remediesFor(health)
		return {
			ok: health.ok,
			what: `controller on port ${port}: ${health.boards.length} lock boards, ${health.readers.length} readers and scanners asked`,
			...(bad.length && { remedy: bad.join('\n     ') }),
		}
	} catch {
		return { ok: true, what: 'controller: not running' }
	}
}

/** A line for each thing that is wrong, with what to do about it. */
export function remediesFor(health: Health): string[] {
	return health.problems.flatMap((problem) => REMEDIES[problem](health))
}

const doors = ({ doors: all }: Health, which: (door: Health['doors'][number]) => boolean) => all.filter(which)
const DAY_MS = 86_400_000

const REMEDIES: Readonly<Record<Problem, (health: Health) => readonly string[]>> = {
	'door-forced': (h) => doors(h, (d) => d.why === 'forced').map((d) => `door ${d.door} was opened by force: look who was there`),
	'door-left-open': (h) => doors(h, (d) => d.session === 'opened').map((d) => `door ${d.door} has stood open for long: go there and push it shut`),
	'door-open': (h) => doors(h, (d) => d.sensor === 'open' && !d.session).map((d) => `door ${d.door} stands open and nobody is at it: push it shut`),
	'door-held': (h) =>
		doors(h, (d) => d.hold !== undefined).map(
			(d) => `door ${d.door} is ${d.hold} (${d.why}): look inside, then \`latchwork edge settle ${d.door} nothing\` or the tag of what is in it`,
		),
	'board-lost': (h) =>
		h.boards.filter((b) => !b.up).map((b) => `lock board ${b.board} on ${b.bus} does not answer: check its power and the A/B wires`),
	'reader-lost': (h) => h.readers.filter((r) => !r.online).map((r) => `the ${r.family} reader does not answer: check its cable, address and key`),
	'history-lost': () => ['records were lost: look behind each door that is named here and settle it, then `latchwork edge settle --history`'],
	'stream-refused': (h) =>
		(h.link?.refused ?? []).map(
			({ stream, seq, code }) =>
				`the server does not take the events of ${stream} from ${seq} on (${code}): keep the data directory, and look into the console`,
		),
	'claim-needed': () => [
		'the server lets this controller in no more, as its certificate ran out too long ago: make a claim code in the console and type it at the kiosk (Help)',
	],
	'link-lost': (h) => [
		`the server does not answer${h.link?.why ? ` (${h.link.why})` : ''}: look whether the network lets the controller reach ${h.link?.server}; it works alone meanwhile`,
	],
	'records-wait': (h) => [`${h.waiting.count} facts of doors wait to be recorded: free some space, or end the program that holds the journal`],
	'storage-low': () => ['the disk is nearly full: free some space'],
	'clock-uncertain': () => ['the clock cannot be trusted: set it, or let a signed time arrive'],
	'bundle-missing': () => ['no bundle (bundle-missing): no door opens until one arrives'],
	'bundle-expired': (h) => [`no valid bundle (bundle-expired): only returns work until a new one arrives${clockAhead(h)}`],
	'lease-expired': (h) => [`no valid lease (lease-expired): only returns work until a new one arrives${clockAhead(h)}`],
	'bundle-refused': refusedLine,
	'lease-refused': refusedLine,
}

function refusedLine({ refused, bundle: inForce }: Health): string[] {
	return refused ? [`${refused.what} refused (${refused.code}, ${refused.why}): ${refused.text} Bundle ${inForce} stays in force`] : []
}

/** A clock that ran ahead looks like a bundle that ran out. */
function clockAhead({ clock }: Health): string {
	const days = Math.floor((clock.now - clock.proven) / DAY_MS)
	return days < 1 ? '' : `; or the clock is wrong: it is ${days} days ahead of all that was signed. Set it, and nothing else is needed`
}
