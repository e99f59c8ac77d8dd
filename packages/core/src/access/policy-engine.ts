/** What core asks of a policy language; the edge brings Cedar (`packages/edge/src/policy-engine.ts`), the browser can bring the same. */
export interface EntityRef {
	/** With namespace: `Latchwork::Person`. */
	readonly type: string
	readonly id: string
}
export type PolicyValue = string | number | boolean | readonly string[]
export interface Entity {
	readonly uid: EntityRef
	readonly attrs: Readonly<Record<string, PolicyValue>>
	readonly parents: readonly EntityRef[]
}
export interface PolicyQuestion {
	readonly principal: EntityRef
	readonly action: EntityRef
	readonly resource: EntityRef
	readonly context: Readonly<Record<string, PolicyValue>>
	readonly entities: readonly Entity[]
}
export interface PolicyAnswer {
	readonly effect: 'allow' | 'deny'
	/** Ids of the policies that decided: all matching forbids, else all matching permits, else none. */
	readonly determining: readonly string[]
	/** Ids of policies that could not be evaluated. A forbid that fails is not applied by Cedar, so a caller must treat any entry as a denial. */
	readonly failed: readonly string[]
}
/** Policies that are parsed, validated and ready. */
export interface LoadedPolicies {
	/** Every policy by its id (`set/annotated-id` or `set/number`, counted from 1) with its `@reason`, and the line of its set where it begins. */
	readonly policies: readonly { readonly id: string; readonly effect: 'permit' | 'forbid'; readonly reason?: string; readonly line: number }[]
	ask(question: PolicyQuestion): PolicyAnswer
	/** Gives the slot back; asking afterwards is a programming error and throws. */
	release(): void
}
interface PolicySource {
	readonly schema: string
	readonly sets: readonly { readonly id: string; readonly cedar: string }[]
	readonly exists: (entity: EntityRef) => boolean
	/** These sets passed against this schema before; they are parsed and not validated again. */
	readonly proven?: boolean
}
export interface PolicyRefusal {
	readonly ok: false
	/** Id of the set, and where in its text: both counted from 1. */
	readonly set: string
	readonly line: number
	readonly column: number
	readonly text: string
}
export interface PolicyEngine {
	/**
	 * Parses and validates every set against the schema, and keeps ready what can apply here: a policy whose head names a person,
	 * group, item or place for which `exists` says no can never match, and the cost of a question grows with the policies that it
	 * has to read. Never throws on bad policy text.
	 */
	load(given: PolicySource): { readonly ok: true; readonly loaded: LoadedPolicies } | PolicyRefusal
}
