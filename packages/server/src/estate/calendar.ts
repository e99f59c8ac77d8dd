import { z } from 'zod'

/**
 * When a site is open. Schedules are weekly and in the site's time; `openingHours` names the one that holds for its banks (absent: always
 * open). Closures are whole days of the site's calendar, and bring no rights to an end: what was borrowed may always be brought back.
 */
const code = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,79}$/, 'a short code of letters, digits, _ . -')
const clock = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/, 'a time such as 08:00')
const day = z.iso.date()

export const calendar = z
	.strictObject({
		schedules: z
			.array(
				z.strictObject({
					id: code,
					weekly: z
						.array(
							z.strictObject({
								days: z.array(z.int().min(1).max(7)).min(1).describe('1 = Monday … 7 = Sunday'),
								from: clock,
								to: z.union([clock, z.literal('24:00')]),
							}),
						)
						.max(50),
				}),
			)
			.max(50),
		openingHours: code.optional(),
		closures: z.array(z.strictObject({ from: day, to: day, reason: code })).max(400),
	})
	.superRefine((value, context) => {
		const ids = value.schedules.map((s) => s.id)
		if (new Set(ids).size < ids.length) context.addIssue({ code: 'custom', path: ['schedules'], message: 'the same id twice' })
		if (value.openingHours !== undefined && !ids.includes(value.openingHours))
			context.addIssue({ code: 'custom', path: ['openingHours'], message: `there is no schedule ${value.openingHours}` })
		for (const [i, { from, to }] of value.closures.entries())
			if (to < from) context.addIssue({ code: 'custom', path: ['closures', i, 'to'], message: 'before it begins' })
	})
export type Calendar = z.infer<typeof calendar>
export const ALWAYS_OPEN: Calendar = { schedules: [], closures: [] }

/** As the platform knows them, so that a bundle with this zone is accepted everywhere (core/access does the same check). */
export const timeZone = z.string().max(60).refine(isTimeZone, 'an IANA time zone such as Europe/Berlin')

function isTimeZone(name: string): boolean {
	try {
		return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined
	} catch {
		return false
	}
}
