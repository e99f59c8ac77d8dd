import { Fault, fromHex, type Id, isFault, type Random } from '@latchwork/core/base'
import type { ServerDraft, StreamEvent } from '@latchwork/core/ledger'
import { asFault, sql, type Tx } from '../store/index.ts'
import { type Admission, admit, type Examined, freshStream, type Sender, type StreamAnswer, type StreamState, unvouched } from './admission.ts'
import { append } from './append-write.ts'
import { type Entry, insertPending } from './pending-write.ts'

/** What an applier is told besides the events. */
export interface Applied {
	readonly sender: Sender
	readonly bank: Id<'bank'>
	readonly site: Id<'site'>
	/** When the server took them. */
	readonly now: number
}
/**
 * Changes another domain's state by what a controller has recorded, in the transaction that records it: new events of one bank, in the order
 * of their stream, each once. Throws: nothing of the transaction stays, and the events are offered once more one by one.
 */
export type Applier = (tx: Tx, events: readonly StreamEvent[], about: Applied) => Promise<unknown>

export interface IngestTerms {
	readonly now: number
	readonly random: Random
	readonly appliers: readonly Applier[]
	/** An applier threw at this event: the fact stands, and somebody must settle what follows from it. */
	readonly unapplied?: (tx: Tx, event: StreamEvent, about: Applied, cause: unknown) => Promise<void>
	/** Something went wrong without: an event that cannot be applied must not take the others with it. */
	readonly careful: boolean
}

export const GAP_ALARM_MS = 300_000

/**
 * Messages of one tenant in one transaction: lock their streams, tell new from known, record, apply. Answers in the order of the messages.
 */
export async function ingestGroup(tx: Tx, tenant: Id<'tenant'>, group: readonly Examined[], terms: IngestTerms): Promise<StreamAnswer[]> {
	const rows = await lockStreams(tx, tenant, group, terms.now)
	const seen = new Map<string, Map<number, string>>()
	const answers: StreamAnswer[] = []
	const entries: Entry[] = []
	const facts: ServerDraft[] = []
	const accepted: Accepted[] = []
	for (const examined of group) {
		const { stream } = examined.batch
		const row = rows.get(stream)
		if (!row) {
			answers.push({ stream, seq: 0, ...(examined.refused && { refused: examined.refused }) })
			continue
		}
		const earlier = seen.get(stream) ?? new Map<number, string>()
		const range = unvouched(row.state, examined)
		const recorded = range ? new Map([...(await recordedHashes(tx, tenant, stream, range)), ...earlier]) : earlier
		const admission = admit(row.state, examined, recorded)
		for (const { event, hash } of admission.fresh) earlier.set(event.seq, hash)
		seen.set(stream, earlier)
		facts.push(...note(row, admission, examined, terms.now))
		entries.push(...admission.fresh.map(({ event, bytes }) => entryOf(event, bytes, examined.sender)))
		accepted.push(...admission.fresh.map(({ event }) => ({ sender: examined.sender, event })))
		answers.push(admission.answer)
	}
	await insertPending(tx, tenant, entries, terms.now)
	await append(tx, facts, { ...terms, tenant })
	await saveStreams(
		tx,
		tenant,
		[...rows.values()].filter(({ changed }) => changed),
	)
	await apply(tx, accepted, terms)
	return answers
}

interface StreamRow {
	readonly stream: string
	state: StreamState
	changed: boolean
	receivedAt: number
	signedHead: string | null
	gapSince: number | null
	gapTo: number | null
	alarm: 'gap' | 'equivocation' | null
	alarmAt: number | null
}

/** Writes into the row what the message means for it; answers the facts that follow. */
function note(
	row: StreamRow,
	{ state, fresh, head, gapTo, equivocation }: Admission,
	{ sender, batch, events }: Examined,
	now: number,
): ServerDraft[] {
	const bank = events[0]?.event.bank
	const fact = (type: ServerDraft['type'], data: ServerDraft['data']): ServerDraft => ({
		type,
		subject: batch.stream,
		actor: 'server',
		...(bank && { bank, site: siteOf(sender, bank) }),
		data: { controller: sender.controller, ...data },
	})
	const facts: ServerDraft[] = []
	if (fresh.length > 0 || head) Object.assign(row, { state, changed: true, receivedAt: now, ...(head && { signedHead: JSON.stringify(head) }) })
	if (gapTo !== undefined) {
		Object.assign(row, { changed: true, gapSince: row.gapSince ?? now, gapTo: Math.max(gapTo, row.gapTo ?? 0) })
		if (now - (row.gapSince ?? now) >= GAP_ALARM_MS && row.alarm === null) {
			Object.assign(row, { alarm: 'gap', alarmAt: now })
			facts.push(fact('stream.gap', { from: state.nextSeq, to: row.gapTo ?? gapTo }))
		}
	} else if (row.gapTo !== null && state.nextSeq > row.gapTo) {
		if (row.alarm === 'gap') facts.push(fact('stream.gap-closed', { to: row.gapTo }))
		Object.assign(row, { changed: true, gapSince: null, gapTo: null, ...(row.alarm === 'gap' && { alarm: null, alarmAt: null }) })
	}
	// Once: whoever repeats a lie does not fill the log with it.
	if (equivocation && row.alarm !== 'equivocation') {
		Object.assign(row, { changed: true, alarm: 'equivocation', alarmAt: now })
		facts.push(fact('stream.equivocation', { ...equivocation }))
	}
	return facts
}

function siteOf(sender: Sender, bank: Id<'bank'>): Id<'site'> {
	const site = sender.banks.get(bank)
	if (!site) throw new Fault('message-invalid', `${sender.controller} has no authority over ${bank}.`)
	return site
}

const entryOf = (event: StreamEvent, bytes: Uint8Array, sender: Sender): Entry => {
	const { type, subject, actor, bank, stream, seq, at } = event
	return { bytes, type, subject, actor, bank, site: siteOf(sender, bank), stream, seq, at }
}

async function lockStreams(tx: Tx, tenant: string, group: readonly Examined[], now: number): Promise<Map<string, StreamRow>> {
	// In one order, so that two processes with the same streams wait for each other and do not deadlock.
	const wanted = [...new Map(group.map((one) => [one.batch.stream, one])).values()].sort((a, b) => (a.batch.stream < b.batch.stream ? -1 : 1))
	const rows = await selectStreams(tx, tenant, wanted)
	// A stream begins with an event that may be one: nobody takes a name by sending rubbish under it.
	const unknown = group.filter(({ batch, events }, i) => !rows.has(batch.stream) && events.length > 0 && isFirst(group, i))
	if (unknown.length === 0) return rows
	const { nextSeq, headHash } = freshStream('')
	await tx.run(sql`
		INSERT INTO stream (tenant_id, stream, controller, bank, site, next_seq, head_hash, started_at, received_at)
		SELECT ${tenant}, n.stream, n.controller, n.bank, n.site, ${nextSeq}::bigint, ${Buffer.from(fromHex(headHash))}::bytea, ${now}::bigint, ${now}::bigint
		FROM unnest(${unknown.map(({ batch }) => batch.stream)}::text[], ${unknown.map(({ sender }) => sender.controller)}::text[],
			${unknown.map(({ events }) => events[0]?.event.bank)}::text[], ${unknown.map(({ sender, events }) => events[0] && siteOf(sender, events[0].event.bank))}::text[])
			AS n (stream, controller, bank, site)
		ON CONFLICT DO NOTHING`)
	return selectStreams(tx, tenant, wanted)
}

/** Of those messages of its stream that hold an event. */
const isFirst = (group: readonly Examined[], index: number): boolean =>
	group.findIndex(({ batch, events }) => batch.stream === group[index]?.batch.stream && events.length > 0) === index

async function selectStreams(tx: Tx, tenant: string, wanted: readonly Examined[]): Promise<Map<string, StreamRow>> {
	if (wanted.length === 0) return new Map()
	const rows = await tx.rows<Omit<StreamRow, 'state' | 'changed'> & { controller: string; nextSeq: number; headHash: string }>(sql`
		SELECT stream, controller, next_seq AS "nextSeq", encode(head_hash, 'hex') AS "headHash", received_at AS "receivedAt", signed_head::text AS "signedHead",
			gap_since AS "gapSince", gap_to AS "gapTo", alarm, alarm_at AS "alarmAt"
		FROM stream WHERE tenant_id = ${tenant} AND stream = ANY (${wanted.map(({ batch }) => batch.stream)}::text[]) ORDER BY stream FOR UPDATE`)
	return new Map(
		rows.map(({ controller, nextSeq, headHash, ...row }) => [row.stream, { ...row, state: { controller, nextSeq, headHash }, changed: false }]),
	)
}

async function saveStreams(tx: Tx, tenant: string, rows: readonly StreamRow[]): Promise<void> {
	if (rows.length === 0) return
	const column = (value: (row: StreamRow) => unknown) => rows.map(value)
	await tx.run(sql`
		UPDATE stream s SET next_seq = n.next_seq, head_hash = decode(n.head_hash, 'hex'), signed_head = n.signed_head::jsonb, received_at = n.received_at,
			gap_since = n.gap_since, gap_to = n.gap_to, alarm = n.alarm, alarm_at = n.alarm_at
		FROM unnest(${column((row) => row.stream)}::text[], ${column((row) => row.state.nextSeq)}::bigint[], ${column((row) => row.state.headHash)}::text[],
			${column((row) => row.signedHead)}::text[], ${column((row) => Math.floor(row.receivedAt))}::bigint[],
			${column((row) => row.gapSince && Math.floor(row.gapSince))}::bigint[], ${column((row) => row.gapTo)}::bigint[],
			${column((row) => row.alarm)}::text[], ${column((row) => row.alarmAt && Math.floor(row.alarmAt))}::bigint[])
			AS n (stream, next_seq, head_hash, signed_head, received_at, gap_since, gap_to, alarm, alarm_at)
		WHERE s.tenant_id = ${tenant} AND s.stream = n.stream`)
}

async function recordedHashes(tx: Tx, tenant: string, stream: string, { from, to }: { from: number; to: number }): Promise<Map<number, string>> {
	const rows = await tx.rows<{ seq: number; hash: string }>(sql`
		SELECT seq, encode(sha256(bytes), 'hex') AS hash FROM event WHERE tenant_id = ${tenant} AND stream = ${stream} AND seq BETWEEN ${from} AND ${to}
		UNION ALL
		SELECT seq, encode(sha256(bytes), 'hex') FROM event_pending WHERE tenant_id = ${tenant} AND stream = ${stream} AND seq BETWEEN ${from} AND ${to}`)
	return new Map(rows.map(({ seq, hash }) => [seq, hash]))
}

/** All at once, since that nearly always works; carefully one by one, so that only the event that cannot be applied stays without effect. */
async function apply(tx: Tx, accepted: readonly Accepted[], terms: IngestTerms): Promise<void> {
	const runs = runsOf(accepted, terms.now)
	if (!terms.careful) {
		for (const run of runs) await applyRun(tx, run, terms.appliers)
		return
	}
	for (const { events, about } of runs) {
		for (const event of events) {
			const tried = await attempt(tx, () => applyRun(tx, { events: [event], about }, terms.appliers))
			if (!tried.ok) await recordUnapplied(tx, event, about, tried.cause, terms)
		}
	}
}

interface Accepted {
	readonly sender: Sender
	readonly event: StreamEvent
}
interface Run {
	readonly events: StreamEvent[]
	readonly about: Applied
}

/** Neighbours of one stream and bank go together. */
function runsOf(accepted: readonly Accepted[], now: number): Run[] {
	const runs: Run[] = []
	for (const { sender, event } of accepted) {
		const last = runs.at(-1)
		if (last?.events[0]?.stream === event.stream && last.about.bank === event.bank) last.events.push(event)
		else runs.push({ events: [event], about: { sender, bank: event.bank, site: siteOf(sender, event.bank), now } })
	}
	return runs
}

async function applyRun(tx: Tx, { events, about }: Run, appliers: readonly Applier[]): Promise<void> {
	for (const applier of appliers) await applier(tx, events, about)
}

type Attempt = { readonly ok: true } | { readonly ok: false; readonly cause: unknown }

async function attempt(tx: Tx, work: () => Promise<void>): Promise<Attempt> {
	await tx.run(sql`SAVEPOINT attempt`)
	try {
		await work()
		await tx.run(sql`RELEASE SAVEPOINT attempt`)
		return { ok: true }
	} catch (cause) {
		// The database itself had trouble, not the event: everything is undone, and the controller sends it again.
		const fault = asFault(cause)
		if (isFault(fault, 'database-unavailable') || isFault(fault, 'database-busy') || isFault(fault, 'database-full')) throw cause
		await tx.run(sql`ROLLBACK TO SAVEPOINT attempt`)
		await tx.run(sql`RELEASE SAVEPOINT attempt`)
		return { ok: false, cause }
	}
}

async function recordUnapplied(tx: Tx, event: StreamEvent, about: Applied, cause: unknown, terms: IngestTerms): Promise<void> {
	const { sender, site } = about
	const { stream, seq, type, subject, bank } = event
	const code = isFault(cause) ? cause.code : 'unexpected'
	const fact = { type: 'stream.event-unapplied', subject, actor: 'server', bank, site, cause: `${stream}/${seq}`, data: { type, code } } as const
	await append(tx, [fact], { ...terms, tenant: sender.tenant })
	const { unapplied } = terms
	// Whoever is to settle it may stumble over it, too: the fact above stands in any case.
	if (unapplied) await attempt(tx, () => unapplied(tx, event, about, cause))
}
