import type { AccessRequest, Asset, Identity } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { KioskScreen } from '@latchwork/core/wire'
import type { Parcel, Task } from '../cases/index.ts'

/** What a door is opened for: an asset of the bank's owner, or somebody's parcel. */
export type Thing = { readonly kind: 'asset'; readonly asset: Asset } | { readonly kind: 'parcel'; readonly parcel: Parcel; readonly task: Task }

export type Shown = NonNullable<Extract<KioskScreen, { name: 'done' }>['item']>

/** As the door reducer and the record of contents know it. */
export const itemOf = (thing: Thing): Id<'asset'> | Id<'line'> => (thing.kind === 'asset' ? thing.asset.id : thing.parcel.lineId)

export const workflowOf = (thing: Thing): string => (thing.kind === 'asset' ? 'loan' : thing.parcel.workflow)

export function shownOf(thing: Thing): Shown {
	if (thing.kind === 'asset') return { tag: thing.asset.tag, kind: thing.asset.kind, name: thing.asset.name }
	const { label, part } = thing.parcel
	return { tag: part ?? label, kind: 'parcel', name: label }
}

/** Facts of every screen about a door. */
export const taskOf = (thing: Thing): { task?: Task } => (thing.kind === 'parcel' ? { task: thing.task } : {})

type Question = Pick<AccessRequest, 'action' | 'resource' | 'workflow' | 'intoEmptyCompartment' | 'own'>

/** What `decide` is asked: an asset is judged by what it is, a parcel by the door that it lies behind. */
export function questionOf(thing: Thing, act: 'collect' | 'deposit', compartment: Id<'compartment'>, who: Identity): Question {
	const question = { action: act, workflow: workflowOf(thing), intoEmptyCompartment: act === 'deposit' }
	if (thing.kind === 'asset') return { ...question, resource: { kind: 'asset', id: thing.asset.id } }
	const own = thing.task === 'pick-up' && isTheirs(thing.parcel, who)
	return { ...question, resource: { kind: 'compartment', id: compartment }, ...(own && { own: true as const }) }
}

/** It waits for them: the case is theirs, or they showed its code. */
export function isTheirs({ caseId, lineId, owner }: Parcel, { subject, method, pickUp }: Identity): boolean {
	if (method === 'code') return pickUp?.case === caseId && (!pickUp.lines || pickUp.lines.includes(lineId))
	return owner === subject
}
