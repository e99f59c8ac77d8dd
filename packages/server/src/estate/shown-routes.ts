import { bankLayout, doorNumber, OUT_REASONS } from '@latchwork/core/wire'
import { z } from 'zod'
import { idOf, named, recordFields, showRecord, time, toTime } from '../http/index.ts'
import { calendar } from './calendar.ts'
import type { BankRow, ControllerRow, DoorRow } from './live-read.ts'
import type { Area, Bank, Compartment, Controller, Module, Site } from './read.ts'

/** How the estate looks from outside: shapes of the API, and how a row becomes one. What is not known is left out. */
export const ids = {
	site: idOf('site'),
	area: idOf('area'),
	bank: idOf('bank'),
	module: idOf('module'),
	compartment: idOf('compartment'),
	controller: idOf('controller'),
} as const
const text = z.string()
const code = z.string().regex(/^[a-z][a-z0-9-]{0,79}$/, 'a short code of small letters, digits and -')
const size = z.enum(['S', 'M', 'L', 'XL'])
const millimetres = z.int().min(1).max(10_000)

export const siteShape = named('Site', z.object({ id: ids.site, name: text, timeZone: text, address: text, calendar, ...recordFields }))
export const areaShape = named('Area', z.object({ id: ids.area, site: ids.site, name: text, ...recordFields }))

const capabilities = z.array(z.enum(['charge', 'lan', 'offline', 'remote-open'])).describe('what works here; never inferred from a maker’s name')
const part = z.object({ name: text, up: z.boolean(), since: time, secure: z.boolean().optional() })
const bankLiveShape = named(
	'BankLive',
	z.object({
		online: z.boolean(),
		seenAt: time.optional(),
		outage: z.enum(['none', 'raw', 'confirmed']).describe('raw: heartbeats are missing for 90 s; confirmed: for 10 min'),
		outageSince: time.optional(),
		bundle: z.object({ version: z.int(), digest: text.optional(), expiresAt: time.optional(), refused: text.optional() }),
		boards: z.array(part),
		readers: z.array(part),
		storage: z.enum(['good', 'low']),
		clock: z.enum(['good', 'uncertain']),
		historyLost: z.boolean(),
		tampered: z.boolean(),
		eventAt: time.optional(),
	}),
)
export const bankShape = named(
	'Bank',
	z.object({
		id: ids.bank,
		site: ids.site,
		area: ids.area.optional(),
		name: text,
		helpPhone: text,
		layout: bankLayout,
		capabilities,
		live: bankLiveShape,
		...recordFields,
	}),
)
export const moduleShape = named('Module', z.object({ id: ids.module, bank: ids.bank, position: z.int(), name: text, ...recordFields }))

const doorLiveShape = named(
	'CompartmentLive',
	z.object({
		door: z.enum(['open', 'closed', 'unknown']),
		alarm: z.enum(['forced', 'opened-while-down', 'opened-late', 'left-open', 'stuck']).optional(),
		sensor: z.enum(['reliable', 'unreliable']),
		session: z.object({ id: text, state: z.enum(['releasing', 'opened', 'closed']), act: text, by: text }).optional(),
		allocation: z.enum(['available', 'reserved', 'in-use', 'occupied', 'pending-inspection', 'quarantined', 'out-of-service']),
		why: text.optional().describe('why a person must look'),
		reservedFor: text.optional(),
		content: z.enum(['empty', 'item', 'unknown']),
		asset: text.optional().describe('what lies inside; with content `unknown`: what was last known to'),
		since: time,
	}),
)
const insideShape = z.object({ widthMm: millimetres.optional(), heightMm: millimetres.optional(), depthMm: millimetres.optional() })
const serviceShape = z.discriminatedUnion('state', [
	z.object({ state: z.literal('in-service') }),
	z.object({ state: z.literal('out-of-service'), reason: code }),
])
const compartmentFields = {
	id: ids.compartment,
	bank: ids.bank,
	module: ids.module,
	number: doorNumber.describe('the label on the door'),
	size,
	accessible: z.boolean(),
	powered: z.boolean(),
	wired: z.boolean(),
	inside: insideShape.describe('clear space; measured or left out'),
	service: serviceShape,
	capabilities,
}
export const compartmentShape = named('Compartment', z.object({ ...compartmentFields, live: doorLiveShape, ...recordFields }))
export const compartmentPatch = z.strictObject({
	number: doorNumber.optional(),
	size: size.optional(),
	accessible: z.boolean().optional(),
	powered: z.boolean().optional(),
	wired: z.boolean().optional(),
	inside: z
		.strictObject({
			widthMm: millimetres.nullable().optional(),
			heightMm: millimetres.nullable().optional(),
			depthMm: millimetres.nullable().optional(),
		})
		.optional(),
	service: z
		.discriminatedUnion('state', [
			z.strictObject({ state: z.literal('in-service') }),
			z.strictObject({ state: z.literal('out-of-service'), reason: z.enum(OUT_REASONS) }),
		])
		.optional(),
})
export const mapShape = named(
	'BankMap',
	z.object({
		bank: z.object({ id: ids.bank, site: ids.site, name: text, timeZone: text }),
		layout: bankLayout,
		live: bankLiveShape,
		doors: z.array(
			z.object({
				compartment: ids.compartment,
				number: doorNumber,
				size,
				accessible: z.boolean(),
				powered: z.boolean(),
				wired: z.boolean(),
				service: serviceShape,
				live: doorLiveShape,
			}),
		),
	}),
)
export const controllerShape = named(
	'Controller',
	z.object({
		id: ids.controller,
		bank: ids.bank,
		name: text,
		state: z.enum(['waiting', 'enrolled', 'revoked']).describe('waiting: it has no certificate yet; make a claim token'),
		certificate: z.object({ fingerprint: text, until: time }).optional(),
		revokedAt: time.optional(),
		live: z.object({
			online: z.boolean(),
			seenAt: time.optional(),
			software: text.optional(),
			storageLevel: z.enum(['L0', 'L1']).optional().describe('how it keeps the key of its site: in a file, or in memory alone'),
			stream: text.optional(),
			seq: z.int().optional(),
		}),
		...recordFields,
	}),
)

export const showSite = (site: Site) => ({
	id: site.id,
	name: site.name,
	timeZone: site.timeZone,
	address: site.address,
	calendar: site.calendar,
	...showRecord(site),
})
export const showArea = (area: Area) => ({ id: area.id, site: area.site, name: area.name, ...showRecord(area) })
export const showModule = (module: Module) => ({
	id: module.id,
	bank: module.bank,
	position: module.position,
	name: module.name,
	...showRecord(module),
})

export const showBank = (bank: Bank, live: BankRow) => ({
	id: bank.id,
	site: bank.site,
	...(bank.area !== null && { area: bank.area }),
	name: bank.name,
	helpPhone: bank.helpPhone,
	layout: bank.layout,
	capabilities: live.bundleVersion > 0 ? (['offline', 'remote-open'] as const).filter((c) => c === 'offline' || live.online) : [],
	live: showBankLive(live),
	...showRecord(bank),
})

export const showBankLive = (live: BankRow) => ({
	online: live.online,
	...(live.seenAt !== null && { seenAt: toTime(live.seenAt) }),
	outage: live.outageConfirmedAt !== null ? ('confirmed' as const) : live.silentSince !== null ? ('raw' as const) : ('none' as const),
	...(live.silentSince !== null && { outageSince: toTime(live.silentSince) }),
	bundle: {
		version: live.bundleVersion,
		...(live.bundleDigest !== null && { digest: live.bundleDigest }),
		...(live.bundleExpiresAt !== null && { expiresAt: toTime(live.bundleExpiresAt) }),
		...(live.bundleRefused !== null && { refused: live.bundleRefused }),
	},
	boards: parts(live.boards),
	readers: parts(live.readers),
	storage: live.storage,
	clock: live.clock,
	historyLost: live.historyLost,
	tampered: live.tampered,
	...(live.eventAt !== null && { eventAt: toTime(live.eventAt) }),
})

const parts = (by: BankRow['boards']) => Object.entries(by).map(([name, { since, ...rest }]) => ({ name, ...rest, since: toTime(since) }))

export const showDoor = (door: DoorRow) => ({
	door: door.door,
	...(door.alarm !== null && { alarm: door.alarm }),
	sensor: door.sensorReliable ? ('reliable' as const) : ('unreliable' as const),
	...(door.sessionId !== null &&
		door.sessionState !== null && {
			session: { id: door.sessionId, state: door.sessionState, act: door.sessionAct ?? '', by: door.sessionSubject ?? '' },
		}),
	allocation: door.allocation,
	...(door.holdWhy && { why: door.holdWhy }),
	...(door.reservedFor !== null && { reservedFor: door.reservedFor }),
	content: door.content,
	...(door.asset !== null && { asset: door.asset }),
	since: toTime(door.since),
})

export const showService = (reason: string | null) =>
	reason === null ? { state: 'in-service' as const } : { state: 'out-of-service' as const, reason }

export const showCompartment = (c: Compartment, door: DoorRow) => ({
	id: c.id,
	bank: c.bank,
	module: c.module,
	number: c.number,
	size: c.size,
	accessible: c.accessible,
	powered: c.powered,
	wired: c.wired,
	inside: {
		...(c.widthMm !== null && { widthMm: c.widthMm }),
		...(c.heightMm !== null && { heightMm: c.heightMm }),
		...(c.depthMm !== null && { depthMm: c.depthMm }),
	},
	service: showService(c.outOfService),
	capabilities: [...(c.powered ? (['charge'] as const) : []), ...(c.wired ? (['lan'] as const) : [])],
	live: showDoor(door),
	...showRecord(c),
})

export const showController = (c: Controller, live: ControllerRow | undefined) => ({
	id: c.id,
	bank: c.bank,
	name: c.name,
	state: c.revokedAt !== null ? ('revoked' as const) : c.certificate === null ? ('waiting' as const) : ('enrolled' as const),
	...(c.certificate !== null && c.certificateUntil !== null && { certificate: { fingerprint: c.certificate, until: toTime(c.certificateUntil) } }),
	...(c.revokedAt !== null && { revokedAt: toTime(c.revokedAt) }),
	live: {
		online: live?.online ?? false,
		...(live && { seenAt: toTime(live.seenAt) }),
		...(live?.software != null && { software: live.software }),
		...(live?.storageLevel != null && { storageLevel: live.storageLevel }),
		...(live?.stream != null && { stream: live.stream }),
		...(live?.seq != null && { seq: live.seq }),
	},
	...showRecord(c),
})
