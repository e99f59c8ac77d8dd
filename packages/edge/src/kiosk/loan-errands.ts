import type { Asset, Identity } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { KIOSK_TIMERS as IDLE } from '@latchwork/core/door'
import type { Doors, Errand, Ready, Tried } from './errand.ts'
import type { Seat, SessionParts } from './seat.ts'

type OfAsset = Pick<Errand, 'caseId' | 'lineId' | 'compartment'> & { readonly asset: Asset }

/** Borrowing and bringing back. */
export interface LoanErrands {
	borrow(type: string): void
	/** `except`: this one was tried. */
	bringBack(caseId: string, lineId: string, asset: Asset, except?: Id<'compartment'>): void
	/** What was allotted and not taken; it may have run out meanwhile. */
	collect(of: OfAsset): Tried
	/** There is another door for the same. */
	otherDoor(act: Errand['act'], compartment: Id<'compartment'>, asset: Asset): boolean
}

export function loanErrands({ bankId, intents, cases }: SessionParts, seat: Seat, { show, deny, attempt, depositInto, refused }: Doors): LoanErrands {
	return {
		borrow(type) {
			const reason = intents.loansWait()
			if (reason) {
				const data = { method: seat.who?.method ?? 'none', reason }
				refused({ type: 'decision.denied', subject: bankId, ...(seat.who && { actor: seat.who.subject }), data })
				return deny(reason)
			}
			const candidates = intents.candidates(type)
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
		},
		bringBack(caseId, lineId, asset, except) {
			for (const compartment of intents.emptyCompartments().filter((id) => id !== except)) {
				if (depositInto(compartment, { caseId, lineId, thing: { kind: 'asset', asset } }) === 'shown') return
			}
			show({ name: 'bank-full' }, IDLE.notice)
		},
		collect({ caseId, lineId, compartment, asset }) {
			return attempt('collect', { thing: { kind: 'asset', asset }, compartment }, ({ subject }) => {
				const ready = cases.dispense(caseId, lineId, subject)
				return ready && { ...ready, caseId, lineId }
			})
		},
		otherDoor: (act, compartment, asset) =>
			act === 'deposit'
				? intents.emptyCompartments().some((id) => id !== compartment)
				: intents.candidates(asset.type).some((c) => c.compartment !== compartment),
	}
}
