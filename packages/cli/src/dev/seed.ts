import { randomInt } from 'node:crypto'
import { Fault, type Id, type IdKind, isId } from '@latchwork/core/base'
import type { BankLayout } from '@latchwork/core/wire'
import { LAYOUT } from './demo.ts'

/**
 * The demo estate, made through the public API as an integrator would: two sites with a bank each, people with badges and PINs, loan laptops,
 * the policies that let staff take them, a parcel that is expected. Secrets are drawn, so no two installations share one.
 */
export interface SeedTerms {
	/** Where the API answers, without `/v1`. */
	readonly api: string
	/** Of somebody who may do everything in the organisation. */
	readonly token: string
	/**
	 * Random, and kept by whoever calls: with the same one a seeding that was cut short goes on where it was, for a day, and gets the same answers
	 * (PINs are shown once). Eight letters or more.
	 */
	readonly key: string
	/** Badge numbers, one a person; drawn and kept by the caller for the same reason. */
	readonly badges: readonly string[]
	/** False: sites, banks and controllers alone. */
	readonly demo: boolean
	readonly fetch?: typeof globalThis.fetch
}

export interface Seeded {
	readonly sites: readonly SeededSite[]
	readonly people: readonly SeededPerson[]
	readonly assets: readonly { readonly id: Id<'asset'>; readonly tag: string; readonly name: string; readonly door: number }[]
	readonly parcels: readonly {
		readonly case: Id<'case'>
		readonly order: string
		readonly tag: string
		readonly code: string
		readonly picture: string
	}[]
}
export interface SeededSite {
	readonly id: Id<'site'>
	readonly name: string
	readonly bank: Id<'bank'>
	readonly bankName: string
	readonly controller: Id<'controller'>
	readonly layout: BankLayout
	/** Sixteen locks on the first board, the rest on the second. */
	readonly compartments: readonly { readonly id: Id<'compartment'>; readonly number: number; readonly board: number; readonly channel: number }[]
}
export interface SeededPerson {
	readonly id: Id<'subject'>
	readonly name: string
	readonly group: string
	readonly badge: string
	/** At the first site. */
	readonly pin: string
}

const SITES = [
	{
		name: 'Fernholt HQ',
		address: 'Example Street 12, 10115 Berlin',
		timeZone: 'Europe/Berlin',
		bank: { name: 'HQ Lobby A', helpPhone: '+49 30 5550 118' },
		controller: 'HQ Lobby A controller',
	},
	{
		name: 'Fernholt Depot',
		address: 'Sample Road 4, Leeds LS1 1AA',
		timeZone: 'Europe/London',
		bank: { name: 'Depot Gate B', helpPhone: '+44 113 496 0118' },
		controller: 'Depot Gate B controller',
	},
] as const
const PEOPLE = [
	{ name: 'Ada Berg', group: 'staff' },
	{ name: 'Ben Okoro', group: 'staff' },
	{ name: 'Chen Li', group: 'staff' },
	{ name: 'Dana Weiss', group: 'visitors' },
] as const
const GROUPS = [
	{ code: 'staff', name: 'Staff' },
	{ code: 'visitors', name: 'Visitors' },
] as const
/** Behind these doors of the first bank. */
const LAPTOPS = [
	{ tag: 'LT-0418', door: 14 },
	{ tag: 'LT-0419', door: 8 },
	{ tag: 'LT-0420', door: 2 },
] as const
const LAPTOP = { code: 'laptop-14', name: 'Laptop 14-inch', kind: 'laptop' } as const
const PARCELS = [
	{ order: 'Order 1043', tag: 'PX-1043', size: 'S', hint: 'J… S…' },
	{ order: 'Order 1042', tag: 'PX-1042', size: 'S', hint: 'M… K…' },
] as const
const CHANNELS = 16

/** Taking and carrying parcels is for staff; the visitors' group shows what a refusal looks like. Bringing back needs no rule (trust.md §3.7). */
const POLICIES = [
	{
		code: 'loans',
		name: 'Laptop loans',
		statements: [{ kind: 'take', groups: ['staff'], types: ['laptop-14'] }, { kind: 'overdue' }],
	},
	{
		code: 'parcels',
		name: 'Parcels',
		statements: [{ kind: 'carry', groups: ['staff'], acts: ['deposit', 'collect'] }],
	},
	{
		// Known at the banks, so that a refusal names its reason instead of "unknown badge".
		code: 'visitors',
		name: 'Visitors',
		draft: `@id("visitors-bring-things")
permit (principal in Latchwork::Group::"visitors", action == Latchwork::Action::"deposit", resource is Latchwork::Asset);
`,
	},
] as const

export const drawBadges = (): string[] => {
	const badges = new Set<string>()
	while (badges.size < PEOPLE.length) badges.add(String(randomInt(10_000_000, 99_999_999)))
	return [...badges]
}

/** Throws `Fault` request-refused with the API's own words when it says no. */
export async function seedDemo(terms: SeedTerms): Promise<Seeded> {
	const api = apiOf(terms)
	const settings = await api.get('/v1/settings')
	await api.patch('/v1/settings', settings.version, { loanDue: { kind: 'same-day-by', time: '18:00' } })
	const groups = new Map<string, string>()
	for (const group of GROUPS) groups.set(group.code, (await api.post('/v1/groups', `group-${group.code}`, group)).id)
	const sites: SeededSite[] = []
	for (const site of SITES) sites.push(await seedSite(api, site))
	const [first] = sites
	if (!first) throw new Fault('request-refused', 'There is no site.')
	if (!terms.demo) return { sites, people: [], assets: [], parcels: [] }
	const people: SeededPerson[] = []
	for (const [i, person] of PEOPLE.entries())
		people.push(
			await seedPerson(api, { ...person, badge: terms.badges[i] ?? '', group: person.group, in: groups.get(person.group) ?? '', site: first.id }),
		)
	const type = await api.post('/v1/asset-types', 'type', LAPTOP)
	const assets: Seeded['assets'][number][] = []
	for (const { tag, door } of LAPTOPS) {
		const compartment = first.compartments.find((c) => c.number === door)?.id
		const made = await api.post('/v1/assets', `asset-${tag}`, { type: type.id, tag, bank: first.bank, compartment })
		assets.push({ id: idOf('asset', made.id), tag, name: LAPTOP.name, door })
	}
	for (const fields of POLICIES) {
		const policy = await api.post('/v1/policies', `policy-${fields.code}`, fields)
		await api.post(`/v1/policies/${policy.id}/versions`, `publish-${fields.code}`, { version: policy.version })
	}
	const parcels: Seeded['parcels'][number][] = []
	for (const { order, tag, size, hint } of PARCELS) {
		const booking = { bank: first.bank, label: order, lines: [{ tag, size }], recipient: { hint } }
		const { delivery, pickUpCode } = await api.post('/v1/deliveries', `parcel-${tag}`, booking)
		parcels.push({ case: idOf('case', delivery.id), order, tag, code: pickUpCode.digits, picture: pickUpCode.picture })
	}
	return { sites, people, assets, parcels }
}

async function seedSite(api: Api, { name, address, timeZone, bank, controller }: (typeof SITES)[number]): Promise<SeededSite> {
	const site = await api.post('/v1/sites', `site-${name}`, { name, address, timeZone })
	const made = await api.post('/v1/banks', `bank-${name}`, { site: site.id, ...bank, layout: LAYOUT })
	const box = await api.post('/v1/controllers', `controller-${name}`, { bank: made.id, name: controller })
	const { items } = await api.get(`/v1/compartments?bank=${made.id}&limit=200`)
	const compartments = (items as { id: string; number: number }[]).toSorted((a, b) => a.number - b.number)
	return {
		id: idOf('site', site.id),
		name,
		bank: idOf('bank', made.id),
		bankName: bank.name,
		controller: idOf('controller', box.id),
		layout: LAYOUT,
		compartments: compartments.map(({ id, number }) => ({
			id: idOf('compartment', id),
			number,
			board: Math.floor((number - 1) / CHANNELS),
			channel: (number - 1) % CHANNELS,
		})),
	}
}

interface NewPerson {
	readonly name: string
	readonly group: string
	readonly badge: string
	/** Id of the group. */
	readonly in: string
	readonly site: string
}

async function seedPerson(api: Api, { name, group, badge, in: of, site }: NewPerson): Promise<SeededPerson> {
	const user = await api.post('/v1/users', `user-${name}`, { name })
	await api.put(`/v1/groups/${of}/members/${user.id}`, `member-${name}`)
	await api.post('/v1/credentials', `badge-${name}`, { kind: 'badge', user: user.id, number: badge })
	const { pin } = await api.post('/v1/credentials', `pin-${name}`, { kind: 'pin', user: user.id, site })
	return { id: idOf('subject', user.id), name, group, badge, pin }
}

// biome-ignore lint/suspicious/noExplicitAny: the API describes its answers itself; what is used of them is checked where it is used.
type Answer = any
type Api = ReturnType<typeof apiOf>

function apiOf({ api, token, key, fetch = globalThis.fetch }: SeedTerms) {
	const ask = async (method: string, path: string, step?: string, body?: unknown, version?: number): Promise<Answer> => {
		const answer = await fetch(api + path, {
			method,
			headers: {
				authorization: `Bearer ${token}`,
				...(body !== undefined && { 'content-type': 'application/json' }),
				...(step !== undefined && { 'idempotency-key': `demo-${key}-${step.replaceAll(/[^\w-]/g, '-')}` }),
				...(version !== undefined && { 'if-match': `"${version}"` }),
			},
			...(body !== undefined && { body: JSON.stringify(body) }),
		})
		const text = await answer.text()
		if (answer.ok) return text === '' ? {} : JSON.parse(text)
		throw new Fault('request-refused', `The demo estate cannot be made: ${method} ${path} was answered with ${answer.status}: ${text.slice(0, 500)}`)
	}
	return {
		get: (path: string) => ask('GET', path),
		post: (path: string, step: string, body: unknown) => ask('POST', path, step, body),
		put: (path: string, step: string) => ask('PUT', path, step),
		// The same values again change nothing, so this needs no key; the version differs the second time.
		patch: (path: string, version: number, body: unknown) => ask('PATCH', path, undefined, body, version),
	}
}

function idOf<K extends IdKind>(kind: K, text: unknown): Id<K> {
	if (isId(kind, text)) return text
	throw new Fault('request-refused', `The API answered with ${String(text)} where an id of kind ${kind} was expected.`)
}
