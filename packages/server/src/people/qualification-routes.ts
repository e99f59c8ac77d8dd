import { Fault } from '@latchwork/core/base'
import { z } from 'zod'
import { fromTime, idOf, named, pageOf, pageQuery, pageWithin, type Route, route, time, toTime } from '../http/index.ts'
import { endQualification, giveQualification, type Qualification, qualificationsOf } from './qualification-write.ts'
import { isPerson, nothing, type PeopleTerms } from './read.ts'

const code = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/, 'must be letters, digits, _ . or -')
const qualification = named(
	'Qualification',
	z.object({ code, until: time.optional().describe('absent: for good'), givenAt: time, givenBy: z.string() }),
)
const params = z.strictObject({ user: idOf('subject'), code })

const toQualification = ({ until, givenAt, ...rest }: Qualification): z.input<typeof qualification> => ({
	...rest,
	...(until !== undefined && { until: toTime(until) }),
	givenAt: toTime(givenAt),
})

/** What a policy may ask for (`qualified`): trainings, permits, fitness for something. */
export const qualificationRoutes = (terms: PeopleTerms): Route[] => [
	route({
		method: 'GET',
		path: '/v1/users/{user}/qualifications',
		tag: 'People',
		summary: 'What this person has learnt or was found fit for.',
		permission: 'people.read',
		scope: 'anywhere',
		params: z.strictObject({ user: idOf('subject') }),
		query: pageQuery,
		answers: { 200: pageOf('Qualifications', qualification) },
		handle: ({ params, query, read }) =>
			read(async (db) => {
				if (!(await isPerson(db, params.user))) throw nothing('person')
				return pageWithin(await qualificationsOf(db, params.user), query, toQualification, ({ code }) => code)
			}),
	}),
	route({
		method: 'PUT',
		path: '/v1/users/{user}/qualifications/{code}',
		tag: 'People',
		summary: 'Give a qualification, for good or until some day; given again it gets another end.',
		permission: 'people.manage',
		params,
		body: z.strictObject({ until: time.optional().describe('absent: for good') }),
		answers: { 200: qualification },
		handle: ({ params, body, write, caller, now }) =>
			write(async (tx) => {
				const until = body.until === undefined ? undefined : fromTime(body.until)
				if (until !== undefined && until <= now)
					throw new Fault('request-invalid', 'body.until: lies in the past.', { detail: { field: 'body.until' } })
				return toQualification(await giveQualification(tx, { ...terms, actor: caller.subject, now }, params.user, params.code, until))
			}),
	}),
	route({
		method: 'DELETE',
		path: '/v1/users/{user}/qualifications/{code}',
		tag: 'People',
		summary: 'Take a qualification away; banks hear of it within seconds.',
		permission: 'people.manage',
		params,
		versioned: false,
		answers: { 204: undefined },
		handle: ({ params, write, caller, now }) =>
			write((tx) => endQualification(tx, { ...terms, actor: caller.subject, now }, params.user, params.code)),
	}),
]
