import type { Case, Facts, Input, Line, RefusalCode } from './case.ts'
import type { Guard } from './table.ts'

interface Rule {
	readonly holds: (of: Case, line: Line | undefined, input: Input, facts: Facts) => boolean
	readonly refusal: RefusalCode
	readonly text: string
}

const actor = (input: Input): string | undefined => (input.kind === 'act' || input.kind === 'request' ? input.subject : undefined)

/** The closed list: each guard is one pure question about the case, the input and the facts that were handed in. */
const RULES: { readonly [G in Guard]: Rule } = {
	entitled: { holds: (_of, _line, _input, facts) => facts.entitled, refusal: 'policy-denied', text: 'the access decision does not allow it' },
	owner: {
		holds: (of, _line, input) => of.owner !== undefined && actor(input) === of.owner,
		refusal: 'not-authorised',
		text: 'only the owner of the case may do this',
	},
	stock: { holds: (_of, _line, _input, facts) => facts.stock > 0, refusal: 'nothing-available', text: 'nothing of this kind is ready to take' },
	capacity: { holds: (_of, _line, _input, facts) => facts.freeCompartments > 0, refusal: 'bank-full', text: 'no fitting compartment is free' },
	'item-matches': {
		// An item that nobody could read is not a wrong one: how sure we are is what the evidence level says.
		holds: (_of, line, input) => input.kind !== 'act' || input.item === undefined || line?.asset === undefined || input.item === line.asset,
		refusal: 'item-mismatch',
		text: 'the item that was read is not the item of this line',
	},
	'spare-returned': { holds: (_of, _line, _input, facts) => facts.spareReturned, refusal: 'spare-not-returned', text: 'the spare comes back first' },
	'not-recalled': { holds: (_of, _line, _input, facts) => !facts.recalled, refusal: 'recalled', text: 'it was called back' },
}

/** The first guard that does not hold, or nothing when all do. */
export function failing(guards: readonly Guard[] | undefined, of: Case, line: Line | undefined, input: Input, facts: Facts): Rule | undefined {
	for (const guard of guards ?? []) {
		const rule = RULES[guard]
		if (!rule.holds(of, line, input, facts)) return rule
	}
	return undefined
}
