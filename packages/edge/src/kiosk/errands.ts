import type { Grant } from '@latchwork/core/access'
import { type Id, isFault, newId } from '@latchwork/core/base'
import { type DoorSession, type Ended, type Evidence, KIOSK_TIMERS as IDLE, REOPEN, type Step } from '@latchwork/core/door'
import type { EventDraft } from '@latchwork/core/ledger'
import * as visits from '@latchwork/core/visit'
import type { KioskScreen } from '@latchwork/core/wire'
import { type CaseEntry, NOTHING, type Parcel, type Task } from '../cases/index.ts'
import { doorFacts, endScreen, liveScreen, receiptOf } from './door-screens.ts'
import type { Doors, Errand, Place, Stage, Tried } from './errand.ts'
import type { Intent } from './intents.ts'
import { loanErrands } from './loan-errands.ts'
import { parcelErrands } from './parcel-errands.ts'
import type { Seat, SessionParts } from './seat.ts'
import { itemOf, type Thing, workflowOf } from './things.ts'
import type { VisitRecords } from './visits.ts'

type Visit = visits.Visit
type Done = Extract<KioskScreen, { name: 'done' }>

const MOST_MISMATCHES = 2

/** Doors opened for the person in the seat, one after the other, from the decision to the receipt or to what stands in the way. */
export interface Errands {
	/** The door session at the screen, while it lives. */
	live(): DoorSession | undefined
	/** What the last door was opened for. */
	current(): Errand | undefined
	/** Somebody else comes, or nobody: the last errand and its receipt are over. */
	forget(): void
	take(intent: Exclude<Intent, { kind: 'parcels' | 'badge-lost' }>): void
	handle(parcel: Parcel, task: Task): void
	/** The same door, another one, a larger one; and the same once more after a pick-up. */
	again(): void
	elsewhere(): void
	larger(): void
	openAgain(): void
	say(said: 'did-not-open' | 'found-occupied' | 'found-empty' | 'wrong-item' | 'done' | 'not-done' | 'unanswered'): void
	/** A tag was held to the scanner at the open door; false: it is the tag of nothing. */
	identified(text: string): boolean
	/** Somebody else wants to use the kiosk: the open door stays its person's, and the screen is free. */
	setAside(): void
	/** A refusal is a refusal even where it cannot be recorded; it never spends the space held back for returns and alarms. */
	refused(event: EventDraft): void
	endVisit(of: Visit): void
	underWay(): Set<string>
	/** True: the screen has what it needs to know of this step. */
	stepped(step: Step): boolean
	restore(): void
}

export function openErrands(parts: SessionParts, seat: Seat, records: VisitRecords, { show, deny, finish, home }: Stage): Errands {
	const { journal, cases, time } = parts
	const { put } = records
	let errand: Errand | undefined
	/** Doors that stand open behind somebody who went, while others use the kiosk: still that person's, they end without a screen (X2, T21). */
	const aside = new Map<string, Errand>()
	/** A pick-up of this visit whose door may be opened once more, and the receipt that the screen goes back to. */
	let pickedUp: { readonly errand: Errand; readonly grant: Grant; readonly until: number; left: number; done?: Done } | undefined
	/** The grant of the door that is open now. */
	let granted: Grant | undefined
	/** The door session whose person said that it does not open although the sensor says it is open. */
	let stuck: string | undefined
	/** The door session whose person said that the parcel does not fit. */
	let tooSmall: string | undefined
	/** Compartments of this errand in which the sensor sees something else than the record says. */
	let mismatches = 0

	const live = (e = errand): DoorSession | undefined => {
		const session = e && parts.bank().state().compartments[e.compartment]?.session
		return session && session.id === e?.session ? session : undefined
	}

	// ── what for ──

	const take = (intent: Exclude<Intent, { kind: 'parcels' | 'badge-lost' }>): void => {
		mismatches = 0
		if (intent.kind === 'borrow') return loans.borrow(intent.type)
		if (intent.kind === 'return') return loans.bringBack(intent.loan.caseId, intent.loan.lineId, intent.asset)
		if (intent.kind === 'pick-up') return handle(intent.parcel, 'pick-up')
		if (loans.collect(intent) === 'next') deny('compartment-unavailable')
	}

	const handle = (parcel: Parcel, task: Task): void => {
		mismatches = 0
		if (task === 'drop-off') return parcels.dropOff(parcel)
		const { compartment } = parcel
		if (compartment === undefined || parcels.takeOut({ thing: { kind: 'parcel', parcel, task }, compartment }) === 'next')
			deny('compartment-unavailable')
	}

	const attempt: Doors['attempt'] = (act, place, line) => {
		const by = parts.authority.current()
		// Nobody is signed in any more: the door stood open too long, or a restart came between.
		if (!seat.who || !by) {
			finish()
			return 'shown'
		}
		const decision = parts.intents.decide(seat.who, by, act, place.thing, place.compartment)
		const record = decided(decision.decision, place.thing)
		if (decision.effect === 'deny') {
			refused(record)
			deny(decision.reason, decision.until)
			return 'shown'
		}
		const ready = line(seat.who)
		if (!ready) return 'next'
		const entry = { ...ready.entry, events: [record, ...ready.entry.events] }
		const { caseId, lineId, evidence } = ready
		return openDoor(act, { caseId, lineId }, place, decision.grant, entry, evidence) ? 'shown' : 'next'
	}

	const refused: Doors['refused'] = (event) => {
		try {
			journal.commit({ events: [event] })
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
		}
	}

	const depositInto: Doors['depositInto'] = (compartment, of) =>
		attempt('deposit', { thing: of.thing, compartment }, ({ subject }) => {
			const { caseId, lineId } = of
			return { caseId, lineId, entry: NOTHING, evidence: cases.evidence(caseId, lineId, 'deposit', subject) }
		})

	/** Writes everything with the `releasing` row, then the pulse follows. False: this compartment would not do, try the next. */
	const openDoor = (
		act: Errand['act'],
		of: { caseId: string; lineId: string },
		{ thing, compartment }: Place,
		grant: Grant,
		entry: CaseEntry,
		needs: Evidence,
	): boolean => {
		if (!seat.who || !seat.visit || grant.subject !== seat.who.subject || time.now() > grant.notAfter) return false
		const session = newId('doorSession', time.now(), parts.random)
		const waiting = visits.nextStep(seat.visit)
		const planned = waiting?.caseId === of.caseId && waiting.act === act ? waiting : undefined
		const stepId = planned?.id ?? session
		const grown = planned ? seat.visit : visits.addStep(seat.visit, { id: stepId, act, workflow: workflowOf(thing), ...of, compartment }, 'next')
		const active = 'refused' in grown ? grown : visits.activate(grown, stepId, session, compartment)
		if ('refused' in active) return false
		const used = seat.code
		const step = parts.bank().release(
			{
				session,
				// Touches on one screen are told apart by its turn already; a turn counts anew after a restart, and this visit may go on then.
				command: `${seat.visit.id}/${session}`,
				compartment,
				act,
				subject: seat.who.subject,
				item: itemOf(thing),
				needs,
				why: { visit: seat.visit.id, case: of.caseId, line: of.lineId, method: seat.who.method, credential: seat.who.credential },
			},
			{
				events: [
					...entry.events,
					...(used
						? [{ type: 'credential.code-used', subject: seat.visit.id, actor: seat.who.subject, data: { jti: used } } satisfies EventDraft]
						: []),
				],
				put: [...(entry.put ?? []), put(active), ...(used ? [{ kind: 'code-used', key: used, body: time.now() }] : [])],
				drop: entry.drop ?? [],
			},
			// Handing over what waits for people may use the space held back, as returns may (trust.md §3.6).
			grant.walkUpReturn || (act === 'collect' && thing.kind === 'parcel'),
		)
		if (step === 'storage-full') {
			show({ name: 'out-of-service', why: 'storage-full' }, IDLE.notice)
			return true
		}
		if (step.refused === 'door-open') {
			deny('door-open')
			return true
		}
		// Each of these is held until somebody has looked. After the second it is the sensors, not the content: the others are left in use.
		if (step.refused === 'content-mismatch') mismatches += 1
		if (mismatches >= MOST_MISMATCHES) {
			deny('compartment-unavailable')
			return true
		}
		if (step.refused || step.repeated) return false
		seat.code = undefined
		granted = grant
		seat.visit = active
		errand = { stepId, act, ...of, thing, compartment, session }
		showDoor()
		return true
	}

	const doors: Doors = { show, deny, attempt, depositInto, refused }
	const loans = loanErrands(parts, seat, doors)
	const parcels = parcelErrands(parts, seat, doors)

	const decided = (record: { id: string; effect: string; rules: readonly string[] } & object, thing: Thing): EventDraft => {
		const { id, effect, ...data } = record as { id: string; effect: 'allow' | 'deny' } & Record<string, string | number | boolean | readonly string[]>
		return {
			type: effect === 'allow' ? 'decision.allowed' : 'decision.denied',
			subject: id,
			...(seat.who && { actor: seat.who.subject }),
			data: { ...data, ...(thing.kind === 'asset' ? { asset: thing.asset.id } : { case: thing.parcel.caseId, line: thing.parcel.lineId }) },
		}
	}

	// ── at the door ──

	const factsOf = (e: Errand) => doorFacts(parts.number(e.compartment), e.act, e.thing)

	const showDoor = (): void => {
		const session = live()
		const at = errand && parts.bank().state().compartments[errand.compartment]
		if (!errand || !session || !at) return
		const said = { stuck: stuck === session.id, tooSmall: tooSmall === session.id, larger: parcels.largerDoor(errand) }
		const shownNext = liveScreen(factsOf(errand), session, at, time.now(), said)
		if (shownNext.name === 'confirm') return seat.screen.name === 'confirm' ? undefined : show(shownNext, IDLE.home)
		if (shownNext.name === 'opening' || JSON.stringify(shownNext) !== JSON.stringify(seat.screen)) show(shownNext)
	}

	const showDone = (done: Done): void => {
		if (pickedUp) pickedUp.done = done
		const more = pickedUp && pickedUp.left > 0 && time.now() < pickedUp.until
		show({ ...done, ...(more && { againUntil: pickedUp?.until }) }, IDLE.done)
	}

	/** Something was left inside: the same door once more, for the person who has just been at it. Custody is not asked about again. */
	const openAgain = (): void => {
		const again = pickedUp
		const at = again && parts.bank().state().compartments[again.errand.compartment]
		if (!again || !seat.who || !seat.visit || again.left === 0 || time.now() >= again.until || time.now() > again.grant.notAfter || at?.hold) return
		const session = newId('doorSession', time.now(), parts.random)
		const { compartment, caseId, lineId } = again.errand
		const { method, credential } = seat.who
		const why = { visit: seat.visit.id, case: caseId, line: lineId, method, credential, reason: 'open-again', decision: again.grant.decision }
		const asked = {
			session,
			command: `${seat.visit.id}/${session}`,
			compartment,
			act: 'inspect' as const,
			subject: seat.who.subject,
			needs: 0 as const,
			why,
		}
		const step = parts.bank().release(asked, { events: [] }, false)
		if (step === 'storage-full') return show({ name: 'out-of-service', why: 'storage-full' }, IDLE.notice)
		if (step.refused) return deny(step.refused === 'door-open' ? 'door-open' : 'compartment-unavailable')
		again.left -= 1
		errand = { ...again.errand, session }
		showDoor()
	}

	const ended = (e: Errand, end: Ended): void => {
		seat.visit = seat.visit && journal.fact<Visit>('visit', seat.visit.id)
		const openFor = end.session.openedAt === undefined ? 0 : time.now() - end.session.openedAt
		// Whoever shuts a door that stood open this long need not be the one who opened it; and a code opens one door (T3), or those of its parcels.
		if (openFor > IDLE.home || (seat.who?.method === 'code' && !seat.who.pickUp && end.end === 'committed')) seat.who = undefined
		if (!seat.who) pickedUp = pickedUp && { ...pickedUp, left: 0 }
		if (end.session.act === 'inspect' && end.end !== 'ambiguous' && pickedUp?.done) return showDone(pickedUp.done)
		if (end.end === 'committed') return succeeded(e, end)
		// Nothing was put in because it did not fit: the next size opens without another touch.
		if (end.end === 'no-change' && tooSmall === end.session.id && e.thing.kind === 'parcel' && seat.who)
			return parcels.dropOff(e.thing.parcel, { except: e.compartment, larger: true })
		const compartment = parts.bank().state().compartments[e.compartment]
		const next = {
			retry: seat.who !== undefined,
			other: seat.who !== undefined && otherDoor(e),
			larger: seat.who !== undefined && parcels.largerDoor(e),
		}
		const after = endScreen(factsOf(e), end, compartment, next)
		if (after.name === 'needs-help') parts.signal('denied')
		show(after, after.name === 'needs-help' ? IDLE.incident : IDLE.home)
	}

	const succeeded = (e: Errand, end: Ended): void => {
		const due = e.act === 'collect' && e.thing.kind === 'asset' ? cases.due(e.caseId) : undefined
		const left = seat.who && e.thing.kind === 'parcel' ? parcels.leftAfter(e.thing, seat.who) : 0
		parts.signal('granted')
		if (e.act === 'collect' && seat.who && granted) pickedUp = { errand: e, grant: granted, until: time.now() + REOPEN.withinMs, left: REOPEN.times }
		showDone({
			name: 'done',
			...factsOf(e),
			...(due !== undefined && { due }),
			evidence: end.evidence,
			receipt: receiptOf(end.session.id),
			...(left > 0 && { more: left }),
		})
	}

	const otherDoor = ({ thing, act, compartment }: Errand): boolean =>
		thing.kind === 'parcel' ? parcels.otherDoor(act, compartment, thing.parcel) : loans.otherDoor(act, compartment, thing.asset)

	const again = (): void => {
		const e = errand
		if (!e || live()) return
		if ((e.act === 'collect' ? collectAgain(e) : depositInto(e.compartment, e)) === 'next') deny('compartment-unavailable')
	}

	const collectAgain = ({ thing, ...of }: Errand): Tried =>
		thing.kind === 'parcel' ? parcels.takeOut({ ...of, thing }) : loans.collect({ ...of, asset: thing.asset })

	/** X1, X4: the next compartment; what was promised in the first one is given back. After a doubt a pick-up needs the person anew (R4). */
	const elsewhere = (): void => {
		const e = errand
		if (!e || live() || !seat.who) return finish()
		if (e.thing.kind === 'parcel') return e.act === 'deposit' ? parcels.dropOff(e.thing.parcel, { except: e.compartment }) : finish()
		const { asset } = e.thing
		if (e.act === 'deposit') return loans.bringBack(e.caseId, e.lineId, asset, e.compartment)
		if (seat.screen.name === 'needs-help') return finish()
		if (seat.visit) giveBack(seat.visit)
		errand = undefined
		loans.borrow(asset.type)
	}

	/** X7. At the open door it is noted, and the larger one opens when this one is shut empty. */
	const larger = (): void => {
		const session = live()
		if (errand?.thing.kind !== 'parcel' || errand.act !== 'deposit') return
		if (seat.screen.name === 'no-change')
			return seat.who ? parcels.dropOff(errand.thing.parcel, { except: errand.compartment, larger: true }) : finish()
		if (seat.screen.name !== 'open' || session?.state !== 'opened' || !parcels.largerDoor(errand)) return
		tooSmall = session.id
		showDoor()
	}

	/** Cases of a visit that were promised something and got nothing. */
	const giveBack = (of: Visit): void => {
		for (const step of of.plan) {
			if (step.act !== 'collect' || step.state === 'done' || step.state === 'active') continue
			const entry = cases.cancel(step.caseId, step.lineId, of.subject as Id<'subject'>)
			if (entry) journal.commit({ ...entry, essential: true })
		}
	}

	const endVisit = (of: Visit): void => {
		giveBack(of)
		const data = { doors: of.plan.filter((s) => s.state === 'done').length }
		journal.commit({
			events: [{ type: 'visit.ended', subject: of.id, ...(seat.who && of === seat.visit && { actor: seat.who.subject }), data }],
			drop: [{ kind: 'visit', key: of.id }],
			essential: true,
		})
	}

	const say = (said: Parameters<Errands['say']>[0]): void => {
		const session = live()
		if (!errand || !session) return
		if (said === 'did-not-open' && session.state === 'opened') {
			stuck = session.id
			return showDoor()
		}
		parts.bank().input({ kind: 'said', compartment: errand.compartment, fence: session.fence, said })
	}

	const identified = (text: string): boolean => {
		const session = live()
		// What is it that goes in or comes out (E4, X6)?
		const asset = parts.authority.current()?.bundle.assets.find((a) => a.tag === text)
		const item = asset?.id ?? cases.parcels().find((p) => p.tag === text)?.lineId
		if (!errand || !session || !item) return false
		parts.bank().input({ kind: 'identified', compartment: errand.compartment, fence: session.fence, item })
		return true
	}

	return {
		live: () => live(),
		current: () => errand,
		forget() {
			errand = undefined
			pickedUp = undefined
		},
		take,
		handle,
		again,
		elsewhere,
		larger,
		openAgain,
		say,
		identified,
		setAside() {
			if (!errand || !live()) return
			aside.set(errand.session, errand)
			home()
		},
		refused,
		endVisit,
		underWay,
		stepped(step) {
			const mine = errand && step.ended.find((end) => end.session.id === errand?.session)
			for (const end of step.ended) endAside(end)
			if (errand && mine) {
				ended(errand, mine)
				return true
			}
			if (errand && live()) showDoor()
			else askAside()
			return false
		},
		restore,
	}

	/** A door that was set aside has ended: on the screen where nobody else is at it, else only on record. */
	function endAside(end: Ended): void {
		const e = aside.get(end.session.id)
		if (!e || !aside.delete(end.session.id)) return
		const of = visitOf(e)
		if (takeUp(e, of)) return ended(e, end)
		try {
			if (of) endVisit(of)
		} catch (fault) {
			// The door's end is on record; that the visit is over can be written when the next one begins.
			if (!isFault(fault, 'journal-full')) throw fault
		}
	}

	/** Shut behind somebody who went, and no sensor can tell what is inside: whoever stands here may know. */
	function askAside(): void {
		for (const e of aside.values()) {
			if (!live(e)?.asking || !takeUp(e, visitOf(e))) continue
			aside.delete(e.session)
			return showDoor()
		}
	}

	function takeUp(e: Errand, of: Visit | undefined): boolean {
		const free = seat.screen.name === 'attract' || seat.screen.name === 'out-of-service'
		if (seat.visit || errand || !free || !of) return false
		seat.visit = of
		errand = e
		return true
	}

	function underWay(): Set<string> {
		return new Set(Object.values(parts.bank().state().compartments).flatMap((c) => c.session?.id ?? []))
	}

	function visitOf(e: Errand): Visit | undefined {
		return [...journal.facts<Visit>('visit').values()].find((v) => v.plan.some((s) => s.doorSessions.includes(e.session)))
	}

	/** After a restart: the screen goes back to a door that is live. Who stands there now is not known, so nobody is signed in (R4). */
	function restore(): void {
		const assets = new Map(parts.authority.current()?.bundle.assets.map((a) => [a.id as string, a]))
		const sessions = new Map(
			Object.values(parts.bank().state().compartments).flatMap((c) => (c.session ? [[c.session.id as string, c] as const] : [])),
		)
		for (const left of journal.facts<Visit>('visit').values()) {
			const step = left.plan.find((s) => s.state === 'active' && sessions.has(s.doorSessions.at(-1) ?? ''))
			const at = sessions.get(step?.doorSessions.at(-1) ?? '')
			const asset = assets.get(at?.session?.item ?? '')
			const thing: Thing | undefined = asset ? { kind: 'asset', asset } : step && parcelAt(step, left.subject)
			if (left.state === 'open' && step && at?.session && thing) {
				const e = { stepId: step.id, act: step.act, caseId: step.caseId, lineId: step.lineId, thing, compartment: at.id, session: at.session.id }
				if (takeUp(e, left)) showDoor()
				else aside.set(e.session, e)
			} else records.interrupt(left, new Set(sessions.keys()))
		}
	}

	function parcelAt(step: visits.Step, subject: string): Thing | undefined {
		const parcel = cases.parcels().find((p) => p.lineId === step.lineId)
		const task = step.act === 'deposit' ? 'drop-off' : parcel?.owner === subject ? 'pick-up' : 'pull'
		return parcel && { kind: 'parcel', parcel, task }
	}
}
