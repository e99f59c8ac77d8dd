import { randomBytes, randomInt } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { type Bundle, badgeToBits, codeNormal, drawDigits, mintCode, sealBundle, sealLease, verifierOf } from '@latchwork/core/access'
import { Fault, ID_PREFIXES, type Id, type IdKind, isId, newId, toHex } from '@latchwork/core/base'
import type { BankLayout, VirtualState } from '@latchwork/core/wire'
import { DELIVERY_DEFAULTS, deliveryTable, LOAN_DEFAULTS, loanTable, type Table, tableHash } from '@latchwork/core/workflow'
import { writeJson } from '@latchwork/edge/durable'
import { nodeCrypto, signingKey } from '@latchwork/edge/keys'
import { z } from 'zod'
import type { DemoParcel } from '../virtual/server.ts'

/**
 * The demo estate: one bank, a few people, three loan laptops, two parcels. `latchwork dev` is the bundle's maker here, so names, badge
 * numbers, PINs and salts stay in its own file (`demo.json`); the edge gets pseudonyms, verifiers and salted commitments.
 */
const idOf = <K extends IdKind>(kind: K) => z.custom<Id<K>>((v) => isId(kind, v), `must be an id like ${ID_PREFIXES[kind]}_…`)
const hex = (bytes: number) => z.string().regex(new RegExp(`^[0-9a-f]{${2 * bytes}}$`), `must be ${bytes} bytes in hex`)
const demoPerson = z.object({
	id: idOf('subject'),
	name: z.string(),
	group: z.enum(['staff', 'visitors']),
	badge: z.string(),
	pin: z.string(),
	salts: z.object({ person: hex(32), badge: hex(32), pin: hex(32) }),
	credentials: z.object({ badge: idOf('credential'), pin: idOf('credential') }),
})
type DemoPerson = z.infer<typeof demoPerson>
/** An order of one parcel. `door`: it waits there from the beginning; else it is expected. */
const demoParcel = z.object({
	case: idOf('case'),
	line: idOf('line'),
	code: idOf('credential'),
	/** One of the people, or a pseudonym of somebody who is known by the code alone. */
	recipient: idOf('subject'),
	order: z.string(),
	tag: z.string(),
	digits: z.string(),
	salt: hex(32),
	collectBy: z.int(),
	door: z.int().optional(),
})
type Order = z.infer<typeof demoParcel>
/** Rises when an older Latchwork could not go on with the file. */
const FORMAT = 1
const demoFile = z.object({
	format: z.literal(FORMAT).default(FORMAT),
	tenant: idOf('tenant'),
	site: idOf('site'),
	bank: idOf('bank'),
	controller: idOf('controller'),
	reader: idOf('reader'),
	readerKey: hex(16),
	compartments: z.array(z.object({ id: idOf('compartment'), number: z.int(), board: z.int(), channel: z.int() })),
	people: z.array(demoPerson),
	assets: z.array(z.object({ id: idOf('asset'), tag: z.string(), name: z.string(), door: z.int(), salt: hex(32) })),
	/** Absent in a directory that is older than parcels. */
	parcels: z.array(demoParcel).default([]),
	/** The bundle's version rises with each start. */
	version: z.int().nonnegative(),
})
export type Demo = z.infer<typeof demoFile>

export const SITE = { name: 'Fernholt HQ', timeZone: 'Europe/Berlin', bank: 'HQ Lobby A', helpPhone: '+49 30 5550 118' }
const DAY = 86_400_000

/** Heights in millimetres, top to bottom; numbers run down the columns, the terminal stands in the third. */
const COLUMNS: readonly (readonly (readonly ['S' | 'M' | 'L' | 'XL', number] | 'terminal')[])[] = [
	[
		['M', 300],
		['M', 300],
		['S', 150],
		['S', 150],
		['M', 300],
		['XL', 600],
	],
	[
		['M', 300],
		['M', 300],
		['S', 150],
		['S', 150],
		['L', 450],
		['L', 450],
	],
	[['M', 300], 'terminal', ['M', 300]],
	[
		['S', 150],
		['S', 150],
		['S', 150],
		['S', 150],
		['XL', 600],
		['XL', 600],
	],
	[
		['L', 450],
		['L', 450],
		['L', 450],
		['L', 450],
	],
]
const TERMINAL_MM = 1_200
/** Wheelchair reach: 380 to 1,220 mm above the floor, measured to the middle of the door (ADA 308; trust the plinth of 100 mm). */
const REACH = { from: 380, to: 1_220, plinth: 100 }

export const LAYOUT: BankLayout = (() => {
	let number = 0
	return {
		columns: COLUMNS.map((cells) => {
			let bottom = cells.reduce((sum, cell) => sum + (cell === 'terminal' ? TERMINAL_MM : cell[1]), REACH.plinth)
			return {
				widthMm: cells.includes('terminal') ? 450 : 400,
				cells: cells.map((cell) => {
					const heightMm = cell === 'terminal' ? TERMINAL_MM : cell[1]
					bottom -= heightMm
					if (cell === 'terminal') return { kind: 'terminal' as const, heightMm }
					const middle = bottom + heightMm / 2
					number += 1
					return { kind: 'door' as const, number, heightMm, size: cell[0], accessible: middle >= REACH.from && middle <= REACH.to }
				}),
			}
		}),
	}
})()
const DOORS = LAYOUT.columns.flatMap((c) => c.cells.flatMap((cell) => (cell.kind === 'door' ? [cell] : [])))
/** Sixteen locks on the first board, the rest on the second. */
export const BOARDS = [
	{ board: 0, channels: 16 },
	{ board: 1, channels: 16 },
] as const

/** Throws `Fault` data-newer, or config-invalid for a file that is damaged. */
export function readDemo(file: string): Demo {
	let raw: unknown
	try {
		raw = JSON.parse(readFileSync(file, 'utf8'))
	} catch (cause) {
		throw damaged(file, 'it is not whole', cause)
	}
	const { format = FORMAT } = (raw ?? {}) as { format?: unknown }
	if (typeof format === 'number' && format > FORMAT)
		throw new Fault(
			'data-newer',
			`This data directory was written by a newer Latchwork (demo.json has format ${format}, this one knows ${FORMAT}). Install that version, or start with another directory.`,
		)
	const read = demoFile.safeParse(raw)
	if (read.success) return read.data
	const [first] = read.error.issues
	throw damaged(file, `${first?.path.join('.') || 'the file'}: ${first?.message}`, read.error)
}

const damaged = (file: string, why: string, cause: unknown) =>
	new Fault('config-invalid', `${file} is damaged (${why}). Put it back from a copy, or begin anew with --fresh.`, { cause })

/** Reads the demo's own file or makes the demo up; badge numbers and PINs are drawn, so that no two installations share a secret. */
export function demo(file: string, now: number, withPeople: boolean): Demo {
	if (existsSync(file)) return readDemo(file)
	const id = <K extends IdKind>(kind: K) => newId(kind, now, randomBytes)
	const salt = () => randomBytes(32).toString('hex')
	const badges = new Set<string>()
	while (badges.size < 4) badges.add(String(randomInt(10_000_000, 99_999_999)))
	const [a, b, c, d] = [...badges]
	const person = (name: string, group: DemoPerson['group'], badge = ''): DemoPerson => ({
		id: id('subject'),
		name,
		group,
		badge,
		pin: String(randomInt(0, 100_000_000)).padStart(8, '0'),
		salts: { person: salt(), badge: salt(), pin: salt() },
		credentials: { badge: id('credential'), pin: id('credential') },
	})
	const asset = (tag: string, name: string, door: number) => ({ id: id('asset'), tag, name, door, salt: salt() })
	const people = withPeople
		? [person('Ada Berg', 'staff', a), person('Ben Okoro', 'staff', b), person('Chen Li', 'staff', c), person('Dana Weiss', 'visitors', d)]
		: []
	const parcel = (order: string, recipient: Order['recipient'], door?: number): Order => ({
		case: id('case'),
		line: id('line'),
		code: id('credential'),
		recipient,
		order: `Order ${order}`,
		tag: `PX-${order}`,
		digits: drawDigits(8, randomBytes),
		salt: salt(),
		collectBy: now + 2 * DAY,
		...(door !== undefined && { door }),
	})
	const made: Demo = {
		format: FORMAT,
		tenant: id('tenant'),
		site: id('site'),
		bank: id('bank'),
		controller: id('controller'),
		reader: id('reader'),
		readerKey: randomBytes(16).toString('hex'),
		compartments: DOORS.map(({ number }) => ({ id: id('compartment'), number, board: number <= 16 ? 0 : 1, channel: (number - 1) % 16 })),
		people,
		assets: withPeople ? [asset('LT-0418', 'Laptop 14-inch', 14), asset('LT-0419', 'Laptop 14-inch', 8), asset('LT-0420', 'Laptop 14-inch', 2)] : [],
		parcels: people[2] ? [parcel('1042', id('subject')), parcel('1043', people[2].id, 9)] : [],
		version: 0,
	}
	writeJson(file, made)
	return made
}

const KEY_ID = 'demo-maker'
export const MAKER_KEY_ID = KEY_ID

/** Taking and carrying parcels is for staff; the visitors' group shows what a refusal looks like. Bringing back needs no rule (trust.md §3.7). */
const POLICY = `@id("staff-take-laptops")
permit (principal in Latchwork::Group::"staff", action == Latchwork::Action::"collect", resource in Latchwork::AssetType::"laptop-14");

@id("not-while-overdue")
@reason("overdue-block")
forbid (principal, action == Latchwork::Action::"collect", resource) when { context.overdue && context.workflow == "loan" };

@id("staff-carry-parcels")
permit (principal in Latchwork::Group::"staff", action in [Latchwork::Action::"deposit", Latchwork::Action::"collect"], resource is Latchwork::Compartment)
when { context.workflow == "delivery" };
`

export interface Maker {
	bundle(now: number): string
	lease(now: number): string
	/** One-time QR texts for a person. */
	codes(person: DemoPerson, now: number, count: number): string[]
	/** The pick-up code of a parcel as a picture. */
	picture(parcel: Order, now: number): string
	readonly publicKey: string
}

/** The bundle's maker: signs what the edge may decide by. A bundle lives three days, the lease half an hour and is renewed each minute. */
export function maker(files: { readonly demo: string; readonly makerKey: string }, of: Demo, siteKey: Uint8Array): Maker {
	const { sign, publicKey } = signingKey(files.makerKey)
	const commit = (salt: string, text: string) => toHex(nodeCrypto.sha256(Buffer.concat([Buffer.from(salt, 'hex'), Buffer.from(text)])))
	return {
		publicKey: toHex(publicKey),
		bundle(now) {
			of.version += 1
			writeJson(files.demo, of)
			return JSON.stringify(sealBundle(bundleOf(of, siteKey, commit, now), KEY_ID, sign))
		},
		lease: (now) =>
			JSON.stringify(
				sealLease({ format: 'latchwork-lease/1', bank: of.bank, bundleVersion: of.version, issuedAt: now, until: now + DAY / 48 }, KEY_ID, sign),
			),
		codes: (person, now, count) =>
			Array.from({ length: count }, () =>
				mintCode(
					{ jti: randomBytes(12).toString('base64url'), subject: person.id, bank: of.bank, notBefore: now - 60_000, expires: now + 7 * DAY },
					sign,
				),
			),
		picture: ({ code, recipient, case: order }, now) =>
			mintCode({ jti: code, subject: recipient, case: order, bank: of.bank, notBefore: now - 60_000, expires: now + 7 * DAY }, sign),
	}
}

function bundleOf(of: Demo, siteKey: Uint8Array, commit: (salt: string, text: string) => string, now: number): Bundle {
	const loan = workflow(loanTable({ ...LOAN_DEFAULTS, afterReturn: 'available' }))
	const delivery = workflow(deliveryTable(DELIVERY_DEFAULTS))
	const byNumber = new Map(of.compartments.map((c) => [c.number, c.id]))
	const verifier = (kind: 'badge' | 'pin' | 'code', text: string) => {
		const image = kind === 'badge' ? badgeToBits(text) : undefined
		return verifierOf(siteKey, nodeCrypto, kind, image?.ok ? image.normal : text)
	}
	return {
		format: 'latchwork-bundle/1',
		tenant: of.tenant,
		site: { id: of.site, name: SITE.name, timeZone: SITE.timeZone },
		bank: {
			id: of.bank,
			name: SITE.bank,
			helpPhone: SITE.helpPhone,
			layout: LAYOUT,
			compartments: DOORS.flatMap(({ number, size, accessible }) => {
				const id = byNumber.get(number)
				return id ? [{ id, number, size, accessible }] : []
			}),
		},
		version: of.version,
		issuedAt: now,
		staleAt: now + DAY / 96,
		expiresAt: now + 3 * DAY,
		policies: { version: 1, sets: [{ id: 'demo', cedar: POLICY }], schedules: [] },
		groups: [{ id: 'staff' }, { id: 'visitors' }],
		subjects: of.people.map((p) => ({ id: p.id, groups: [p.group], maxLoans: 2, commitment: commit(p.salts.person, p.name) })),
		credentials: of.people.flatMap((p) => [
			{
				id: p.credentials.badge,
				kind: 'badge' as const,
				subject: p.id,
				verifier: verifier('badge', p.badge),
				commitment: commit(p.salts.badge, p.badge),
				assurance: 'medium' as const,
			},
			{
				id: p.credentials.pin,
				kind: 'pin' as const,
				subject: p.id,
				verifier: verifier('pin', p.pin),
				commitment: commit(p.salts.pin, p.pin),
				assurance: 'low' as const,
			},
		]),
		revoked: { epoch: 0, ids: [] },
		assets: of.assets.map((a) => ({
			id: a.id,
			tag: a.tag,
			kind: 'laptop' as const,
			name: a.name,
			type: 'laptop-14',
			valueClass: 'normal' as const,
			commitment: commit(a.salt, a.tag),
		})),
		initialContents: of.assets.flatMap((a) => {
			const compartment = byNumber.get(a.door)
			return compartment ? [{ compartment, asset: a.id }] : []
		}),
		cases: of.parcels.map((p) => orderOf(p, of.bank, delivery.tableHash, p.door === undefined ? undefined : byNumber.get(p.door))),
		codes: of.parcels.map((p) => ({
			id: p.code,
			case: p.case,
			verifier: verifier('code', codeNormal(of.bank, p.digits)),
			commitment: commit(p.salt, p.digits),
			notAfter: p.collectBy + 7 * DAY,
		})),
		workflows: [loan, delivery],
		settings: { pinLength: 8, wrongPinsPerDay: 100, loanDue: { kind: 'same-day-by', time: '18:00' }, leaseRequired: true },
	}
}

const workflow = (table: Table) => ({
	name: table.name,
	tableHash: tableHash(table, nodeCrypto.sha256),
	table: JSON.parse(JSON.stringify(table)),
	settings: {},
})

/** As a server would offer it to its bank: expected, or put in before the demo begins. */
function orderOf({ case: id, line, recipient, order, tag, collectBy }: Order, bank: Demo['bank'], hash: string, compartment?: Id<'compartment'>) {
	const about = { id: line, tag, size: 'S' as const }
	return {
		id,
		workflow: 'delivery',
		tableHash: hash,
		owner: recipient,
		label: order,
		...(compartment
			? {
					version: 2,
					state: 'ready',
					lines: [{ ...about, state: 'deposited', custodian: bank, compartment }],
					deadlines: { 'collect-by': collectBy },
				}
			: { version: 1, state: 'ordered', lines: [{ ...about, state: 'expected', custodian: 'shop' }] }),
	}
}

/** Where each thing of the demo lies at first. */
export const demoContents = (of: Demo): ReadonlyMap<number, string> =>
	new Map([...of.assets.map((a) => [a.door, a.tag] as const), ...of.parcels.flatMap((p) => (p.door === undefined ? [] : [[p.door, p.tag] as const]))])

/** Parcels that can be tried: their label, and the code that their recipient was sent. */
export const demoParcels = (of: Demo, made: Maker, now: number): DemoParcel[] =>
	of.parcels.map((p) => ({ order: p.order, tag: p.tag, code: p.digits, qr: made.picture(p, now) }))

/** What the virtual bank's page offers to click on. */
export const demoPeople = (of: Demo, made: Maker, now: number): VirtualState['people'] =>
	of.people.map((p) => ({ name: p.name, badge: p.badge, pin: p.pin, qr: made.codes(p, now, 8) }))
