import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type Id, newId, type Random } from '@latchwork/core/base'
import { type EventDraft, mint, openStream, streamStarted } from '@latchwork/core/ledger'
import { systemClock } from '@latchwork/edge/clock-file'
import { nodeCrypto } from '@latchwork/edge/keys'
import { applyEdgeEvents } from '@latchwork/server/estate'
import { append, openInbox, openSequencer, type ServerDraft } from '@latchwork/server/ledger'
import { openStore, type Store, sql } from '@latchwork/server/store'
import { BATCH, type IngestJob, type IngestTimes } from './ingest-job.ts'
import { lockedHead } from './locked-head.ts'

/** One server process under measurement: reads its job from standard input, says READY, goes at the second line, prints its times. */
const random: Random = (n) => new Uint8Array(randomBytes(n))
const AT = Date.UTC(2026, 0, 5, 9)

/** A loan and its return, as a controller records them. */
function visit(compartment: Id<'compartment'>): EventDraft[] {
	const session = newId('doorSession', AT, random)
	const actor = newId('subject', AT, random)
	const about = (type: EventDraft['type'], subject: string, data: EventDraft['data'] = {}): EventDraft => ({ type, subject, actor, data })
	return [
		about('visit.started', newId('visit', AT, random), { method: 'badge', reader: 'front' }),
		about('decision.allowed', session, { action: 'open', compartment, policy: 'pol_1', rules: ['team-lab'] }),
		about('door-session.releasing', session, { compartment, act: 'collect', pre: 'closed', lease: 7 }),
		about('door-session.opened', session, { compartment, afterMs: 212 }),
		about('door-session.closed', session, { compartment, openMs: 4_210 }),
		about('compartment.emptied', compartment, { session }),
		about('door-session.committed', session, { compartment, evidence: 3, outcome: 'taken' }),
		about('loan.started', newId('case', AT, random), { due: AT + 28_800_000, compartment }),
	]
}

/** A stream of so many events, as texts. */
function streamOf({ bank, compartments, controller }: IngestJob['banks'][number], length: number) {
	let head = openStream(newId('stream', AT, random))
	const texts: string[] = []
	const drafts = [streamStarted(controller)]
	for (let i = 0; texts.length < length; i++) {
		if (drafts.length === 0) drafts.push(...visit(compartments[i % compartments.length] ?? ('cmp_' as Id<'compartment'>)))
		const draft = drafts.shift()
		if (!draft) break
		const minted = mint(head, draft, { bank, at: AT + i * 50, mono: i * 50, clock: 'good', bundle: 7, offline: false, sha256: nodeCrypto.sha256 })
		head = minted.head
		texts.push(new TextDecoder().decode(minted.bytes))
	}
	return { stream: head.stream, texts }
}

type Work = (index: number) => Promise<unknown>

/** What each connection does, ready to go. */
function prepare(job: IngestJob, store: Store, recorded: () => void): Work[] {
	const { form, tenant, connections, each, warmUp } = job
	if (form === 'append' || form === 'locked-head') {
		const locked = lockedHead(tenant)
		const one: Work = async () => {
			const draft: ServerDraft = { type: 'reservation.made', subject: newId('reservation', AT, random), actor: 'server', data: { until: AT } }
			if (form === 'locked-head') return store.write(tenant, (tx) => locked(tx, draft, AT, random))
			await store.write(tenant, (tx) => append(tx, [draft], { now: AT, random }))
			recorded()
		}
		return Array.from({ length: connections }, () => one)
	}
	const inbox = openInbox({
		store,
		clock: systemClock,
		random,
		crypto: nodeCrypto,
		appliers: [(tx, events) => applyEdgeEvents(tx, events)],
		recorded,
	})
	return job.banks.map((bank, at): Work => {
		const { stream, texts } = streamOf(bank, (warmUp + each) * BATCH)
		const sender = { tenant, controller: bank.controller, banks: new Map([[bank.bank, bank.site]]), headKeys: new Map() }
		if (form === 'ingest') return (i) => inbox.ingest(sender, { stream, first: i * BATCH + 1, events: texts.slice(i * BATCH, (i + 1) * BATCH) })
		const rows = texts.map((text, i) => ({ bytes: Buffer.from(text), event: JSON.parse(text) as { type: string; subject: string }, seq: i + 1 }))
		return (i) => insertFloor(store, tenant, stream, (job.seed * 1_000 + at) * 1_000_000 + i * BATCH, rows.slice(i * BATCH, (i + 1) * BATCH))
	})
}

/** The floor: a batch in one statement into a table like `event`, with its key and its indexes. */
function insertFloor(
	store: Store,
	tenant: string,
	stream: string,
	position: number,
	rows: readonly { bytes: Buffer; event: { type: string; subject: string }; seq: number }[],
) {
	return store.system((tx) =>
		tx.run(sql`INSERT INTO event_floor (tenant_id, month, position, bytes, type, subject, stream, seq, at, received)
			SELECT ${tenant}, 202601, ${position} + o, b, t, s, ${stream}, q, ${AT}, ${AT}
			FROM unnest(${rows.map(({ bytes }) => bytes)}::bytea[], ${rows.map(({ event }) => event.type)}::text[],
				${rows.map(({ event }) => event.subject)}::text[], ${rows.map(({ seq }) => seq)}::bigint[]) WITH ORDINALITY AS n (b, t, s, q, o)`),
	)
}

const range = (length: number): number[] => Array.from({ length }, (_, i) => i)

async function main(): Promise<void> {
	const lines = process.stdin.setEncoding('utf8')
	const job = JSON.parse(String((await once(lines, 'data'))[0])) as IngestJob
	const store = openStore({ url: job.url, pool: job.connections + 2 })
	const publicKey = new Uint8Array(32)
	const sequencer = job.sequences
		? openSequencer({
				store,
				clock: systemClock,
				pace: systemClock,
				random,
				signerOf: async () => ({ origin: 'bench', publicKey, sign: () => new Uint8Array(64) }),
				failed: (cause) => process.stderr.write(`${cause}\n`),
			})
		: undefined
	const work = prepare(job, store, () => sequencer?.nudge())
	// A server in service is warm; these do not count.
	await Promise.all(work.map(async (one) => range(job.warmUp).reduce((before, i) => before.then(() => one(i)), Promise.resolve<unknown>(undefined))))
	process.stdout.write('READY\n')
	await once(lines, 'data')
	const each: number[] = []
	const from = Date.now()
	await Promise.all(
		work.map(async (one) => {
			for (let i = job.warmUp; i < job.warmUp + job.each; i++) {
				const began = performance.now()
				await one(i)
				each.push(performance.now() - began)
			}
		}),
	)
	const times: IngestTimes = { events: each.length * (job.form === 'append' || job.form === 'locked-head' ? 1 : BATCH), from, to: Date.now(), each }
	process.stdout.write(`${JSON.stringify(times)}\n`)
	// Another process may still wait for its positions.
	await once(lines, 'data')
	await sequencer?.close()
	await store.close()
	process.exit()
}

await main()
