import assert from 'node:assert/strict'
import { after, before, describe, it } from 'node:test'
import { type Id, isFault, newId, seededRandom } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { exampleLayout } from '@latchwork/core/wire'
import {
	type Case,
	type Env,
	FINISHED,
	type Input,
	type LoadedTable,
	loadTable,
	loanTable,
	movedData,
	newCase,
	nextDeadline,
	offers,
	step,
} from '@latchwork/core/workflow'
import fc from 'fast-check'
import { nodeCrypto } from '../crypto.ts'
import { ALWAYS_OPEN, compartmentsOf, createBank, createSite, dirtyOf, settleDirty } from '../estate/index.ts'
import { codeInUse, codesOfCase, reservationsOf } from '../space/index.ts'
import { type Store, sealingKey, sql } from '../store/index.ts'
import { createTenant } from '../tenants/index.ts'
import { type TestStore, testStore } from '../testing/index.ts'
import { type CaseRow, caseOf, noticesOf, recordsOf, tableOf } from './case-read.ts'
import { bookDelivery, type CaseTerms, caseSealing, extendDelivery, keepTable, recallDelivery, renewCode } from './delivery-write.ts'
import { caseApplier, caseDeadlines, casePart, ownOf, runDeadlines } from './index.ts'
import { finishTask, listTasks } from './task-write.ts'

const START = Date.UTC(2026, 0, 5, 9)
const HOUR = 3_600_000
const random = seededRandom(31)
const master = sealingKey(random(32), random)
const siteKey = random(32)
const DOORS = exampleLayout.columns.flatMap((column) => column.cells.flatMap((cell) => (cell.kind === 'door' ? [cell] : [])))

describe('cases', () => {
	let db: TestStore
	let store: Store
	let tenant: Id<'tenant'>
	let site: Id<'site'>
	before(async () => {
		db = await testStore()
		store = db.store
		tenant = newId('tenant', START, random)
		await store.write(tenant, (tx) => createTenant(tx, { name: 'Fernholt', host: 'test' }, { now: START, random, master }))
		const change = { actor: 'server', now: START, random } as const
		site = (await store.write(tenant, (tx) => createSite(tx, change, { name: 'HQ', timeZone: 'Europe/Berlin', address: '', calendar: ALWAYS_OPEN })))
			.id
	})
	after(() => db.close())

	const newBank = async () =>
		(
			await store.write(tenant, (tx) =>
				createBank(tx, { actor: 'server', now: START, random }, { site, name: 'Lobby', helpPhone: '110', layout: exampleLayout }),
			)
		).id
	const termsAt = (now: number): CaseTerms => ({ actor: 'server', now, random, crypto: nodeCrypto, master, siteKey: async () => siteKey })
	const book = (bank: Id<'bank'>, lines = 1, now = START) =>
		store.write(tenant, (tx) =>
			bookDelivery(
				tx,
				{
					bank,
					label: 'Order 1042',
					lines: Array.from({ length: lines }, () => ({ size: 'S' as const })),
					recipient: { name: 'Mia Kern', phone: '+49301234', hint: 'M… K…' },
				},
				termsAt(now),
			),
		)
	const read = (id: Id<'case'>) => store.read(tenant, (tx) => caseOf(tx, id))
	const openTasks = async (bank: Id<'bank'>) =>
		(await store.read(tenant, (tx) => listTasks(tx, { open: true, bank }, { limit: 50, scopes: [{ kind: 'tenant' }] }))).map((task) => task.kind)

	/** The bank's side: its own copy of the case, led by the same reducer, and what it records of it. */
	const bankSide = (bank: Id<'bank'>, row: CaseRow, table: LoadedTable) => {
		const stream = newId('stream', START, random)
		let of: Case = row.body
		let seq = 0
		const events: StreamEvent[] = []
		const record = (type: StreamEvent['type'], subject: string, data: StreamEvent['data'], at: number) => {
			events.push({ v: 1, stream, seq: ++seq, prev: '', type, subject, bank, at, mono: 0, clock: 'good', bundle: 1, offline: false, data })
		}
		return {
			copy: () => of,
			record,
			/** False when its table does not allow it. */
			does(input: Input, at: number, due?: Env['due']): boolean {
				const env = { now: at, bank, facts: FINISHED, ...(due && { due }) }
				const stepped = step(table, of, input, env)
				if ('refused' in stepped) return false
				for (const data of movedData(stepped, { input, env })) record('case.moved', row.id, data, at)
				of = stepped.case
				return true
			},
			async send(now: number, keep = 0) {
				const sent = events.splice(0, events.length - keep)
				const about = { sender: undefined as never, bank, site, now }
				await store.write(tenant, (tx) => caseApplier({ random, master })(tx, sent, about))
			},
			retell: (change: (all: StreamEvent[]) => StreamEvent[]) => events.push(...change(events.splice(0))),
			tamper: (change: (event: StreamEvent) => StreamEvent) => events.push(change(events.pop() as StreamEvent)),
		}
	}
	const withTable = async (row: CaseRow) => (await store.read(tenant, (tx) => tableOf(tx, row.tableHash))) as LoadedTable
	const compartment = newId('compartment', START, random)
	const line = (row: CaseRow) => row.body.lines[0]?.id ?? ''
	const deposit = (row: CaseRow): Input => ({
		kind: 'act',
		act: 'deposit',
		line: line(row),
		by: 'staff',
		subject: newId('subject', START, random),
		evidence: 4,
		compartment,
	})
	const collect = (row: CaseRow): Input => ({
		kind: 'act',
		act: 'collect',
		line: line(row),
		by: 'user',
		subject: row.owner ?? '',
		evidence: 4,
		compartment,
	})

	it('books space, a code and a row for the bank, or nothing of it', async () => {
		const bank = await newBank()
		const { row, code } = await book(bank)
		assert.match(row.number, /^DL-\d{5}$/)
		assert.match(code.digits, /^\d{8}$/)
		assert.equal(row.state, 'reserved')
		const part = await store.read(tenant, (tx) => casePart(tx, bank, START))
		assert.deepEqual([part.cases.length, part.codes.length, part.tables.length, part.cases[0]?.label], [1, 1, 1, 'Order 1042'])
		assert.ok(!JSON.stringify(part).includes(code.digits) && !JSON.stringify(part).includes('Mia'))
		const before = await count('workflow_case')
		await assert.rejects(book(bank, DOORS.length), (e) => isFault(e, 'bank-full'))
		await assert.rejects(book(bank, DOORS.length + 1), (e) => isFault(e, 'no-suitable-compartment'))
		assert.equal(await count('workflow_case'), before)
		assert.equal((await store.read(tenant, (tx) => reservationsOf(tx, bank))).length, 1)
	})

	it('keeps nothing by which its tables tell a code or a contact, and can say both', async () => {
		const bank = await newBank()
		const { row, code } = await book(bank)
		const [stored, contact] = await store.system(async (tx) => [
			(await tx.first<Record<string, unknown>>(sql`SELECT * FROM pick_up_code WHERE case_id = ${row.id}`)) ?? assert.fail(),
			(await tx.first<{ text: string }>(sql`SELECT row_to_json(c)::text || convert_from(recipient, 'LATIN1') AS text FROM workflow_case c
				WHERE case_id = ${row.id}`)) ?? assert.fail(),
		])
		const digest = (...parts: Uint8Array[]) => Buffer.from(nodeCrypto.sha256(Buffer.concat(parts))).toString('hex')
		const typed = Buffer.from(code.digits)
		const sealing = await store.read(tenant, (tx) => caseSealing(tx, { master, random }))
		const opened = sealing.open(stored.sealed as Uint8Array, `pick-up-code:${stored.code_id}`)
		assert.equal(digest(opened), stored.commitment, 'the salt is kept, sealed')
		for (const [column, value] of Object.entries(stored)) {
			const bytes = value instanceof Uint8Array ? value : Buffer.from(String(value), /^[0-9a-f]+$/.test(String(value)) ? 'hex' : 'utf8')
			assert.notEqual(digest(bytes, typed), stored.commitment, `${column} is the salt`)
			assert.ok(!Buffer.from(bytes).includes(typed), `${column} has the digits`)
		}
		assert.match(contact.text, /M… K…/)
		assert.doesNotMatch(contact.text, /Mia|Kern|49301234/)
		const inUse = () => store.read(tenant, (tx) => codeInUse(tx, row.id, START, sealing))
		assert.equal((await inUse())?.code, code.digits)
		const older = Buffer.from(sealing.seal(typed, `pick-up-code:${stored.code_id}`))
		await store.system((tx) => tx.run(sql`UPDATE pick_up_code SET sealed = ${older} WHERE case_id = ${row.id}`))
		assert.equal((await inUse())?.code, code.digits, 'of a code that is older than the sealed salt')
	})

	it('gives the last compartment to one of many who ask at once', async () => {
		const bank = await newBank()
		await book(bank, DOORS.length - 1)
		const asked = await Promise.allSettled(Array.from({ length: 12 }, () => book(bank)))
		assert.equal(asked.filter((one) => one.status === 'fulfilled').length, 1)
		for (const one of asked) if (one.status === 'rejected') assert.ok(isFault(one.reason, 'bank-full'), String(one.reason))
	})

	it('follows a parcel in and out as the bank records it, and tells its people once', async () => {
		const bank = await newBank()
		const { row } = await book(bank)
		const side = bankSide(bank, row, await withTable(row))
		side.record('door-session.releasing', 'dos_1', { case: row.id, compartment }, START)
		side.record('door-session.closed', 'dos_1', { compartment }, START)
		assert.ok(side.does(deposit(row), START + HOUR))
		await side.send(START + HOUR)
		const ready = await read(row.id)
		assert.deepEqual([ready.state, ready.atBank, ready.body], ['ready', true, side.copy()])
		assert.deepEqual(await store.read(tenant, (tx) => reservationsOf(tx, bank)), [])
		assert.ok(side.does({ kind: 'request', name: 'dispense', by: 'user', subject: row.owner ?? '', line: line(row) }, START + 2 * HOUR))
		assert.ok(side.does(collect(row), START + 2 * HOUR))
		await side.send(START + 2 * HOUR)
		const done = await read(row.id)
		assert.deepEqual([done.state, done.conflict, done.endedAt, done.body], ['collected', null, START + 2 * HOUR, side.copy()])
		assert.deepEqual(
			(await store.read(tenant, (tx) => noticesOf(tx, row.id))).map((n) => n.kind),
			['ready', 'collected'],
		)
		assert.equal((await store.read(tenant, (tx) => recordsOf(tx, row.id))).length, 2)
		assert.deepEqual(await codeStates(row.id), ['used'])
		const told = (at: number) => store.read(tenant, (tx) => casePart(tx, bank, at))
		const [soon, later] = [await told(START + 3 * HOUR), await told(START + 27 * HOUR)]
		assert.deepEqual([soon.cases[0]?.state, soon.codes.length], ['collected', 1], 'a code that comes once more is known as used')
		assert.deepEqual([later.cases, later.codes], [[], []])
	})

	it('marks a case whose bank tells another story, keeps what the bank did, and goes on from there', async () => {
		const bank = await newBank()
		const { row } = await book(bank)
		const side = bankSide(bank, row, await withTable(row))
		side.does(deposit(row), START)
		side.tamper((event) => ({ ...event, data: { ...event.data, to: 'expired' } }))
		await side.send(START)
		const disputed = await read(row.id)
		assert.equal(disputed.conflict, 'other-moves')
		assert.deepEqual(await openTasks(bank), ['conflict'])
		const facts = await count('event_pending', sql`AND type = 'case.conflict' AND subject = ${row.id}`)
		assert.equal(facts, 1)
		const [task] = await store.read(tenant, (tx) => listTasks(tx, { open: true, bank }, { limit: 5, scopes: [{ kind: 'tenant' }] }))
		const who = { actor: newId('subject', START, random), now: START, random }
		await store.write(tenant, (tx) => finishTask(tx, task?.id as Id<'task'>, 'looked-and-agreed', task?.version, who))
		assert.equal((await read(row.id)).conflict, null)
		await assert.rejects(
			store.write(tenant, (tx) => finishTask(tx, task?.id as Id<'task'>, 'again', undefined, who)),
			(e) => isFault(e, 'request-refused'),
		)
	})

	it('follows no step that another table than the case’s made, be it the first of its moves or a later one', async () => {
		const bank = await newBank()
		for (const later of [false, true]) {
			const { row } = await book(bank)
			const side = bankSide(bank, row, await withTable(row))
			side.does(deposit(row), START)
			side.retell((events) => {
				assert.ok(events.length > 1)
				return events.map((event, i) => (i > 0 === later ? { ...event, data: { ...event.data, tableHash: 'f'.repeat(64) } } : event))
			})
			await side.send(START)
			assert.equal((await read(row.id)).conflict, later ? 'other-moves' : 'other-table')
		}
	})

	it('knows two truths when a delivery was called back here while its bank, unheard, took the parcel in', async () => {
		const bank = await newBank()
		const { row } = await book(bank)
		const side = bankSide(bank, row, await withTable(row))
		side.does(deposit(row), START)
		await store.write(tenant, (tx) => recallDelivery(tx, row.id, 'order-cancelled', termsAt(START + HOUR)))
		assert.equal((await read(row.id)).state, 'cancelled')
		await store.write(tenant, (tx) => tx.run(sql`DELETE FROM bundle_dirty WHERE bank_id = ${bank}`))
		await side.send(START + 2 * HOUR)
		assert.equal(await count('bundle_dirty', sql`AND bank_id = ${bank}`), 1, 'the bank is told in a new bundle')
		const both = await read(row.id)
		assert.deepEqual(
			[both.conflict, both.body.lines[0]?.state, both.body.lines[0]?.compartment, both.endedAt],
			['refused', 'deposited', compartment, null],
		)
		// The order stands: with its next bundle the bank sends staff to take the parcel out.
		const part = await store.read(tenant, (tx) => casePart(tx, bank, START))
		assert.deepEqual([part.cases[0]?.recalled, part.codes.map(({ id }) => id)], [true, part.revoked])
	})

	it('believes no bank about a case of another: nothing moves, its code stays good, people at both are told, and its own bank goes on', async () => {
		const [bank, stranger] = [await newBank(), await newBank()]
		const [row, other] = [await read((await book(bank)).row.id), (await book(bank)).row]
		const table = await withTable(row)
		const [own, theirs] = [bankSide(bank, row, table), bankSide(stranger, row, table)]
		assert.ok(theirs.does(deposit(row), START))
		assert.ok(theirs.does({ kind: 'request', name: 'dispense', by: 'user', subject: row.owner ?? '', line: line(row) }, START))
		assert.ok(theirs.does(collect(row), START))
		theirs.record('case.moved', row.id, { from: 'reserved', to: 'cancelled', tableHash: row.tableHash, version: 9 }, START)
		theirs.record('case.conflict', row.id, { code: 'wrong-table' }, START)
		theirs.record('case.opened', row.id, {}, START)
		theirs.record('task.created', row.id, { kind: 'conflict' }, START)
		theirs.record('door-session.releasing', newId('doorSession', START, random), { case: row.id, compartment }, START)
		theirs.record('door-session.releasing', 'dos_own', { case: other.id, compartment }, START)
		await theirs.send(START)
		assert.deepEqual(await read(row.id), row)
		assert.deepEqual(await codeStates(row.id), ['live'])
		assert.deepEqual(await store.read(tenant, (tx) => recordsOf(tx, row.id)), [])
		const told = await store.read(tenant, async (tx) =>
			(await Promise.all([bank, stranger].map((of) => listTasks(tx, { bank: of }, { limit: 9, scopes: [{ kind: 'tenant' }] })))).map((tasks) =>
				tasks.map((task) => [task.kind, task.case, task.detail.by ?? task.detail.of]),
			),
		)
		const atOwn = [row, other].map(({ id }) => ['foreign-record', id, stranger])
		assert.deepEqual([new Set(told[0]), told[1]], [new Set(atOwn), [['foreign-record', null, bank]]])
		own.record('door-session.releasing', 'dos_own', { case: row.id, compartment }, START)
		assert.ok(own.does(deposit(row), START))
		await own.send(START)
		theirs.record('door-session.opened', 'dos_own', { compartment }, START)
		await theirs.send(START)
		const after = await read(row.id)
		assert.deepEqual([after.state, after.conflict, after.body], ['ready', null, own.copy()])
		assert.equal((await store.read(tenant, (tx) => recordsOf(tx, row.id))).length, 1)
	})

	it('believes no bank about a compartment of another: the task there stays until its own bank says so', async () => {
		const [bank, stranger] = [await newBank(), await newBank()]
		const { row } = await book(bank)
		const table = await withTable(row)
		const [own, theirs] = [bankSide(bank, row, table), bankSide(stranger, row, table)]
		const [first] = await store.read(tenant, (tx) => compartmentsOf(tx, bank))
		const room = first?.id ?? assert.fail()
		for (const kind of ['check-compartment', 'close-door']) own.record('task.created', room, { kind }, START)
		await own.send(START)
		const settling = (side: typeof own) => {
			side.record('compartment.returned-to-service', room, { content: 'empty' }, START)
			side.record('door-session.closed', newId('doorSession', START, random), { compartment: room }, START)
			return side.send(START)
		}
		theirs.record('task.created', room, { kind: 'missing-item' }, START)
		await settling(theirs)
		assert.deepEqual(
			[(await openTasks(bank)).toSorted(), await openTasks(stranger)],
			[['check-compartment', 'close-door', 'foreign-record'], ['foreign-record']],
		)
		await settling(own)
		assert.deepEqual(await openTasks(bank), ['foreign-record'])
		const named = (at: Id<'bank'>) => store.read(tenant, async (tx) => [await ownOf(tx, at, room), await ownOf(tx, at, row.id)])
		assert.deepEqual(await named(bank), [{ compartment: room }, { case: row.id }])
		assert.deepEqual(await named(stranger), [{}, {}], 'and no task of its own hangs on them')
	})

	it('gives orders to a bank that has the parcel, and does not write its case', async () => {
		const bank = await newBank()
		const { row } = await book(bank)
		const side = bankSide(bank, row, await withTable(row))
		side.does(deposit(row), START)
		await side.send(START)
		const due = (await read(row.id)).body.deadlines['collect-by'] ?? 0
		await store.write(tenant, (tx) => extendDelivery(tx, row.id, due + HOUR, termsAt(START)))
		await assert.rejects(
			store.write(tenant, (tx) => extendDelivery(tx, row.id, due - HOUR, termsAt(START))),
			(e) => isFault(e, 'request-refused'),
		)
		const until = async () => (await store.read(tenant, (tx) => codesOfCase(tx, row.id))).map(({ notAfter }) => notAfter)
		assert.deepEqual(await until(), [due], 'the code lives as long as the parcel waits')
		assert.ok(side.does({ kind: 'request', name: 'extend', by: 'system' }, START, { 'collect-by': due + HOUR }))
		await marks(bank, () => side.send(START))
		assert.deepEqual([await until(), (await read(row.id)).conflict], [[due + HOUR], null])
		const { code } = await marks(bank, () => store.write(tenant, (tx) => renewCode(tx, row.id, termsAt(START))))
		assert.match(code.digits, /^\d{8}$/)
		assert.deepEqual((await codeStates(row.id)).toSorted(), ['live', 'revoked'], 'the one before opens nothing any more')
		await marks(bank, () => store.write(tenant, (tx) => recallDelivery(tx, row.id, 'order-cancelled', termsAt(START))))
		const now = await read(row.id)
		assert.deepEqual([now.body, now.state], [side.copy(), 'ready'])
		const part = await store.read(tenant, (tx) => casePart(tx, bank, START))
		assert.deepEqual(
			[part.cases[0]?.recalled, part.cases[0]?.due, part.codes.map(({ id }) => id)],
			[true, { 'collect-by': due + HOUR }, part.revoked],
		)
		assert.ok(side.does({ kind: 'request', name: 'recall', by: 'system' }, START))
		await side.send(START)
		assert.deepEqual([(await read(row.id)).state, (await read(row.id)).conflict], ['recalled', null])
	})

	it('names a parcel that was handed out by a bank which had not heard of the recall, and only that one', async () => {
		const bank = await newBank()
		const [late, early] = [(await book(bank)).row, (await book(bank)).row]
		for (const [row, collected] of [
			[late, START + 2 * HOUR],
			[early, START],
		] as const) {
			const side = bankSide(bank, row, await withTable(row))
			side.does(deposit(row), START)
			await side.send(START)
			await store.write(tenant, (tx) => recallDelivery(tx, row.id, 'order-cancelled', termsAt(START + HOUR)))
			side.does({ kind: 'request', name: 'dispense', by: 'user', subject: row.owner ?? '', line: line(row) }, collected)
			side.does(collect(row), collected)
			await side.send(START + 3 * HOUR)
			const { state, conflict, endedAt } = await read(row.id)
			assert.deepEqual([state, conflict, endedAt], ['collected', null, START + 3 * HOUR], 'it stays with who has it')
		}
		const told = (row: CaseRow) => count('event_pending', sql`AND type = 'delivery.collected-after-recall' AND subject = ${row.id}`)
		assert.deepEqual([await told(late), await told(early)], [1, 0])
		const tasks = (row: CaseRow) => count('task', sql`AND kind = 'collected-after-recall' AND case_id = ${row.id}`)
		assert.deepEqual([await tasks(late), await tasks(early)], [1, 0])
	})

	it('follows a bank that was down: what was to come comes later; while it is silent nobody is told that they are late', async () => {
		const bank = await newBank()
		const { row } = await book(bank)
		const side = bankSide(bank, row, await withTable(row))
		side.does(deposit(row), START)
		await side.send(START)
		const due = side.copy().deadlines['collect-by'] ?? assert.fail('no time')
		const run = (now: number) => runDeadlines(store, caseDeadlines(random), now, (_, cause) => assert.fail(String(cause)))
		const kinds = async () => (await store.read(tenant, (tx) => noticesOf(tx, row.id))).map((n) => n.kind)
		const silent = (since: number | null) =>
			store.write(tenant, (tx) =>
				tx.run(sql`INSERT INTO bank_state (tenant_id, bank_id, online, silent_since, bundle_version, boards, readers, storage, clock, history_lost, tampered)
					VALUES (${tenant}, ${bank}, ${since === null}, ${since}, 0, '{}', '{}', 'good', 'good', false, false)
					ON CONFLICT (tenant_id, bank_id) DO UPDATE SET online = excluded.online, silent_since = excluded.silent_since`),
			)
		await silent(due - HOUR)
		await run(due + 5 * HOUR)
		assert.deepEqual((await kinds()).toSorted(), ['expiring', 'ready', 'reminder'], 'what only reminds goes out')
		// It was down for three hours, and says so.
		await silent(null)
		assert.ok(side.does({ kind: 'outage', from: due - HOUR, to: due + 2 * HOUR }, due + 2 * HOUR))
		await side.send(due + 5 * HOUR)
		const now = await read(row.id)
		assert.deepEqual([now.body, now.conflict, now.body.deadlines['collect-by']], [side.copy(), null, due + 3 * HOUR])
		assert.ok((await kinds()).includes('extended'))
		// Heard of, and not followed in time: now they are told.
		await run(due + 6 * HOUR)
		assert.ok((await kinds()).includes('expired'), String(await kinds()))
	})

	it('lets an announcement run out that nobody followed, and tells people in time although the bank is unheard', async () => {
		const bank = await newBank()
		const [never, waits] = [(await book(bank)).row, (await book(bank)).row]
		const side = bankSide(bank, waits, await withTable(waits))
		side.does(deposit(waits), START)
		await side.send(START)
		const run = (now: number) => runDeadlines(store, caseDeadlines(random), now, (_, cause) => assert.fail(String(cause)))
		const kinds = async (id: Id<'case'>) => (await store.read(tenant, (tx) => noticesOf(tx, id))).map((n) => n.kind)
		await run(START + 37 * HOUR)
		assert.deepEqual(await kinds(waits.id), ['ready', 'reminder'])
		await run(START + 40 * HOUR)
		assert.deepEqual(await kinds(waits.id), ['ready', 'reminder'])
		// The bank comes back and tells the same: nobody is reminded twice.
		const first = nextDeadline(await withTable(waits), side.copy())
		assert.equal(first?.name, 'reminder')
		side.does({ kind: 'deadline', name: 'reminder' }, START + 36 * HOUR)
		await side.send(START + 41 * HOUR)
		assert.deepEqual(await kinds(waits.id), ['ready', 'reminder'])
		await run(START + 8 * 24 * HOUR)
		assert.deepEqual([(await read(never.id)).state, await kinds(never.id)], ['ordered', ['not-delivered']])
	})

	it('does what is due although a hundred others fail again and again, and leaves alone what only a newer version knows', async () => {
		const [ours, theirs] = [newId('tenant', START, random), newId('tenant', START, random)]
		const row = (of: Id<'tenant'>, key: string, kind: string, ref: string) =>
			store.write(of, (tx) =>
				tx.run(sql`INSERT INTO deadline (tenant_id, key, due_at, kind, ref) VALUES (${of}, ${key}, ${START - 1}, ${kind}, ${ref})`),
			)
		for (let i = 0; i < 100; i++) await row(theirs, `bad-${i}`, 'test', 'bad')
		await row(ours, 'good', 'test', 'good')
		await row(ours, 'of a newer version', 'unheard-of', 'x')
		const done: string[] = []
		let failures = 0
		const handlers = {
			test: async (_: unknown, { ref, key }: { ref: string; key: string }) => {
				if (ref === 'bad') throw new Error('bad')
				done.push(key)
			},
		}
		const run = (now: number) => runDeadlines(store, handlers, now, () => failures++)
		await run(START)
		await run(START)
		assert.deepEqual([done, failures], [['good'], 100])
		await run(START + 60_000)
		assert.equal(failures, 200, 'and tried again later')
		const left = (of: Id<'tenant'>) => store.read(of, (tx) => tx.rows<{ key: string }>(sql`SELECT key FROM deadline WHERE tenant_id = ${of}`))
		assert.deepEqual([(await left(ours)).map(({ key }) => key), (await left(theirs)).length], [['of a newer version'], 100])
		await store.write(theirs, (tx) => tx.run(sql`DELETE FROM deadline WHERE tenant_id = ${theirs}`))
	})

	it('knows a loan that a person began at the bank, from its first record on', async () => {
		const bank = await newBank()
		const loaded = loadTable(JSON.parse(JSON.stringify(loanTable())), nodeCrypto.sha256)
		assert.ok('table' in loaded)
		await store.write(tenant, (tx) => keepTable(tx, loaded.table, START))
		const [id, owner] = [newId('case', START, random), newId('subject', START, random)]
		const lines = [{ id: newId('line', START, random), asset: newId('asset', START, random), compartment, custodian: bank }]
		const body = newCase(loaded.table, { id, owner, lines })
		const side = bankSide(bank, { id, body } as CaseRow, loaded.table)
		side.record('case.opened', id, { workflow: 'loan', tableHash: loaded.table.hash, asset: lines[0]?.asset ?? '', start: { owner, lines } }, START)
		const who = { by: 'user', subject: owner } as const
		assert.ok(side.does({ kind: 'request', name: 'allot', ...who }, START))
		assert.ok(side.does({ kind: 'request', name: 'dispense', ...who, line: lines[0]?.id ?? '' }, START))
		assert.ok(side.does({ kind: 'act', act: 'collect', line: lines[0]?.id ?? '', ...who, evidence: 4, compartment }, START))
		await side.send(START)
		const row = await read(id)
		assert.match(row.number, /^LN-/)
		assert.deepEqual([row.state, row.body, row.conflict, row.owner], ['on-loan', side.copy(), null, owner])
		assert.ok(row.dueAt)
	})

	it('property: whatever a bank does and however its records arrive, the server’s copy is the bank’s', async () => {
		const bank = await newBank()
		const seen = new Map<string, number>()
		await fc.assert(
			fc.asyncProperty(
				fc.array(fc.integer({ min: 0, max: 9_999 }), { minLength: 2, maxLength: 14 }),
				fc.integer({ min: 1, max: 4 }),
				async (choices, chunk) => {
					const { row } = await book(bank)
					const table = await withTable(row)
					const side = bankSide(bank, row, table)
					let now = START
					// The wait for a recipient is where most stories begin.
					if (choices.length % 2 === 1) side.does(deposit(row), now)
					for (const choice of choices) {
						const of = side.copy()
						const env = { now, bank, facts: FINISHED }
						const acts = (['user', 'staff'] as const).flatMap((by) =>
							offers(table, of, { by, subject: row.owner ?? '' }, env).map(
								(o): Input => ({
									kind: 'act',
									act: o.act,
									line: o.line,
									by,
									subject: row.owner ?? '',
									evidence: choice % 3 === 0 ? 1 : 4,
									compartment,
								}),
							),
						)
						const due = nextDeadline(table, of)
						const inputs: Input[] = [
							...acts,
							...(['not-inserted', 'not-taken', 'ambiguous', 'missing', 'wrong-item'] as const).map(
								(outcome): Input => ({ kind: 'outcome', outcome, line: line(row), compartment }),
							),
							...['dispense', 'recall', 'extend', 'confirm-inside', 'confirm-taken'].map(
								(name): Input => ({ kind: 'request', name, by: choice % 2 ? 'staff' : 'user', subject: row.owner ?? '' }),
							),
							...(due ? [{ kind: 'deadline', name: due.name } as Input] : []),
						]
						const input = inputs[choice % inputs.length] as Input
						if (input.kind === 'deadline' && due) now = Math.max(now, due.dueMs)
						if (side.does(input, now)) seen.set(side.copy().state, (seen.get(side.copy().state) ?? 0) + 1)
						now += HOUR
						if (choice % chunk === 0) await side.send(now, choice % 2)
					}
					await side.send(now)
					const here = await read(row.id)
					assert.deepEqual([here.body, here.conflict], [side.copy(), null])
					await store.write(tenant, (tx) => tx.run(sql`UPDATE reservation SET ended_at = 1, ended_why = 'released' WHERE tenant_id = ${tenant}`))
				},
			),
			{ numRuns: 100 },
		)
		for (const state of ['ready', 'blocked', 'collected', 'recalled'])
			assert.ok((seen.get(state) ?? 0) > 0, `never ${state}: ${JSON.stringify([...seen])}`)
	})

	/** The bank is to get a new bundle for this. */
	const marks = async <T>(bank: Id<'bank'>, change: () => Promise<T>): Promise<T> => {
		const marked = () => store.read(tenant, (tx) => dirtyOf(tx, bank))
		const before = await marked()
		if (before) await store.write(tenant, (tx) => settleDirty(tx, before))
		assert.equal(await marked(), undefined)
		const made = await change()
		assert.ok(await marked(), 'its bank hears of it')
		return made
	}
	const codeStates = async (id: Id<'case'>) =>
		(await store.read(tenant, (tx) => codesOfCase(tx, id))).map((one) => (one.usedAt !== null ? 'used' : one.revokedAt !== null ? 'revoked' : 'live'))
	const count = async (table: string, and = sql``) =>
		(await store.system((tx) => tx.first<{ n: number }>(sql`SELECT count(*)::int AS n FROM ${sql.table(table)} WHERE tenant_id = ${tenant} ${and}`)))
			?.n
})
