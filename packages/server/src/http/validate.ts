import type { FastifySchemaCompiler } from 'fastify'
import type { z } from 'zod'

type Issue = z.core.$ZodRawIssue

const TYPES: Readonly<Record<string, string>> = {
	string: 'a text',
	number: 'a number',
	int: 'a whole number',
	boolean: 'true or false',
	object: 'an object',
	record: 'an object',
	array: 'a list',
	tuple: 'a list',
	null: 'null',
}
const COUNTED: Readonly<Record<string, string>> = { string: ' characters', array: ' entries', set: ' entries', file: ' bytes' }
const FORMATS: Readonly<Record<string, string>> = {
	datetime: 'must be a time like 2026-01-05T09:00:00Z',
	date: 'must be a date like 2026-01-05',
	email: 'must be an e-mail address',
	url: 'must be an address that begins with https://',
	base64: 'must be base64',
}

/** What is wrong with one value, for whoever sent it. A schema that says it in words of its own goes before. */
function wordsOf(issue: Issue): string | undefined {
	switch (issue.code) {
		case 'invalid_type':
			return issue.input === undefined ? 'is missing' : `must be ${TYPES[issue.expected] ?? issue.expected}`
		case 'invalid_value':
			return issue.input === undefined ? 'is missing' : `must be ${issue.values.length === 1 ? '' : 'one of '}${issue.values.map(String).join(', ')}`
		case 'unrecognized_keys':
			return `has no field called ${issue.keys.map((key) => key.slice(0, 60)).join(', ')}`
		case 'too_small':
			if (COUNTED[issue.origin] && issue.minimum === 1) return 'must not be empty'
			return `must be at least ${issue.minimum}${COUNTED[issue.origin] ?? ''}${issue.inclusive === false ? ', and more' : ''}${COUNTED[issue.origin] ? ' long' : ''}`
		case 'too_big':
			return `must be at most ${issue.maximum}${COUNTED[issue.origin] ?? ''}${issue.inclusive === false ? ', and less' : ''}${COUNTED[issue.origin] ? ' long' : ''}`
		case 'invalid_format':
			return FORMATS[issue.format] ?? 'does not have the documented form'
		case 'not_multiple_of':
			return `must be a multiple of ${issue.divisor}`
		case 'invalid_union':
			return issue.input === undefined ? 'is missing' : 'has none of the documented forms'
		default:
			return 'is not as documented'
	}
}

/** As the route's schema wants it, or the places that are not so. */
export const validator: FastifySchemaCompiler<z.ZodType> =
	({ schema }) =>
	(data) => {
		const { data: value, error } = schema.safeParse(data, { error: wordsOf })
		if (!error) return { value }
		return { error: error.issues.map(({ path, message }) => ({ instancePath: path.map((one) => `/${String(one)}`).join(''), message })) as never }
	}
