import { z } from 'zod'

/** `HH:MM`. */
const clock = z.string().regex(/^([01][0-9]|2[0-3]):[0-5][0-9]$/)

/** Every setting there is: its shape, its value when nobody chose one, and what it does. Closed, so that none is read under a wrong name. */
export const SETTINGS = {
	pinLength: { schema: z.int().min(4).max(12), value: 8, words: 'digits of a PIN that the system makes' },
	wrongPinsPerDay: { schema: z.int().min(1).max(1_000), value: 100, words: 'wrong PINs that a kiosk takes in one day' },
	wrongPinsPerDayAtSite: {
		schema: z.int().min(1).max(100_000),
		value: 300,
		words: 'wrong PINs that all kiosks of a site take together in one day; then they take none until midnight',
	},
	wrongPinsPerDayInAll: {
		schema: z.int().min(1).max(1_000_000),
		value: 1_000,
		words: 'wrong PINs that all kiosks of the organisation take together in one day; then they take none until midnight',
	},
	pinChanceAtSite: {
		schema: z.int().min(1).max(50),
		value: 3,
		words: 'percent: the highest chance in a year of somebody who guesses PINs at all kiosks of a site; for the organisation alone',
	},
	pinChanceInAll: {
		schema: z.int().min(1).max(50),
		value: 10,
		words: 'percent: the highest chance in a year of somebody who guesses PINs at all kiosks of the organisation; for the organisation alone',
	},
	travelMinutes: {
		schema: z.int().min(0).max(720),
		value: 10,
		words: 'minutes that the way between two sites takes at least: a badge that is at both in less is looked into; 0: it is not',
	},
	siteKeyInMemory: {
		schema: z.boolean(),
		value: false,
		words:
			'controllers of the site keep its key in memory alone (storage level L1): a stolen box knows nobody, and one that starts without its server opens nothing',
	},
	loanDue: {
		schema: z.discriminatedUnion('kind', [
			z.strictObject({ kind: z.literal('same-day-by'), time: clock }),
			z.strictObject({ kind: z.literal('hours'), hours: z.int().positive().max(8_760) }),
		]),
		value: { kind: 'same-day-by', time: '17:00' } as const,
		words: 'when a loan is due',
	},
	maxLoans: { schema: z.int().min(0).max(100), value: 2, words: 'loans of one person at the same time, at all banks together' },
	leaseRequired: { schema: z.boolean(), value: false, words: 'without a live lease a bank allows nothing but returns' },
	singleOpen: { schema: z.boolean(), value: true, words: 'one open door of a bank at a time' },
	secondPersonForOccupied: {
		schema: z.boolean(),
		value: true,
		words: 'a second person has to agree before an occupied compartment is opened from afar',
	},
	ownerOnPhone: {
		schema: z.enum(['read-back', 'read-back-or-facts', 'never']),
		value: 'read-back-or-facts',
		words:
			'when the owner of what lies behind a door, on the phone, is that second person: by the number that the kiosk shows them, or also by two facts that whoever asks could not look up, or never',
	},
	collectWindowHours: { schema: z.int().min(1).max(2_160), value: 72, words: 'hours in which a delivery can be collected' },
	staleAfterMinutes: { schema: z.int().min(1).max(1_440), value: 15, words: 'minutes without the server until a bank says that it is stale' },
	expireAfterHours: { schema: z.int().min(4).max(336), value: 72, words: 'hours without the server until a bank allows nothing but returns' },
	renewalGraceDays: { schema: z.int().min(0).max(400), value: 270, words: 'days in which an expired device certificate can still be renewed' },
	policyReview: { schema: z.boolean(), value: false, words: 'a second person has to approve a policy before it is published' },
	sessionHours: { schema: z.int().min(1).max(720), value: 12, words: 'hours until everybody has to sign in again' },
	sessionIdleMinutes: { schema: z.int().min(5).max(1_440), value: 60, words: 'minutes without use until a session ends' },
} as const satisfies Readonly<Record<string, { schema: z.ZodType; value: unknown; words: string }>>

export type SettingName = keyof typeof SETTINGS
export type Settings = { readonly [N in SettingName]: z.output<(typeof SETTINGS)[N]['schema']> }
export const LEVELS = ['tenant', 'site', 'area', 'bank'] as const
export type Level = (typeof LEVELS)[number]

const NAMES = Object.keys(SETTINGS) as SettingName[]

/** What a place chose itself; what it leaves out is inherited. */
export const chosenShape = z.strictObject(
	Object.fromEntries(NAMES.map((name) => [name, SETTINGS[name].schema.optional().describe(SETTINGS[name].words)])) as {
		[N in SettingName]: z.ZodOptional<(typeof SETTINGS)[N]['schema']>
	},
)
export type Chosen = z.output<typeof chosenShape>

/** A change: `null` gives a setting back to the level above. */
export const settingsPatch = z.strictObject(
	Object.fromEntries(NAMES.map((name) => [name, SETTINGS[name].schema.nullable().optional().describe(SETTINGS[name].words)])) as {
		[N in SettingName]: z.ZodOptional<z.ZodNullable<(typeof SETTINGS)[N]['schema']>>
	},
)
export type SettingsPatch = z.output<typeof settingsPatch>

export interface Inherited {
	readonly settings: Settings
	/** Which level set it; `default`: nobody. */
	readonly setBy: Readonly<Record<SettingName, Level | 'default'>>
}

/** The nearest level wins: bank, then area, site, organisation, then the default. */
export function inherit(chosen: readonly { readonly level: Level; readonly chosen: Chosen }[]): Inherited {
	const settings: Record<string, unknown> = {}
	const setBy: Record<string, Level | 'default'> = {}
	const nearest = LEVELS.toReversed()
	for (const name of NAMES) {
		const level = nearest.find((one) => chosen.some((c) => c.level === one && c.chosen[name] !== undefined))
		setBy[name] = level ?? 'default'
		settings[name] = level === undefined ? SETTINGS[name].value : chosen.find((c) => c.level === level)?.chosen[name]
	}
	return { settings: settings as Settings, setBy: setBy as Inherited['setBy'] }
}
