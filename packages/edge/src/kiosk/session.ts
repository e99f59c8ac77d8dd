import { type BadgeRefusal, badgeFromBits, badgeText, type Identity, isCodeText, readBackOf, strengthen } from '@latchwork/core/access'
import { isFault, newId } from '@latchwork/core/base'
import { KIOSK_TIMERS as IDLE, lastItem, type Step } from '@latchwork/core/door'
import type { EventDraft } from '@latchwork/core/ledger'
import * as visits from '@latchwork/core/visit'
import { CLAIM_CODE_DIGITS, type DenyReason, type KioskAct, type KioskScreen, type ShownBadge } from '@latchwork/core/wire'
import type { ReaderEvent } from '@latchwork/drivers/reader'
import { type CaseEntry, NOTHING } from '../cases/index.ts'
import type { Entry } from '../journal/index.ts'
import { openErrands } from './errands.ts'
import type { Shown } from './identify.ts'
import type { Choice, Intent } from './intents.ts'
import { keypadRule, ONE_TIME_RULE, typeKeys } from './keypad.ts'
import type { Seat, SessionParts } from './seat.ts'
import { shownOf } from './things.ts'
import { visitRecords } from './visits.ts'

export interface KioskSession {
	screen(): KioskScreen
	/** Rises with each screen; an act on an older one does nothing. */
	turn(): number
	idle(): { warnAt: number; endsAt: number; extensionsLeft: number } | undefined
	/** False: the screen has moved on. */
	act(turn: number, act: KioskAct): boolean
	/** Somebody is identified here, or an errand of theirs is not over. */
	busy(): boolean
	reader(event: ReaderEvent, family: string): void
	/** Asks for a badge that is to be given to somebody; whoever holds it there is not identified by it. False: the kiosk is in use. */
	readBadge(done: (read: ReadBadge) => void): boolean
	/** Case, visit and incident of a door session that ends, and cases settled by a look inside: same transaction as the door's. */
	follow(step: Step): CaseEntry
	stepped(step: Step): void
	/** Takes up what a restart interrupted. */
	restore(): void
	stop(): void
}

/** What a reader said of a badge, or why nothing came of it. */
export type ReadBadge = ShownBadge | { readonly code: BadgeRefusal | 'no-badge' }

/** Where a label may be held to the scanner for the next parcel of the list. */
const TAKES_LABELS: ReadonlySet<KioskScreen['name']> = new Set(['choose', 'parcels', 'done', 'denied', 'bank-full'])

type Named<N extends KioskScreen['name']> = Extract<KioskScreen, { name: N }>

/** As many as the screen has room for, beside the touch for more. */
const PARCELS_SHOWN = 4

export function openSession(parts: SessionParts): KioskSession {
	const { journal, cases, time, clock } = parts
	const seat: Seat = { screen: { name: 'attract' } }
	/** Begins anywhere: a touch on a page that was shown before a restart is for none of the screens after it. */
	let turn = parts.random(3).reduce((sum, byte) => sum * 256 + byte, 0)
	let idle: { warnAt: number; endsAt: number; extensionsLeft: number; cancel: () => void } | undefined
	/** The list that staff work through, and how far they have turned it. */
	let round: { readonly task: 'drop-off' | 'pull'; readonly from: number } | undefined
	let typed = ''
	/** A one-time code is being typed, and no PIN. */
	let oneTime = false
	let offered = new Map<string, Intent>()
	/** Where Help was asked for. */
	let beforeHelp: KioskScreen | undefined
	/** What the person is asked whether they have lost it. */
	let losing: Extract<Intent, { kind: 'badge-lost' }>['badges'] = []
	let stopped = false
	let readBadge: ((read: ReadBadge) => void) | undefined

	const show = (next: KioskScreen, idleMs?: number, extensionsLeft: number = IDLE.extensions): void => {
		idle?.cancel()
		idle = undefined
		seat.screen = next
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
		if (seat.screen.name === 'confirm' && errands.current()) errands.say('unanswered')
		else finish()
	}

	const home = (): void => {
		readBadge?.({ code: 'no-badge' })
		readBadge = undefined
		seat.who = undefined
		errands.forget()
		seat.visit = undefined
		typed = ''
		oneTime = false
		seat.code = undefined
		beforeHelp = undefined
		round = undefined
		losing = []
		offered = new Map()
		const why = parts.outOfService()
		parts.signal('idle')
		show(why ? { name: 'out-of-service', why } : { name: 'attract', ...(keypad().code && { codes: true as const }) })
	}

	const deny = (reason: DenyReason, until?: number): void => {
		parts.signal('denied')
		show({ name: 'denied', reason, ...(until !== undefined && { until }) }, IDLE.notice)
	}

	const finish = (): void => {
		if (errands.live()) return
		if (seat.visit) errands.endVisit(seat.visit)
		home()
	}

	const records = visitRecords(parts)
	const errands = openErrands(parts, seat, records, { show, deny, finish, home })

	// ── who is it ──

	const shown = (what: Shown): void => {
		if (parts.outOfService()) return finish()
		const open = errands.live()
		// One person at a kiosk: an open door is somebody's, until it has stood open for a while.
		if (open && open.level === 'calm') {
			errands.refused({ type: 'decision.denied', subject: parts.bankId, actor: 'edge', data: { method: what.kind, reason: 'door-open' } })
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
		const open = errands.live()
		const known = parts.identify(what)
		if (open && (!known.ok || known.who.subject === open.subject)) return parts.signal('denied')
		if (open) errands.setAside()
		if (known.ok) return welcome(known.who, known.with)
		if (what.kind !== 'pin' || known.reason !== 'wrong-pin') return deny(known.reason, known.until)
		parts.signal('denied')
		typed = ''
		show({ name: 'pin', entered: 0, ...keypad(), wrong: true, ...(known.until !== undefined && { waitUntil: known.until }) }, IDLE.home)
	}

	const welcome = (shownNow: Identity, also: Pick<Entry, 'put'>): void => {
		if (seat.visit && seat.who?.subject !== shownNow.subject) finish()
		// Badge and PIN of one person in one visit are worth more than either (second factor).
		const both = seat.who && seat.who.method !== shownNow.method ? strengthen(seat.who, shownNow) : undefined
		const person = both?.ok ? both : shownNow
		const { subject, credential, method } = person
		for (const left of records.leftOver(seat.visit, errands.underWay())) errands.endVisit(left)
		records.expire()
		const left = records.resumable(subject)
		const resumed = left && visits.resume(left, { subject, credential, method }, time.now())
		const current = seat.visit ?? (resumed && !('refused' in resumed) ? resumed : visits.startVisit({ ...newVisit(), subject, credential, method }))
		const started: EventDraft = {
			type: 'visit.started',
			subject: current.id,
			actor: subject,
			data: { method, assurance: person.assurance, commitment: person.commitment, resumed: left !== undefined },
		}
		journal.commit({ events: seat.visit && !both ? [] : [started], put: [records.put(current), ...(also.put ?? [])], essential: true })
		seat.who = person
		seat.visit = current
		typed = ''
		seat.code = person.jti
		parts.signal('granted')
		// A code says what for: the first door opens at once.
		if (person.pickUp) next()
		else choose()
	}

	const newVisit = () => ({ id: newId('visit', time.now(), parts.random), bank: parts.bankId, startedAt: time.now() })

	const choose = (): void => {
		if (!seat.who) return finish()
		round = undefined
		const found = [...records.unfinished(seat.visit), ...parts.intents.of(seat.who)]
		offered = new Map(found.map(({ choice, intent }) => [choice.id, intent]))
		show({ name: 'choose', choices: found.map(({ choice }): Choice => choice) }, IDLE.home)
	}

	const claiming = (state: Named<'claim'>['state'], entered = 0): void =>
		show({ name: 'claim', entered, length: CLAIM_CODE_DIGITS, state }, IDLE.home)

	/** Somebody lets this machine in anew; nobody is identified by it, and nothing opens. */
	const claimKeys = (text: string): void => {
		// It was let in meanwhile.
		if (!parts.claim.needed()) return finish()
		const { typed: left, whole } = typeKeys(typed, text, { length: CLAIM_CODE_DIGITS })
		if (whole?.length !== CLAIM_CODE_DIGITS) {
			typed = whole ?? left
			return claiming('typing', typed.length)
		}
		typed = ''
		show({ name: 'claim', entered: CLAIM_CODE_DIGITS, length: CLAIM_CODE_DIGITS, state: 'asking' })
		const mine = turn
		void parts.claim.take(whole).then((came) => {
			if (turn === mine && !stopped) claiming(came)
		})
	}

	const keys = (text: string): void => {
		if (seat.screen.name === 'claim') return claimKeys(text)
		if (seat.screen.name !== 'pin') {
			if (seat.screen.name !== 'attract' && seat.screen.name !== 'denied' && seat.screen.name !== 'choose') return
			typed = ''
			oneTime = false
		}
		if (seat.screen.name === 'pin' && seat.screen.waitUntil !== undefined && time.now() < seat.screen.waitUntil) return
		// At a keypad with wires there is nothing to touch: its # before the first digit asks for room for a one-time code.
		if (typed === '' && text.startsWith('#') && keypad().oneTime === 'offered') {
			oneTime = true
			text = text.slice(1)
		}
		const after = typeKeys(typed, text, keypad())
		typed = after.typed
		if (after.whole !== undefined) return shown({ kind: 'pin', pin: after.whole })
		show({ name: 'pin', entered: typed.length, ...keypad(), wrong: false }, IDLE.home)
	}
	const startTyping = (longOne: boolean): void => {
		typed = ''
		oneTime = longOne
		show({ name: 'pin', entered: 0, ...keypad(), wrong: false }, IDLE.home)
	}

	const keypad = () => {
		if (oneTime) return ONE_TIME_RULE
		const known = parts.authority.current()
		return keypadRule(known?.bundle.settings, { codes: (known?.bundle.codes ?? []).length > 0, oneTime: (known?.mintKeys.size ?? 0) > 0 })
	}

	const scanned = (text: string): void => {
		const open = errands.live()
		if (open) {
			if (!errands.identified(text) && open.level !== 'calm') shown({ kind: 'code', text })
			return
		}
		const task = round?.task ?? 'drop-off'
		const listed = seat.who && TAKES_LABELS.has(seat.screen.name) ? parts.intents.parcels(seat.who, task) : []
		const parcel = listed.find((p) => p.tag === text)
		if (parcel) {
			round ??= { task, from: 0 }
			return errands.handle(parcel, task)
		}
		// Whoever has a list to work through holds labels to the scanner: a wrong one is no badge and no code, and nobody is refused.
		if (listed.length === 0 || isCodeText(text)) return shown({ kind: 'code', text })
		parts.signal('denied')
		list(task, round?.from, true)
	}

	/** The badge of somebody who has none yet: what it is goes to whoever asked, and nothing of it stays here. */
	const enrolled = (
		{ bitCount, bits, secure }: Pick<Extract<ReaderEvent, { kind: 'card' }>, 'bitCount' | 'bits' | 'secure'>,
		family: string,
	): void => {
		const done = readBadge
		// Shown once: more than one tap is not another badge.
		if (!done) return
		const reading = badgeFromBits({ bitCount, bits })
		readBadge = undefined
		parts.signal(reading.ok ? 'granted' : 'denied')
		show({ name: 'badge-reading', state: reading.ok ? 'read' : 'unusable' }, IDLE.notice)
		done(reading.ok ? { number: badgeText({ bitCount, bits: bits.slice(0, Math.ceil(bitCount / 8)) }), family, secure } : { code: reading.code })
	}

	// ── what for ──

	const chosen = (intent: Intent | undefined): void => {
		if (intent?.kind === 'parcels') list(intent.task)
		else if (intent?.kind === 'badge-lost') {
			losing = intent.badges
			show({ name: 'badge-lost', badges: losing.length, reported: false }, IDLE.home)
		} else if (intent) errands.take(intent)
	}

	/** Never without an answer of their own, and for no badge but theirs; there is no way back from it here. */
	const badgesLost = (): void => {
		if (!seat.who) return finish()
		const badges = losing
		losing = []
		parts.authority.lost(badges, seat.who.subject, { method: seat.who.method, credential: seat.who.credential })
		show({ name: 'badge-lost', badges: badges.length, reported: true }, IDLE.home)
	}

	/** One of the list, if it is still to be done. */
	const listed = (task: 'drop-off' | 'pull', line: string): void => {
		const parcel = seat.who && parts.intents.parcels(seat.who, task).find((p) => p.lineId === line)
		if (parcel) errands.handle(parcel, task)
		else list(task)
	}

	/** What staff put in or take out now, a screenful at a time. `strange`: a label was scanned that is none of theirs. */
	const list = (task: 'drop-off' | 'pull', from = 0, strange = false): void => {
		if (!seat.who) return finish()
		const all = parts.intents.parcels(seat.who, task)
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
		show({ name: 'parcels', task, from: start, total: all.length, parcels, ...(strange && { strange: true as const }) }, IDLE.home)
	}

	/** The next parcel of the order opens its door; of a round the list comes back. */
	const next = (): void => {
		if (!seat.who) return finish()
		if (round) return list(round.task, round.from)
		const [parcel] = parts.intents.waiting(seat.who)
		if (parcel) errands.handle(parcel, 'pick-up')
		else if (seat.who.pickUp) deny('compartment-unavailable')
		else choose()
	}

	/** For somebody who is known here and calls the help desk: nobody else can say these digits now (workflows.md X22). */
	const readBack = (): { readBack?: string } => {
		const keys = parts.authority.current()?.mintKeys
		const digits = seat.who && keys && !time.uncertain() ? readBackOf(keys, seat.who.subject, time.now(), parts.crypto) : undefined
		return digits === undefined ? {} : { readBack: digits }
	}

	// ── at the door ──

	/** From Help to where it was asked for; from a door that gave nothing to the choices. What is over stays over. */
	const back = (): void => {
		if (errands.live() || seat.screen.name === 'done' || seat.screen.name === 'needs-help') return
		const before = seat.screen.name === 'help' ? beforeHelp : undefined
		beforeHelp = undefined
		if (before && before.name !== 'choose' && before.name !== 'pin') return show(before, before.name === 'attract' ? undefined : IDLE.notice)
		if (seat.who && round && seat.screen.name !== 'parcels') return list(round.task, round.from)
		// A code is good for one door, or for those of its parcels: after that there is nothing else to choose (T3).
		return seat.who && !(seat.who.method === 'code' && (errands.current() || seat.who.pickUp)) ? choose() : finish()
	}

	/** The server is: whoever touches or shows something meanwhile waits for its answer. */
	const isAsking = (): boolean => seat.screen.name === 'asking' || (seat.screen.name === 'claim' && seat.screen.state === 'asking')

	/** What each touch means, by the screen it was made on; anything else is ignored. */
	const perform = (act: KioskAct): void => {
		switch (act.kind) {
			case 'start-pin':
				if (seat.screen.name === 'attract' || seat.screen.name === 'denied' || seat.screen.name === 'choose') startTyping(false)
				return
			case 'start-one-time':
				if (seat.screen.name === 'pin' && seat.screen.oneTime === 'offered') startTyping(true)
				return
			case 'start-claim':
				if (seat.screen.name !== 'help' || !parts.claim.needed()) return
				finish()
				return claiming('typing')
			case 'keys':
				return isAsking() ? undefined : keys(act.keys)
			case 'choose':
				if (seat.screen.name === 'choose') chosen(offered.get(act.id))
				else if (seat.screen.name === 'parcels') listed(seat.screen.task, act.id)
				return
			case 'next':
				if (seat.screen.name === 'done' && seat.screen.more) next()
				return
			case 'more':
				if (seat.screen.name === 'parcels') list(seat.screen.task, seat.screen.from + PARCELS_SHOWN)
				return
			case 'larger-door':
				return errands.larger()
			case 'retry':
				if (seat.screen.name === 'not-opened' || seat.screen.name === 'no-change') errands.again()
				return
			case 'open-again':
				if (seat.screen.name === 'done') errands.openAgain()
				return
			case 'other-door':
				if (seat.screen.name === 'not-opened' || seat.screen.name === 'needs-help') errands.elsewhere()
				return
			case 'did-not-open':
				return errands.say('did-not-open')
			// Each is a finding of one act only: who brings something expects it to be empty.
			case 'it-is-empty':
				return errands.current()?.act === 'collect' ? errands.say('found-empty') : undefined
			case 'something-inside':
				return errands.current()?.act === 'deposit' ? errands.say('found-occupied') : undefined
			case 'wrong-item':
				return errands.say('wrong-item')
			case 'next-person':
				if (seat.screen.name === 'open' && errands.live()?.level !== 'calm') errands.setAside()
				return
			case 'confirm':
				if (seat.screen.name === 'badge-lost') {
					if (!seat.screen.reported) act.done ? badgesLost() : choose()
					return
				}
				return errands.say(act.done ? 'done' : 'not-done')
			case 'more-time':
				if (idle && idle.extensionsLeft > 0) show(seat.screen, IDLE.home, idle.extensionsLeft - 1)
				return
			case 'help':
				if (errands.live() || seat.screen.name === 'help' || isAsking()) return
				if (seat.screen.name === 'badge-reading') home()
				beforeHelp = seat.screen
				return show({ name: 'help', ...(parts.claim.needed() && { claim: true as const }), ...readBack() }, IDLE.home)
			case 'back':
				return back()
			case 'finish':
				return finish()
		}
	}

	return {
		screen: () => seat.screen,
		turn: () => turn,
		idle: () => idle && { warnAt: idle.warnAt, endsAt: idle.endsAt, extensionsLeft: idle.extensionsLeft },
		act(at, act) {
			if (at !== turn) return false
			guarded(() => perform(act))
			return true
		},
		busy: () => seat.screen.name === 'badge-reading' || seat.who !== undefined || seat.visit !== undefined || errands.live() !== undefined,
		readBadge(done) {
			// Whoever reads one card after the other need not touch the screen in between: it belongs to them until it goes home.
			if (seat.screen.name !== 'attract' && (seat.screen.name !== 'badge-reading' || readBadge)) return false
			readBadge = done
			show({ name: 'badge-reading', state: 'waiting' }, IDLE.home)
			return true
		},
		reader(event, family) {
			if (isAsking()) return
			guarded(() => {
				if (seat.screen.name === 'badge-reading') {
					if (event.kind === 'card') enrolled(event, family)
				} else if (event.kind === 'card') shown({ kind: 'badge', bitCount: event.bitCount, bits: event.bits, secure: event.secure })
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
			if (errands.stepped(step)) return
			if (!seat.visit && (seat.screen.name === 'attract' || seat.screen.name === 'out-of-service')) {
				// One cause may have given way to another: a bundle came and the boards are silent.
				const told = seat.screen.name === 'out-of-service' ? seat.screen.why : undefined
				if (told !== parts.outOfService()) home()
			}
			parts.changed()
		},
		restore: () => guarded(errands.restore),
		stop() {
			stopped = true
			idle?.cancel()
		},
	}
}
