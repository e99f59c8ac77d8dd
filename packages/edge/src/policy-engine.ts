import {
	type DetailedError,
	type PolicyJson,
	policySetTextToParts,
	policyToJson,
	preparsePolicySet,
	statefulIsAuthorized,
	validate,
} from '@cedar-policy/cedar-wasm/nodejs'
import type { EntityRef, LoadedPolicies, PolicyAnswer, PolicyEngine, PolicyQuestion, PolicyRefusal } from '@latchwork/core/access'
import { Fault } from '@latchwork/core/base'

/**
 * Cedar keeps a preparsed set under its name for ever: there is no unload, and a new name per bundle version leaks about 1 MB
 * each time (stack.md). So names are slots that are used again; two are in use at a bank (the set in force and the next one), more where many edges share a process.
 */
const SLOTS = 64

interface Slot {
	readonly name: string
	taken: boolean
}
/** One wasm instance serves the whole process, so its slots are counted for the whole process too. */
const slots: readonly Slot[] = Array.from({ length: SLOTS }, (_, i) => ({ name: `slot-${i}`, taken: false }))

export const cedarEngine: PolicyEngine = {
	load({ schema, sets, exists, proven = false }) {
		const read: ReadPolicy[] = []
		for (const set of sets) {
			const answer = readSet(proven ? undefined : schema, set)
			if (!answer.ok) return answer
			read.push(...answer.policies)
		}
		return {
			ok: true,
			loaded: occupySlot(read.filter(({ heads }) => heads.every(exists))),
		}
	},
}

interface ReadPolicy {
	readonly id: string
	readonly text: string
	readonly effect: 'permit' | 'forbid'
	readonly reason?: string
	/** Where it begins in the text of its set. */
	readonly line: number
	/** The entities that its head names. */
	readonly heads: readonly EntityRef[]
}

/** Parses and (with a schema) validates one set as one text, so that every error has a place in the text its author wrote. */
function readSet(
	schema: string | undefined,
	set: { readonly id: string; readonly cedar: string },
): { ok: true; policies: ReadPolicy[] } | PolicyRefusal {
	if (schema !== undefined) {
		const checked = validate({ schema, policies: { staticPolicies: set.cedar } })
		const [error] = checked.type === 'failure' ? checked.errors : checked.validationErrors.map((one) => one.error)
		if (error) return refusal(set, error)
	}
	const parts = policySetTextToParts(set.cedar)
	if (parts.type === 'failure') return refusal(set, parts.errors[0])
	if (parts.policy_templates.length > 0)
		return { ok: false, set: set.id, line: 1, column: 1, text: 'Templates (?principal, ?resource) are not used here.' }
	const policies: ReadPolicy[] = []
	// The parts come sorted by policy0, policy1, policy10 …; numbering follows the author's order instead.
	const inOrder = parts.policies.map((text) => ({ text, at: set.cedar.indexOf(text) })).sort((a, b) => a.at - b.at)
	for (const [index, { text, at }] of inOrder.entries()) {
		const json = policyToJson(text)
		if (json.type === 'failure') return refusal(set, json.errors[0])
		const { id = String(index + 1), reason } = json.json.annotations ?? {}
		const name = `${set.id}/${id}`
		if (policies.some((other) => other.id === name))
			return { ok: false, set: set.id, ...placeOf(set.cedar, at), text: `The policy id ${id} is used twice.` }
		policies.push({
			id: name,
			text,
			effect: json.json.effect,
			line: placeOf(set.cedar, at).line,
			heads: headsOf(json.json),
			...(reason === undefined ? {} : { reason }),
		})
	}
	return { ok: true, policies }
}

/** `principal == …`, `in …` and `is … in …`, and the same for the resource. */
function headsOf({ principal, resource }: PolicyJson): EntityRef[] {
	return [principal, resource].flatMap((head) => {
		const named = head.op === 'is' ? head.in : head.op === 'All' ? undefined : head
		if (!named || !('entity' in named)) return []
		return ['__entity' in named.entity ? named.entity.__entity : named.entity]
	})
}

function refusal(set: { readonly id: string; readonly cedar: string }, error: DetailedError | undefined): PolicyRefusal {
	const start = error?.sourceLocations?.[0]?.start ?? 0
	const bytes = new TextEncoder().encode(set.cedar)
	// Cedar counts bytes, people count characters.
	const before = new TextDecoder().decode(bytes.slice(0, start))
	const message = (error?.message ?? 'The policy text cannot be read.').replace(/^for policy `[^`]*`, /, '')
	return { ok: false, set: set.id, ...placeOf(set.cedar, before.length), text: error?.help ? `${message} (${error.help})` : message }
}

function placeOf(text: string, at: number): { line: number; column: number } {
	const lines = text.slice(0, Math.max(0, at)).split('\n')
	return { line: lines.length, column: (lines.at(-1)?.length ?? 0) + 1 }
}

function occupySlot(policies: readonly ReadPolicy[]): LoadedPolicies {
	const slot = slots.find((one) => !one.taken)
	if (!slot) throw new Fault('not-supported', `More than ${SLOTS} policy sets are in use at once; release the ones that were replaced.`)
	const parsed = preparsePolicySet(slot.name, { staticPolicies: Object.fromEntries(policies.map(({ id, text }) => [id, text])) })
	if (parsed.type === 'failure') throw new Fault('bundle-invalid', 'Policies that were just read cannot be kept ready.')
	slot.taken = true
	let released = false
	return {
		policies: policies.map(({ id, effect, line, reason }) => ({ id, effect, line, ...(reason === undefined ? {} : { reason }) })),
		ask(question) {
			if (released) throw new Fault('not-supported', 'These policies were released.')
			return ask(slot, question)
		},
		release() {
			if (!released) slot.taken = false
			released = true
		},
	}
}

/**
 * The policies were validated against the schema, core builds the question by it, and what still does not fit makes a policy fail,
 * which denies; so the question itself is not validated again, which would cost as much as answering it.
 */
function ask(slot: Slot, { principal, action, resource, context, entities }: PolicyQuestion): PolicyAnswer {
	const answer = statefulIsAuthorized({
		principal,
		action,
		resource,
		context: mutable(context),
		preparsedPolicySetId: slot.name,
		entities: entities.map(({ uid, attrs, parents }) => ({ uid, attrs: mutable(attrs), parents: [...parents] })),
	})
	if (answer.type === 'failure')
		throw new Fault('request-invalid', `The policy question does not fit the schema: ${answer.errors[0]?.message ?? 'unknown'}`)
	const { decision, diagnostics } = answer.response
	return { effect: decision, determining: [...diagnostics.reason].sort(), failed: diagnostics.errors.map((one) => one.policyId).sort() }
}

type Plain = string | number | boolean | string[]
const mutable = (record: PolicyQuestion['context']): Record<string, Plain> =>
	Object.fromEntries(Object.entries(record).map(([key, value]) => [key, Array.isArray(value) ? [...value] : (value as Plain)]))
