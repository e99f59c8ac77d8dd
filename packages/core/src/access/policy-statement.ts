import { z } from 'zod'

/**
 * A policy in plain words: each statement is one sentence that a person chose and filled in, and stands for Cedar text (`cedarOf`). The list is closed.
 * What does not fit into it is written in Cedar itself. What somebody holds they may bring back, and what waits for them they may collect, without any.
 */
const code = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/, 'must be letters, digits, _ . or -')
const codes = z.array(code).min(1).max(50)
const clock = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$/, 'must be a time like 08:00')

/** What a restriction is about: things of these types, things of high value, or whatever is taken but parcels. */
const about = z.union([
	z.strictObject({ types: codes.describe('codes of asset types') }),
	z.strictObject({ valueClass: z.literal('high') }),
	z.strictObject({ anything: z.literal(true) }),
])
type About = z.infer<typeof about>

const times = z
	.strictObject({
		days: z.array(z.int().min(1).max(7)).min(1).max(7).describe('1 = Monday … 7 = Sunday, at the site'),
		from: clock.describe('site time, included'),
		to: clock.describe('site time, not included'),
	})
	.refine(({ from, to }) => from < to, 'must begin before it ends; say what runs past midnight in two statements')

export const policyStatement = z.discriminatedUnion('kind', [
	z
		.strictObject({ kind: z.literal('take'), groups: codes, types: codes, times: times.optional() })
		.describe('people of these groups may take things of these types, always or at these times'),
	z
		.strictObject({
			kind: z.literal('carry'),
			groups: codes,
			acts: z
				.array(z.enum(['deposit', 'collect']))
				.min(1)
				.max(2),
		})
		.describe('people of these groups may drop parcels off, or take out those that nobody collected'),
	z
		.strictObject({ kind: z.literal('serve'), groups: codes })
		.describe('people of these groups may open compartments for service, there and from afar'),
	z
		.strictObject({ kind: z.literal('hours'), except: codes.optional() })
		.describe('nothing is taken outside the opening hours of the site, but by people of the groups that are excepted'),
	z.strictObject({ kind: z.literal('second-factor'), about }).describe('it is taken with a badge and a PIN, not with one of them'),
	z.strictObject({ kind: z.literal('online'), about }).describe('it is taken only while the bank has its server'),
	z
		.strictObject({ kind: z.literal('storage-level'), level: z.int().min(1).max(3), about })
		.describe('without the server a PIN counts for it, alone or with a badge, only where the controller keeps keys at this storage level or above'),
	z
		.strictObject({ kind: z.literal('qualified'), qualification: code, about })
		.describe('it is taken only by people with this qualification, as long as that has not run out'),
	z
		.strictObject({ kind: z.literal('approved'), people: z.int().min(1).max(2), about })
		.describe('it is taken only by people whom so many others let take things of its type'),
	z
		.strictObject({ kind: z.literal('limit'), groups: codes.optional(), loans: z.int().min(0).max(100) })
		.describe('at most so many things on loan at a time'),
	z.strictObject({ kind: z.literal('overdue') }).describe('whoever has something overdue brings it back before taking more'),
])
export type PolicyStatement = z.infer<typeof policyStatement>
export const policyStatements = z.array(policyStatement).min(1).max(40)

/** The Cedar text of statements, with ids that lead back to their sentences. */
export function cedarOf(statements: readonly PolicyStatement[]): string {
	return statements.map((one, i) => rulesOf(one, i + 1).join('\n')).join('\n')
}

/** The statement (counted from 1) that a rule came from, by its id without the name of the set; undefined: none of ours. */
export function statementOf(ruleId: string): number | undefined {
	const number = /^s([1-9][0-9]?)(:|$)/.exec(ruleId)?.[1]
	return number === undefined ? undefined : Number(number)
}

const action = (...names: readonly string[]): string => {
	const spelled = names.map((name) => `Latchwork::Action::"${name}"`)
	return spelled.length === 1 ? `action == ${spelled[0]}` : `action in [${spelled.join(', ')}]`
}
const inGroup = (group: string) => `principal in Latchwork::Group::"${group}"`
const ofType = (type: string) => `resource in Latchwork::AssetType::"${type}"`

function rulesOf(statement: PolicyStatement, number: number): string[] {
	const rule = (name: string, effect: 'permit' | 'forbid', head: readonly string[], rest = '', reason?: string) =>
		[
			`@id("s${number}${name && `:${name}`}")`,
			...(reason ? [`@reason("${reason}")`] : []),
			`${effect} (\n${head.map((part) => `  ${part}`).join(',\n')}\n)${rest};\n`,
		].join('\n')
	switch (statement.kind) {
		case 'take':
			return statement.groups.flatMap((group) =>
				statement.types.map((type) => rule(`${group}:${type}`, 'permit', [inGroup(group), action('collect'), ofType(type)], during(statement.times))),
			)
		case 'carry':
			return statement.groups.map((group) =>
				rule(
					group,
					'permit',
					[inGroup(group), action(...[...new Set(statement.acts)].sort()), 'resource is Latchwork::Compartment'],
					'\nwhen { context.workflow == "delivery" }',
				),
			)
		case 'serve':
			return statement.groups.map((group) =>
				rule(group, 'permit', [inGroup(group), action('service', 'open-remote'), 'resource is Latchwork::Compartment']),
			)
		case 'hours': {
			const except = (statement.except ?? []).map((group) => ` || ${inGroup(group)}`).join('')
			return [rule('', 'forbid', ['principal', action('collect'), 'resource'], `\nunless { context.withinHours${except} }`, 'outside-hours')]
		}
		case 'second-factor':
			return restriction(statement.about).map(({ name, resource, when }) =>
				rule(
					name,
					'forbid',
					['principal', action('collect'), resource],
					`${when}\nunless { ["badge-and-pin", "remote"].contains(context.method) }`,
					'needs-second-factor',
				),
			)
		case 'online':
			return restriction(statement.about).map(({ name, resource, when }) =>
				rule(name, 'forbid', ['principal', action('collect'), resource], `${when}\nwhen { context.offline }`, 'policy-denied'),
			)
		case 'storage-level':
			return restriction(statement.about).map(({ name, resource, when }) =>
				rule(
					name,
					'forbid',
					['principal', action('collect'), resource],
					`${when}\nwhen {\n  context.offline &&\n  context.storageLevel < ${statement.level} &&\n  ["pin", "badge-and-pin"].contains(context.method)\n}`,
					'policy-denied',
				),
			)
		case 'qualified':
			return restriction(statement.about).map(({ name, resource, when }) =>
				rule(
					name,
					'forbid',
					['principal', action('collect'), resource],
					`${when}\nunless { context.qualifications.contains("${statement.qualification}") }`,
					'qualification-missing',
				),
			)
		case 'approved':
			return restriction(statement.about).map(({ name, resource, when }) =>
				rule(
					name,
					'forbid',
					['principal', action('collect'), resource],
					`${when}\nunless { context.approvals >= ${statement.people} }`,
					'approval-needed',
				),
			)
		case 'limit': {
			const when = `\nwhen { context.workflow == "loan" && context.openLoans >= ${statement.loans} }`
			const who = statement.groups ? statement.groups.map((group) => [group, inGroup(group)] as const) : [['', 'principal'] as const]
			return who.map(([name, principal]) => rule(name, 'forbid', [principal, action('collect'), 'resource'], when, 'quota-exceeded'))
		}
		case 'overdue':
			return [
				rule('', 'forbid', ['principal', action('collect'), 'resource'], '\nwhen { context.overdue && context.workflow == "loan" }', 'overdue-block'),
			]
	}
}

function restriction(of: About): { readonly name: string; readonly resource: string; readonly when: string }[] {
	if ('types' in of) return of.types.map((type) => ({ name: type, resource: ofType(type), when: '' }))
	if ('valueClass' in of) return [{ name: '', resource: 'resource is Latchwork::Asset', when: '\nwhen { resource.valueClass == "high" }' }]
	// Parcels wait for whoever has their code, and that one need not be known otherwise.
	return [{ name: '', resource: 'resource', when: '\nwhen { context.workflow != "delivery" }' }]
}

/** A clock that cannot be trusted is within no times. */
function during(of: z.infer<typeof times> | undefined): string {
	if (!of) return ''
	const days = [...new Set(of.days)].sort((a, b) => a - b)
	const [from, to] = [minuteOf(of.from), minuteOf(of.to)]
	const conditions = [
		...(days.length < 7 ? [`[${days.join(', ')}].contains(context.weekday)`] : []),
		...(from > 0 ? [`context.minuteOfDay >= ${from}`] : []),
		...(to < 1_440 ? [`context.minuteOfDay < ${to}`] : []),
	]
	return `\nwhen {\n  ${['!context.clockUncertain', ...conditions].join(' &&\n  ')}\n}`
}

function minuteOf(clock: string): number {
	const [hours = 0, minutes = 0] = clock.split(':').map(Number)
	return hours * 60 + minutes
}
