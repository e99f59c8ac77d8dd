import type { Identity } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { KIOSK_TIMERS as IDLE } from '@latchwork/core/door'
import type { EventDraft } from '@latchwork/core/ledger'
import { NOTHING, type Parcel } from '../cases/index.ts'
import type { Doors, Errand, Place, Tried } from './errand.ts'
import type { Seat, SessionParts } from './seat.ts'
import type { Thing } from './things.ts'

type ParcelThing = Extract<Thing, { kind: 'parcel' }>

/** Dropping off, and taking out: for oneself, or for those who run the place. */
export interface ParcelErrands {
	/** Into the smallest that it fits (X7), then the next when one will not do. `except`: this one was tried. */
	dropOff(parcel: Parcel, more?: { readonly except?: Id<'compartment'>; readonly larger?: true }): void
	takeOut(place: Place & { readonly thing: ParcelThing }): Tried
	otherDoor(act: Errand['act'], compartment: Id<'compartment'>, parcel: Parcel): boolean
	largerDoor(errand: Errand): boolean
	/** Doors that this person may want next. */
	leftAfter(thing: ParcelThing, person: Identity): number
}

export function parcelErrands({ authority, intents, cases }: SessionParts, seat: Seat, { show, deny, attempt, depositInto }: Doors): ParcelErrands {
	const sizeOf = (id: Id<'compartment'>) => authority.current()?.bundle.bank.compartments.find((c) => c.id === id)?.size

	return {
		dropOff(parcel, more = {}) {
			const reason = intents.loansWait()
			if (reason) return deny(reason)
			const above = more.larger && more.except ? sizeOf(more.except) : undefined
			const places = intents.placesFor({ parcel, ...(above && { above }) }).filter((id) => id !== more.except)
			const { caseId, lineId } = parcel
			for (const compartment of places) {
				if (depositInto(compartment, { caseId, lineId, thing: { kind: 'parcel', parcel, task: 'drop-off' } }) === 'shown') return
			}
			show({ name: 'bank-full', ...(more.larger && { larger: true as const }) }, IDLE.notice)
		},
		takeOut(place) {
			const { parcel, task } = place.thing
			const { caseId, lineId } = parcel
			return attempt('collect', place, ({ subject, credential }) => {
				if (task === 'pull') return { caseId, lineId, entry: NOTHING, evidence: cases.evidence(caseId, lineId, 'collect', subject) }
				const ready = cases.dispense(caseId, lineId, subject)
				if (!ready || !seat.who?.pickUp) return ready && { ...ready, caseId, lineId }
				const used: EventDraft = {
					type: 'credential.code-used',
					subject: seat.visit?.id ?? caseId,
					actor: subject,
					data: { jti: credential, case: caseId, line: lineId },
				}
				return { ...ready, entry: { ...ready.entry, events: [used, ...ready.entry.events] }, caseId, lineId }
			})
		},
		otherDoor: (act, compartment, parcel) => act === 'deposit' && intents.placesFor({ parcel }).some((id) => id !== compartment),
		largerDoor({ thing, act, compartment }) {
			const above = sizeOf(compartment)
			return thing.kind === 'parcel' && act === 'deposit' && above !== undefined && intents.placesFor({ parcel: thing.parcel, above }).length > 0
		},
		leftAfter: ({ task }, person) => (task === 'pick-up' ? intents.waiting(person).length : intents.parcels(person, task).length),
	}
}
