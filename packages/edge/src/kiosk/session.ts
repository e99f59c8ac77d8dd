import { type Asset, type Grant, type Identity, strengthen } from '@latchwork/core/access'
import { type Clock, type Id, isFault, newId, type Random } from '@latchwork/core/base'
import { type Ended, type Evidence, KIOSK_TIMERS as IDLE, lastItem, REOPEN, type Step } from '@latchwork/core/door'
import type { EventDraft } from '@latchwork/core/ledger'
import * as visits from '@latchwork/core/visit'
import type { DenyReason, KioskAct, KioskScreen } from '@latchwork/core/wire'
import type { ReaderEvent } from '@latchwork/drivers/reader'
import type { Bank } from '../bank/index.ts'
import type { CaseEntry, Cases, Parcel } from '../cases/index.ts'
import type { Entry, Journal } from '../journal/index.ts'
import type { AuthoritySource } from '../sync/authority.ts'
import type { TrustedTime } from '../time.ts'
import { doorFacts, endScreen, liveScreen, receiptOf } from './door-screens.ts'
import type { Known, Shown } from './identify.ts'
import type { Choice, Intent, Intents } from './intents.ts'
import { keypadRule, typeKeys } from './keypad.ts'
import { itemOf, shownOf, type Thing, workflowOf } from './things.ts'
import { visitRecords } from './visits.ts'

type Visit = visits.Visit
type CompartmentId = Id<'compartment'>

export interface SessionParts {
	readonly bankId: Id<'bank'>
	readonly journal: Journal
	readonly bank: () => Bank
	readonly cases: Cases
	readonly authority: AuthoritySource
	readonly time: TrustedTime
	readonly clock: Pick<Clock, 'after' | 'mono'>
	readonly random: Random
	readonly identify: (shown: Shown) => Known
	/** Where the server may know somebody whom the bundle does not: settles, soon, when there is nothing more to wait for. */
	readonly inquire: (shown: Shown) => Promise<void> | undefined
	readonly intents: Intents
	/** Door number on the metal. */
	readonly number: (compartment: string) => number
	/** What stands in the way of everything, or undefined. */
	readonly outOfService: () => Extract<KioskScreen, { name: 'out-of-service' }>['why'] | undefined
	readonly signal: (what: 'granted' | 'denied' | 'idle') => void
	/** The screen has changed. */
	readonly changed: () => void
}

export interface KioskSession {
	screen(): KioskScreen
	/** Rises with each screen; an act on an older one does nothing. */
	turn(): number
	idle(): { warnAt: number; endsAt: number; extensionsLeft: number } | undefined
	/** False: the screen has moved on. */
	act(turn: number, act: KioskAct): boolean
	/** Somebody is identified here, or an errand of theirs is not over. */
	busy(): boolean
	reader(event: ReaderEvent): void
	/** Case, visit and incident of a door session that ends, and cases settled by a look inside: same transaction as the door's. */
	follow(step: Step): CaseEntry
	stepped(step: Step): void
	/** Takes up what a restart interrupted. */
	restore(): void
	stop(): void
}

const MOST_MISMATCHES = 2

/** As many as the screen has room for, beside the touch for more. */
const PARCELS_SHOWN = 4

/** What a door is being opened for; kept in the visit's plan, this is its image for the screen. */
interface Errand {
	readonly stepId: string
	readonly act: 'collect' | 'deposit'
	readonly caseId: string
	readonly lineId: string
	readonly thing: Thing
	readonly compartment: CompartmentId
	readonly session: Id<'doorSession'>
}

/** A thing and the door for it. */
type Place = Pick<Errand, 'thing' | 'compartment'>

type Done = Extract<KioskScreen, { name: 'done' }>

/** The line of a case that a door would move, what to write with it and what must be proven. */
interface Ready {
	readonly caseId: string
	readonly lineId: string
	readonly entry: CaseEntry
	readonly evidence: Evidence
}

const NOTHING: CaseEntry = { events: [], put: [], drop: [] }

export function openSession(parts: SessionParts): KioskSession {
	const { journal, cases, time, clock } = parts
	let screen: KioskScreen = { name: 'attract' }
	let turn = 0
	let idle: { warnAt: number; endsAt: number; extensionsLeft: number; cancel: () => void } | undefined
	let who: Identity | undefined
	let visit: Visit | undefined
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
	/** The list that staff work through, and how far they have turned it. */
	let round: { readonly task: 'drop-off' | 'pull'; from: number } | undefined
	/** Compartments of this errand in which the sensor sees something else than the record says. */
	let mismatches = 0
	let typed = ''
	let offered = new Map<string, Intent>()
	/** Written with the first door of a visit that began with a one-time code (I9). */
	let code: string | undefined
	/** Where Help was asked for. */
	let beforeHelp: KioskScreen | undefined
	let stopped = false

	const show = (next: KioskScreen, idleMs?: number, extensionsLeft: number = IDLE.extensions): void => {
		idle?.cancel()
		idle = undefined
		screen = next
		turn += 1
		if (idleMs !== undefined) startIdle(idleMs, extensionsLeft)
		parts.changed()
	}

	const startIdle = (ms: number, extensionsLeft: number): void => {
		const endsAt = time.now() + ms
		idle = { warnAt: endsAt - Math.min(IDLE.warn, ms / 2), endsAt, extensionsLeft, cancel: clock.after(ms, () => guarded(timedOut)) }
	}

	/**
	 * The disk takes no record, so what was asked for has not happened (R13). The screen says so, and comes back to it by itself;
	 * no door of this person is open then, as an open door's facts wait in the bank.
	 */
	const guarded = (act: () => void): void => {
		try {
			act()
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
			typed = ''
			show({ name: 'out-of-service', why: 'storage-full' }, IDLE.notice)
		}
	}

	/** Nobody answers: home; a question about the content that stays unanswered leaves the compartment to a person. */
	const timedOut = (): void => {
		if (screen.name === 'confirm' && errand)
			parts.bank().input({ kind: 'said', compartment: errand.compartment, fence: fenceOf(errand), said: 'unanswered' })
		else finish()
	}

	const home = (): void => {
		who = undefined
		pickedUp = undefined
		visit = undefined
		errand = undefined
		typed = ''
		code = undefined
		beforeHelp = undefined
		round = undefined
		offered = new Map()
		const why = parts.outOfService()
		parts.signal('idle')
		show(why ? { name: 'out-of-service', why } : { name: 'attract', ...(keypad().code && { codes: true as const }) })
	}

	/** Somebody else wants to use the kiosk: the open door stays its person's, and the screen is free. */
	const setAside = (): void => {
		if (!errand || !live()) return
		aside.set(errand.session, errand)
		home()
	}

	const deny = (reason: DenyReason, until?: number): void => {
		parts.signal('denied')
		show({ name: 'denied', reason, ...(until !== undefined && { until }) }, IDLE.notice)
	}

	const live = (e = errand) => {
		const session = e && parts.bank().state().compartments[e.compartment]?.session
		return session && session.id === e?.session ? session : undefined
	}
	const fenceOf = (e: Errand) => parts.bank().state().compartments[e.compartment]?.fence ?? -1
	const records = visitRecords(parts)
	const put = records.put

	// ── who is it ──

	const shown = (what: Shown): void => {
		if (parts.outOfService()) return finish()
		const open = live()
		// One person at a kiosk: an open door is somebody's, until it has stood open for a while.
		if (open && open.level === 'calm') {
			refused({ type: 'decision.denied', subject: parts.bankId, actor: 'edge', data: { method: what.kind, reason: 'door-open' } })
			return parts.signal('denied')
		}
		parts.authority.refresh()
		const answered = open ? undefined : parts.inquire(what)
		if (answered) return ask(what, answered)
		identified(what)
	}

	/** One tap is enough, however long the answer takes; what is shown or touched meanwhile waits for the next screen. */
	const ask = (what: Shown, answered: Promise<void>): void => {
		show({ name: 'asking' })
		const mine = turn
		void answered.then(() => {
			if (turn === mine && !stopped) guarded(() => identified(what))
		})
	}

	const identified = (what: Shown): void => {
		const open = live()
		const known = parts.identify(what)
		if (open && (!known.ok || known.who.subject === open.subject)) return parts.signal('denied')
		if (open) setAside()
		if (known.ok) return welcome(known.who, known.with)
		if (what.kind !== 'pin' || known.reason !== 'wrong-pin') return deny(known.reason, known.until)
		parts.signal('denied')
		typed = ''
		show({ name: 'pin', entered: 0, ...keypad(), wrong: true, ...(known.until !== undefined && { waitUntil: known.until }) }, IDLE.home)
	}

	const welcome = (shownNow: Identity, also: Pick<Entry, 'put'>): void => {
		if (visit && who?.subject !== shownNow.subject) finish()
		// Badge and PIN of one person in one visit are worth more than either (second factor).
		const both = who && who.method !== shownNow.method ? strengthen(who, shownNow) : undefined
		const person = both?.ok ? both : shownNow
		const { subject, credential, method } = person
		for (const left of records.leftOver(visit, sessionsUnderWay())) endVisit(left)
		records.expire()
		const left = records.resumable(subject)
		const resumed = left && visits.resume(left, { subject, credential, method }, time.now())
		const current = visit ?? (resumed && !('refused' in resumed) ? resumed : visits.startVisit({ ...newVisit(), subject, credential, method }))
		const started: EventDraft = {
			type: 'visit.started',
			subject: current.id,
			actor: subject,
			data: { method, assurance: person.assurance, commitment: person.commitment, resumed: left !== undefined },
		}
		journal.commit({ events: visit && !both ? [] : [started], put: [put(current), ...(also.put ?? [])], essential: true })
		who = person
		visit = current
		typed = ''
		code = person.jti
		parts.signal('granted')
		// A code says what for: the first door opens at once.
		if (person.pickUp) next()
		else choose()
	}

	const newVisit = () => ({ id: newId('visit', time.now(), parts.random), bank: parts.bankId, startedAt: time.now() })

	const choose = (): void => {
		if (!who) return finish()
		round = undefined
		const found = [...records.unfinished(visit), ...parts.intents.of(who)]
		offered = new Map(found.map(({ choice, intent }) => [choice.id, intent]))
		show({ name: 'choose', choices: found.map(({ choice }): Choice => choice) }, IDLE.home)
	}

	const keys = (text: string): void => {
		if (screen.name !== 'pin') {
			if (screen.name !== 'attract' && screen.name !== 'denied' && screen.name !== 'choose') return
			typed = ''
		}
		if (screen.name === 'pin' && screen.waitUntil !== undefined && time.now() < screen.waitUntil) return
		const after = typeKeys(typed, text, keypad())
		typed = after.typed
		if (after.whole !== undefined) return shown({ kind: 'pin', pin: after.whole })
		show({ name: 'pin', entered: typed.length, ...keypad(), wrong: false }, IDLE.home)
	}
	const keypad = () => {
		const bundle = parts.authority.current()?.bundle
		return keypadRule(bundle?.settings, (bundle?.codes ?? []).length > 0)
	}

	const scanned = (text: string): void => {
		const open = errand && live()
		if (!errand || !open) {
			const parcel = who && parts.intents.parcels(who, round?.task ?? 'drop-off').find((p) => p.tag === text)
			return parcel && (screen.name === 'parcels' || screen.name === 'choose')
				? handle(parcel, round?.task ?? 'drop-off')
				: shown({ kind: 'code', text })
		}
		// A tag held to the scanner at an open door: what is it that goes in or comes out (E4, X6)?
		const asset = parts.authority.current()?.bundle.assets.find((a) => a.tag === text)
		const item = asset?.id ?? cases.parcels().find((p) => p.tag === text)?.lineId
		if (item) parts.bank().input({ kind: 'identified', compartment: errand.compartment, fence: open.fence, item })
		else if (open.level !== 'calm') shown({ kind: 'code', text })
	}

	// ── what for ──

	const take = (intent: Intent): void => {
		mismatches = 0
		if (intent.kind === 'borrow') return borrow(intent.type)
		if (intent.kind === 'return') return bringBack(intent.loan.caseId, intent.loan.lineId, intent.asset)
		if (intent.kind === 'pick-up') return handle(intent.parcel, 'pick-up')
		if (intent.kind === 'parcels') return list(intent.task)
		if (collectAgain({ ...intent, thing: { kind: 'asset', asset: intent.asset } }) === 'next') deny('compartment-unavailable')
	}

	/** What staff put in or take out now, a screenful at a time. */
	const list = (task: 'drop-off' | 'pull', from = 0): void => {
		if (!who) return finish()
		const all = parts.intents.parcels(who, task)
		if (all.length === 0) return choose()
		const start = from < all.length ? from : 0
		round = { task, from: start }
		const shownNow = all.slice(start, start + PARCELS_SHOWN)
		const parcels = shownNow.map((parcel) => {
			const { lineId, hint, size, compartment, state } = parcel
			const why = (['expired', 'recalled'] as const).find((one) => one === state)
			return {
				id: lineId,
				item: shownOf({ kind: 'parcel', parcel, task }),
				...(hint && { hint }),
				...(size && { size }),
				...(compartment && task === 'pull' && { door: { number: parts.number(compartment) } }),
				...(why && { why }),
			} as const
		})
		show({ name: 'parcels', task, from: start, total: all.length, parcels }, IDLE.home)
	}

	/** The next parcel of the order opens its door; of a round the list comes back. */
	const next = (): void => {
		if (!who) return finish()
		if (round) return list(round.task, round.from)
		const [parcel] = parts.intents.waiting(who)
		if (parcel) handle(parcel, 'pick-up')
		else if (who.pickUp) deny('compartment-unavailable')
		else choose()
	}

	const handle = (parcel: Parcel, task: 'drop-off' | 'pick-up' | 'pull'): void => {
		mismatches = 0
		if (task === 'drop-off') return dropOff(parcel)
		const { compartment } = parcel
		if (compartment === undefined || takeOut({ thing: { kind: 'parcel', parcel, task }, compartment }) === 'next') deny('compartment-unavailable')
	}

	/** Into the smallest that it fits (X7), then the next when one will not do. `except`: this one was tried. */
	const dropOff = (parcel: Parcel, more: { readonly except?: CompartmentId; readonly larger?: true } = {}): void => {
		const reason = parts.intents.loansWait()
		if (reason) return deny(reason)
		const above = more.larger && more.except ? sizeOf(more.except) : undefined
		const places = parts.intents.placesFor({ parcel, ...(above && { above }) }).filter((id) => id !== more.except)
		const { caseId, lineId } = parcel
		for (const compartment of places) {
			if (depositInto(compartment, { caseId, lineId, thing: { kind: 'parcel', parcel, task: 'drop-off' } }) === 'shown') return
		}
		show({ name: 'bank-full', ...(more.larger && { larger: true as const }) }, IDLE.notice)
	}

	const takeOut = (place: Place & { readonly thing: Extract<Thing, { kind: 'parcel' }> }): 'shown' | 'next' => {
		const { parcel, task } = place.thing
		const { caseId, lineId } = parcel
		return attempt('collect', place, ({ subject, credential }) => {
			if (task === 'pull') return { caseId, lineId, entry: NOTHING, evidence: cases.evidence(caseId, lineId, 'collect', subject) }
			const ready = cases.dispense(caseId, lineId, subject)
			if (!ready || !who?.pickUp) return ready && { ...ready, caseId, lineId }
			const used: EventDraft = {
				type: 'credential.code-used',
				subject: visit?.id ?? caseId,
				actor: subject,
				data: { jti: credential, case: caseId, line: lineId },
			}
			return { ...ready, entry: { ...ready.entry, events: [used, ...ready.entry.events] }, caseId, lineId }
		})
	}

	const sizeOf = (id: CompartmentId) => parts.authority.current()?.bundle.bank.compartments.find((c) => c.id === id)?.size

	/**
	 * The decision that binds, for every door and every try: it may have changed since the screen was made, or since the last try
	 * (I13). `next`: this compartment would not do; anything else has its screen already.
	 */
	const attempt = (act: Errand['act'], place: Place, line: (who: Identity) => Ready | undefined): 'shown' | 'next' => {
		const by = parts.authority.current()
		// Nobody is signed in any more: the door stood open too long, or a restart came between.
		if (!who || !by) {
			finish()
			return 'shown'
		}
		const decision = parts.intents.decide(who, by, act, place.thing, place.compartment)
		const record = decided(decision.decision, place.thing)
		if (decision.effect === 'deny') {
			refused(record)
			deny(decision.reason, decision.until)
			return 'shown'
		}
		const ready = line(who)
		if (!ready) return 'next'
		const entry = { ...ready.entry, events: [record, ...ready.entry.events] }
		const { caseId, lineId, evidence } = ready
		return openDoor(act, { caseId, lineId }, place, decision.grant, entry, evidence) ? 'shown' : 'next'
	}

	/** A refusal is a refusal even where it cannot be recorded; it never spends the space held back for returns and alarms. */
	const refused = (event: EventDraft): void => {
		try {
			journal.commit({ events: [event] })
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
		}
	}

	const borrow = (type: string): void => {
		const reason = parts.intents.loansWait()
		if (reason) {
			const data = { method: who?.method ?? 'none', reason }
			refused({ type: 'decision.denied', subject: parts.bankId, ...(who && { actor: who.subject }), data })
			return deny(reason)
		}
		const candidates = parts.intents.candidates(type)
		for (const candidate of candidates) {
			const facts = { entitled: true, stock: candidates.length, freeCompartments: 0, recalled: false, spareReturned: false }
			const begin = ({ subject }: Identity): Ready | undefined => {
				const begun = cases.begin(subject, candidate.asset.id, candidate.compartment, facts)
				return 'refused' in begun ? undefined : begun
			}
			const { asset, compartment } = candidate
			if (attempt('collect', { thing: { kind: 'asset', asset }, compartment }, begin) === 'shown') return
		}
		deny('nothing-available')
	}

	/** What was allotted and not taken; it may have run out meanwhile. */
	const collectAgain = (of: Pick<Errand, 'caseId' | 'lineId' | 'thing' | 'compartment'>): 'shown' | 'next' => {
		const { thing, compartment } = of
		if (thing.kind === 'parcel') return takeOut({ thing, compartment })
		return attempt('collect', of, ({ subject }) => {
			const ready = cases.dispense(of.caseId, of.lineId, subject)
			return ready && { ...ready, caseId: of.caseId, lineId: of.lineId }
		})
	}

	const depositInto = (compartment: CompartmentId, of: Pick<Errand, 'caseId' | 'lineId' | 'thing'>): 'shown' | 'next' =>
		attempt('deposit', { thing: of.thing, compartment }, ({ subject }) => {
			const { caseId, lineId } = of
			return { caseId, lineId, entry: NOTHING, evidence: cases.evidence(caseId, lineId, 'deposit', subject) }
		})

	const bringBack = (caseId: string, lineId: string, asset: Asset, except?: CompartmentId): void => {
		for (const compartment of parts.intents.emptyCompartments().filter((id) => id !== except)) {
			if (depositInto(compartment, { caseId, lineId, thing: { kind: 'asset', asset } }) === 'shown') return
		}
		show({ name: 'bank-full' }, IDLE.notice)
	}

	/** Writes everything with the `releasing` row, then the pulse follows. False: this compartment would not do, try the next. */
	const openDoor = (
		act: Errand['act'],
		of: { caseId: string; lineId: string },
		{ thing, compartment }: Place,
		grant: Grant,
		entry: CaseEntry,
		needs: Evidence,
	): boolean => {
		if (!who || !visit || grant.subject !== who.subject || time.now() > grant.notAfter) return false
		const session = newId('doorSession', time.now(), parts.random)
		const waiting = visits.nextStep(visit)
		const planned = waiting?.caseId === of.caseId && waiting.act === act ? waiting : undefined
		const stepId = planned?.id ?? session
		const grown = planned ? visit : visits.addStep(visit, { id: stepId, act, workflow: workflowOf(thing), ...of, compartment }, 'next')
		const active = 'refused' in grown ? grown : visits.activate(grown, stepId, session, compartment)
		if ('refused' in active) return false
		const used = code === undefined ? undefined : code
		const step = parts.bank().release(
			{
				session,
				// Touches on one screen are told apart by its turn already; a turn counts anew after a restart, and this visit may go on then.
				command: `${visit.id}/${session}`,
				compartment,
				act,
				subject: who.subject,
				item: itemOf(thing),
				needs,
				why: { visit: visit.id, case: of.caseId, line: of.lineId, method: who.method },
			},
			{
				events: [
					...entry.events,
					...(used ? [{ type: 'credential.code-used', subject: visit.id, actor: who.subject, data: { jti: used } } satisfies EventDraft] : []),
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
		code = undefined
		granted = grant
		visit = active
		errand = { stepId, act, ...of, thing, compartment, session }
		showDoor()
		return true
	}

	const decided = (record: { id: string; effect: string; rules: readonly string[] } & object, thing: Thing): EventDraft => {
		const { id, effect, ...data } = record as { id: string; effect: 'allow' | 'deny' } & Record<string, string | number | boolean | readonly string[]>
		return {
			type: effect === 'allow' ? 'decision.allowed' : 'decision.denied',
			subject: id,
			...(who && { actor: who.subject }),
			data: { ...data, ...(thing.kind === 'asset' ? { asset: thing.asset.id } : { case: thing.parcel.caseId, line: thing.parcel.lineId }) },
		}
	}

	// ── at the door ──

	const factsOf = (e: Errand) => doorFacts(parts.number(e.compartment), e.act, e.thing)

	const showDoor = (): void => {
		const session = live()
		const at = errand && parts.bank().state().compartments[errand.compartment]
		if (!errand || !session || !at) return
		const said = { stuck: stuck === session.id, tooSmall: tooSmall === session.id, larger: largerDoor(errand) }
		const shownNext = liveScreen(factsOf(errand), session, at, time.now(), said)
		if (shownNext.name === 'confirm') return screen.name === 'confirm' ? undefined : show(shownNext, IDLE.home)
		if (shownNext.name === 'opening' || JSON.stringify(shownNext) !== JSON.stringify(screen)) show(shownNext)
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
		if (!again || !who || !visit || again.left === 0 || time.now() >= again.until || time.now() > again.grant.notAfter || at?.hold) return
		const session = newId('doorSession', time.now(), parts.random)
		const { compartment, caseId, lineId } = again.errand
		const why = { visit: visit.id, case: caseId, line: lineId, method: who.method, reason: 'open-again', decision: again.grant.decision }
		const asked = { session, command: `${visit.id}/${session}`, compartment, act: 'inspect' as const, subject: who.subject, needs: 0 as const, why }
		const step = parts.bank().release(asked, { events: [] }, false)
		if (step === 'storage-full') return show({ name: 'out-of-service', why: 'storage-full' }, IDLE.notice)
		if (step.refused) return deny(step.refused === 'door-open' ? 'door-open' : 'compartment-unavailable')
		again.left -= 1
		errand = { ...again.errand, session }
		showDoor()
	}

	const ended = (e: Errand, end: Ended): void => {
		visit = visit && journal.fact<Visit>('visit', visit.id)
		const openFor = end.session.openedAt === undefined ? 0 : time.now() - end.session.openedAt
		// Whoever shuts a door that stood open this long need not be the one who opened it; and a code opens one door (T3), or those of its parcels.
		if (openFor > IDLE.home || (who?.method === 'code' && !who.pickUp && end.end === 'committed')) who = undefined
		if (!who) pickedUp = pickedUp && { ...pickedUp, left: 0 }
		if (end.session.act === 'inspect' && end.end !== 'ambiguous' && pickedUp?.done) return showDone(pickedUp.done)
		if (end.end === 'committed') return succeeded(e, end)
		// Nothing was put in because it did not fit: the next size opens without another touch.
		if (end.end === 'no-change' && tooSmall === end.session.id && e.thing.kind === 'parcel' && who)
			return dropOff(e.thing.parcel, { except: e.compartment, larger: true })
		const compartment = parts.bank().state().compartments[e.compartment]
		const next = { retry: who !== undefined, other: who !== undefined && otherDoor(e), larger: who !== undefined && largerDoor(e) }
		const after = endScreen(factsOf(e), end, compartment, next)
		if (after.name === 'needs-help') parts.signal('denied')
		show(after, after.name === 'needs-help' ? IDLE.incident : IDLE.home)
	}

	const succeeded = (e: Errand, end: Ended): void => {
		const due = e.act === 'collect' && e.thing.kind === 'asset' ? cases.due(e.caseId) : undefined
		const left = who && e.thing.kind === 'parcel' ? leftAfter(e.thing, who) : 0
		parts.signal('granted')
		if (e.act === 'collect' && who && granted) pickedUp = { errand: e, grant: granted, until: time.now() + REOPEN.withinMs, left: REOPEN.times }
		showDone({
			name: 'done',
			...factsOf(e),
			...(due !== undefined && { due }),
			evidence: end.evidence,
			receipt: receiptOf(end.session.id),
			...(left > 0 && { more: left }),
		})
	}

	/** Doors that this person may want next. */
	const leftAfter = ({ task }: Extract<Thing, { kind: 'parcel' }>, person: Identity): number =>
		task === 'pick-up' ? parts.intents.waiting(person).length : parts.intents.parcels(person, task).length

	const otherDoor = (e: Errand): boolean => {
		const { thing } = e
		if (thing.kind === 'parcel') return e.act === 'deposit' && parts.intents.placesFor({ parcel: thing.parcel }).some((id) => id !== e.compartment)
		return e.act === 'deposit'
			? parts.intents.emptyCompartments().some((id) => id !== e.compartment)
			: parts.intents.candidates(thing.asset.type).some((c) => c.compartment !== e.compartment)
	}

	const largerDoor = ({ thing, act, compartment }: Errand): boolean => {
		const above = sizeOf(compartment)
		return thing.kind === 'parcel' && act === 'deposit' && above !== undefined && parts.intents.placesFor({ parcel: thing.parcel, above }).length > 0
	}

	const again = (): void => {
		const e = errand
		if (!e || live()) return
		if ((e.act === 'collect' ? collectAgain(e) : depositInto(e.compartment, e)) === 'next') deny('compartment-unavailable')
	}

	/** X1, X4: the next compartment; what was promised in the first one is given back. After a doubt a pick-up needs the person anew (R4). */
	const elsewhere = (): void => {
		const e = errand
		if (!e || live() || !who) return finish()
		if (e.thing.kind === 'parcel') return e.act === 'deposit' ? dropOff(e.thing.parcel, { except: e.compartment }) : finish()
		const { asset } = e.thing
		if (e.act === 'deposit') return bringBack(e.caseId, e.lineId, asset, e.compartment)
		if (screen.name === 'needs-help') return finish()
		if (visit) giveBack(visit)
		errand = undefined
		borrow(asset.type)
	}

	/** X7. At the open door it is noted, and the larger one opens when this one is shut empty. */
	const larger = (): void => {
		const session = live()
		if (errand?.thing.kind !== 'parcel' || errand.act !== 'deposit') return
		if (screen.name === 'no-change') return who ? dropOff(errand.thing.parcel, { except: errand.compartment, larger: true }) : finish()
		if (screen.name !== 'open' || session?.state !== 'opened' || !largerDoor(errand)) return
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
			events: [{ type: 'visit.ended', subject: of.id, ...(who && of === visit && { actor: who.subject }), data }],
			drop: [{ kind: 'visit', key: of.id }],
			essential: true,
		})
	}

	const finish = (): void => {
		if (live()) return
		if (visit) endVisit(visit)
		home()
	}

	const say = (said: 'did-not-open' | 'found-occupied' | 'found-empty' | 'wrong-item' | 'done' | 'not-done'): void => {
		const session = live()
		if (!errand || !session) return
		if (said === 'did-not-open' && session.state === 'opened') {
			stuck = session.id
			return showDoor()
		}
		parts.bank().input({ kind: 'said', compartment: errand.compartment, fence: session.fence, said })
	}

	/** From Help to where it was asked for; from a door that gave nothing to the choices. What is over stays over. */
	const back = (): void => {
		if (live() || screen.name === 'done' || screen.name === 'needs-help') return
		const before = screen.name === 'help' ? beforeHelp : undefined
		beforeHelp = undefined
		if (before && before.name !== 'choose' && before.name !== 'pin') return show(before, before.name === 'attract' ? undefined : IDLE.notice)
		if (who && round && screen.name !== 'parcels') return list(round.task, round.from)
		// A code is good for one door, or for those of its parcels: after that there is nothing else to choose (T3).
		return who && !(who.method === 'code' && (errand || who.pickUp)) ? choose() : finish()
	}

	/** What each touch means, by the screen it was made on; anything else is ignored. */
	const perform = (act: KioskAct): void => {
		switch (act.kind) {
			case 'start-pin':
				if (screen.name === 'attract' || screen.name === 'denied' || screen.name === 'choose')
					show({ name: 'pin', entered: 0, ...keypad(), wrong: false }, IDLE.home)
				return
			case 'keys':
				return keys(act.keys)
			case 'choose': {
				const intent = offered.get(act.id)
				if (screen.name === 'choose' && intent) take(intent)
				if (screen.name !== 'parcels' || !who) return
				const { task } = screen
				const parcel = parts.intents.parcels(who, task).find((p) => p.lineId === act.id)
				if (parcel) handle(parcel, task)
				else list(task)
				return
			}
			case 'next':
				if (screen.name === 'done' && screen.more) next()
				return
			case 'more':
				if (screen.name === 'parcels') list(screen.task, screen.from + PARCELS_SHOWN)
				return
			case 'larger-door':
				return larger()
			case 'retry':
				if (screen.name === 'not-opened' || screen.name === 'no-change') again()
				return
			case 'open-again':
				if (screen.name === 'done') openAgain()
				return
			case 'other-door':
				if (screen.name === 'not-opened' || screen.name === 'needs-help') elsewhere()
				return
			case 'did-not-open':
				return say('did-not-open')
			// Each is a finding of one act only: who brings something expects it to be empty.
			case 'it-is-empty':
				return errand?.act === 'collect' ? say('found-empty') : undefined
			case 'something-inside':
				return errand?.act === 'deposit' ? say('found-occupied') : undefined
			case 'wrong-item':
				return say('wrong-item')
			case 'next-person':
				if (screen.name === 'open' && live()?.level !== 'calm') setAside()
				return
			case 'confirm':
				return say(act.done ? 'done' : 'not-done')
			case 'more-time':
				if (idle && idle.extensionsLeft > 0) show(screen, IDLE.home, idle.extensionsLeft - 1)
				return
			case 'help':
				if (live() || screen.name === 'help' || screen.name === 'asking') return
				beforeHelp = screen
				return show({ name: 'help' }, IDLE.home)
			case 'back':
				return back()
			case 'finish':
				return finish()
		}
	}

	return {
		screen: () => screen,
		turn: () => turn,
		idle: () => idle && { warnAt: idle.warnAt, endsAt: idle.endsAt, extensionsLeft: idle.extensionsLeft },
		act(at, act) {
			if (at !== turn) return false
			guarded(() => perform(act))
			return true
		},
		busy: () => who !== undefined || visit !== undefined || live() !== undefined,
		reader(event) {
			if (screen.name === 'asking') return
			guarded(() => {
				if (event.kind === 'card') shown({ kind: 'badge', bitCount: event.bitCount, bits: event.bits, secure: event.secure })
				else if (event.kind === 'keys') keys(event.keys)
				else if (event.kind === 'scan') scanned(event.text)
			})
		},
		follow(step) {
			const looked = step.events.filter((e) => e.type === 'compartment.returned-to-service')
			const entries = [
				...step.ended.flatMap((end) => records.follow(end)),
				...looked.map((e) => {
					// Still as it was before this step.
					const before = parts.bank().state().compartments[e.subject]
					return cases.found(e.subject, e.data.item === undefined ? undefined : String(e.data.item), before && lastItem(before.content))
				}),
			]
			return entries.reduce(
				(sum, e) => ({ events: [...sum.events, ...e.events], put: [...sum.put, ...e.put], drop: [...sum.drop, ...e.drop] }),
				NOTHING,
			)
		},
		stepped(step) {
			const mine = errand && step.ended.find((end) => end.session.id === errand?.session)
			for (const end of step.ended) endAside(end)
			if (errand && mine) return ended(errand, mine)
			if (errand && live()) showDoor()
			else askAside()
			if (!visit && (screen.name === 'attract' || screen.name === 'out-of-service')) {
				const why = parts.outOfService()
				if ((screen.name === 'out-of-service') !== (why !== undefined)) home()
			}
			parts.changed()
		},
		restore: () => guarded(restore),
		stop() {
			stopped = true
			idle?.cancel()
		},
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
		const free = screen.name === 'attract' || screen.name === 'out-of-service'
		if (visit || errand || !free || !of) return false
		visit = of
		errand = e
		return true
	}

	function sessionsUnderWay(): Set<string> {
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
