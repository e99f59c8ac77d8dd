import { generateKeyPairSync, hash, randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Bundle, badgeToBits, sealBundle, verifierOf } from '@latchwork/core/access'
import { type Id, type IdKind, newId, toHex } from '@latchwork/core/base'
import { LOAN_DEFAULTS, loanTable, tableHash } from '@latchwork/core/workflow'
import { nodeCrypto, signingKey } from '@latchwork/edge/keys'
import type { HardwarePlan, Lines } from './hardware.ts'

/** A bank of any size, as a server would describe it to its controller. */
export interface BankSize {
	/** All of them may take a laptop, each by a policy about one of their groups. */
	readonly people: number
	/** In force at this bank. */
	readonly policies: number
	/** Of the same tenant, about its other sites: left out when the bundle is compiled. */
	readonly policiesElsewhere?: number
	readonly doors: number
	/** Laptops of three types, in the first doors. */
	readonly items: number
}

export interface MeasuredBank {
	readonly hardware: HardwarePlan
	/** Badge number of the person at this place of the list. */
	badge(person: number): string
	/** Writes `edge.json` once the hardware says where it can be reached; answers its path. */
	configure(lines: Lines, web: string): string
}

const CHANNELS = 16
const BOARDS_ON_A_BUS = 10
const DAY = 86_400_000
export const TYPES = ['laptop-13', 'laptop-14', 'laptop-16'] as const

/** Puts bundle and keys into `folder` (made if absent). `busKind`: how the lock boards hang there; the reader always hangs on a TCP gateway. */
export function makeBank(folder: string, size: BankSize, busKind: HardwarePlan['busKind'], now: number): MeasuredBank {
	mkdirSync(folder, { recursive: true, mode: 0o700 })
	const id = <K extends IdKind>(kind: K) => newId(kind, now, randomBytes)
	const doors = Array.from({ length: size.doors }, (_, i) => ({ id: id('compartment'), number: i + 1, ...placeOf(i) }))
	const busIds = [...new Set(doors.map((d) => d.bus))]
	const buses = busIds.map((bus) => ({ id: bus, boards: [...new Set(doors.filter((d) => d.bus === bus).map((d) => d.board))] }))
	const siteKey = randomBytes(32)
	const readerKey = randomBytes(16).toString('hex')
	const bank = id('bank')
	secret(folder, 'site.key', toHex(siteKey))
	secret(folder, 'reader.key', readerKey)
	for (const name of ['device.pem', 'maker.pem'])
		secret(folder, name, generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString())
	const maker = signingKey(join(folder, 'maker.pem'))
	const bundle = bundleOf({ size, bank, doors, siteKey, now, id })
	writeFileSync(join(folder, 'bundle.json'), JSON.stringify(sealBundle(bundle, 'bench', maker.sign)))
	const tags = new Map(bundle.initialContents.map((c) => [c.compartment as string, bundle.assets.find((a) => a.id === c.asset)?.tag ?? '']))
	return {
		hardware: {
			busKind,
			buses,
			readerKey,
			doors: doors.map((d) => ({ number: d.number, bus: d.bus, board: d.board, channel: d.channel, ...(tags.has(d.id) && { tag: tags.get(d.id) }) })),
		},
		badge,
		configure(lines, web) {
			const reader = { id: id('reader'), family: 'osdp', transport: lines.reader, address: 1, key: 'reader.key' }
			const config = {
				controller: id('controller'),
				bank,
				port: 0,
				web,
				bundle: 'bundle.json',
				lease: 'lease.json',
				makers: [{ keyId: 'bench', publicKey: toHex(maker.publicKey) }],
				siteKey: 'site.key',
				deviceKey: 'device.pem',
				buses: buses.map((b) => ({ ...b, family: 'kr16', product: 'CU16', transport: lines.buses[b.id] })),
				readers: [reader],
				compartments: doors.map((d) => ({ id: d.id, bus: d.bus, board: d.board, channel: d.channel })),
			}
			const path = join(folder, 'edge.json')
			writeFileSync(path, JSON.stringify(config))
			return path
		},
	}
}

/** Ten million and up, so that every number has the same length. */
export const badge = (person: number): string => String(10_000_000 + person)

export function placeOf(door: number): { bus: string; board: number; channel: number } {
	const board = Math.floor(door / CHANNELS)
	return { bus: `bus-${Math.floor(board / BOARDS_ON_A_BUS) + 1}`, board: board % BOARDS_ON_A_BUS, channel: door % CHANNELS }
}

interface Making {
	readonly size: BankSize
	readonly bank: Id<'bank'>
	readonly doors: readonly { readonly id: Id<'compartment'>; readonly number: number }[]
	readonly siteKey: Uint8Array
	readonly now: number
	readonly id: <K extends IdKind>(kind: K) => Id<K>
}

function bundleOf({ size, bank, doors, siteKey, now, id }: Making): Bundle {
	const table = loanTable({ ...LOAN_DEFAULTS, afterReturn: 'available' })
	const commitment = (text: string) => hash('sha256', text)
	const people = Array.from({ length: size.people }, (_, i) => ({
		subject: id('subject'),
		credential: id('credential'),
		group: groupOf(i % size.policies),
		badge: badge(i),
	}))
	const assets = Array.from({ length: size.items }, (_, i) => ({
		id: id('asset'),
		tag: `LT-${String(i + 1).padStart(4, '0')}`,
		kind: 'laptop' as const,
		name: 'Laptop',
		type: TYPES[i % TYPES.length] ?? TYPES[0],
		valueClass: 'normal' as const,
		commitment: commitment(`LT-${i}`),
	}))
	const site = id('site')
	return {
		format: 'latchwork-bundle/1',
		tenant: id('tenant'),
		site: { id: site, name: 'Bench', timeZone: 'Europe/Berlin' },
		bank: {
			id: bank,
			name: 'Bench',
			helpPhone: '-',
			layout: { columns: columnsOf(doors.map((d) => d.number)) },
			compartments: doors.map((d) => ({ id: d.id, number: d.number, size: 'M', accessible: true })),
		},
		version: 1,
		issuedAt: now,
		staleAt: now + DAY,
		expiresAt: now + 2 * DAY,
		policies: {
			version: 1,
			sets: [{ id: 'here', cedar: policies(size.policies), scope: { site } }, ...setsElsewhere(size.policiesElsewhere ?? 0, id)],
			schedules: [],
		},
		groups: [...new Set(people.map((p) => p.group))].map((group) => ({ id: group })),
		subjects: people.map((p) => ({ id: p.subject, groups: [p.group], maxLoans: 2, commitment: commitment(p.subject) })),
		credentials: people.map((p) => {
			const image = badgeToBits(p.badge)
			const verifier = verifierOf(siteKey, nodeCrypto, 'badge', image.ok ? image.normal : p.badge)
			return { id: p.credential, kind: 'badge' as const, subject: p.subject, verifier, commitment: commitment(p.badge), assurance: 'medium' as const }
		}),
		revoked: { epoch: 0, ids: [] },
		assets,
		initialContents: assets.flatMap((a, i) => (doors[i] ? [{ compartment: doors[i].id, asset: a.id }] : [])),
		workflows: [{ name: 'loan', tableHash: tableHash(table, nodeCrypto.sha256), table: JSON.parse(JSON.stringify(table)), settings: {} }],
		settings: { pinLength: 8, wrongPinsPerDay: 100, loanDue: { kind: 'same-day-by', time: '18:00' }, leaseRequired: false },
	}
}

export const groupOf = (policy: number): string => `team-${policy}`

/** One team's permission each; every tenth also has a condition to work out. */
export const policies = (count: number): string =>
	Array.from({ length: count }, (_, i) => {
		const condition = i % 10 === 9 ? ' when { context.assuranceLevel >= 1 && context.minuteOfDay < 1440 && !context.overdue }' : ''
		return `@id("${groupOf(i)}")\npermit (principal in Latchwork::Group::"${groupOf(i)}", action == Latchwork::Action::"collect", resource)${condition};\n`
	}).join('')

const setsElsewhere = (count: number, id: Making['id']): Bundle['policies']['sets'] =>
	Array.from({ length: Math.ceil(count / 50) }, (_, i) => ({
		id: `site-${i}`,
		cedar: policies(Math.min(50, count - i * 50)),
		scope: { site: id('site') },
	}))

export function columnsOf(numbers: readonly number[]): Bundle['bank']['layout']['columns'] {
	const columns = Math.ceil(numbers.length / 6)
	return Array.from({ length: columns }, (_, i) => ({
		widthMm: 400,
		cells: numbers.slice(i * 6, i * 6 + 6).map((number) => ({ kind: 'door', number, heightMm: 300, size: 'M', accessible: true })),
	}))
}

const secret = (folder: string, name: string, text: string): void => writeFileSync(join(folder, name), text, { mode: 0o600 })
