import type { Random } from './random.ts'

/**
 * Every identifier is a typed prefix and a UUIDv7 (RFC 9562 §5.7): `ds_01951c0e-…`. The prefix says what a pasted id is;
 * the time in front keeps index inserts local. Ids are minted once and persisted, never regenerated on retry.
 */
export const ID_PREFIXES = {
	tenant: 'ten',
	site: 'sit',
	bank: 'bnk',
	compartment: 'cmp',
	controller: 'ctl',
	reader: 'rdr',
	subject: 'sub',
	credential: 'crd',
	asset: 'ast',
	policy: 'pol',
	bundle: 'bdl',
	visit: 'vis',
	doorSession: 'dos',
	command: 'cmd',
	case: 'cas',
	line: 'lin',
	stream: 'str',
	task: 'tsk',
	incident: 'inc',
	decision: 'dec',
	area: 'are',
	module: 'mod',
	group: 'grp',
	role: 'rol',
	roleAssignment: 'rla',
	session: 'ses',
	token: 'tok',
	claim: 'clm',
	reservation: 'rsv',
	event: 'evt',
	assetType: 'aty',
	request: 'req',
	notice: 'ntc',
	approval: 'apv',
	breakGlass: 'bgl',
} as const
export type IdKind = keyof typeof ID_PREFIXES
export type Id<K extends IdKind = IdKind> = `${(typeof ID_PREFIXES)[K]}_${string}`

const hex = (b: Uint8Array) => Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('')

/** UUIDv7: 48 bits of milliseconds, version, 74 random bits. */
export function uuidv7(nowMs: number, random: Random): string {
	const b = new Uint8Array(16)
	b.set(random(10), 6)
	let t = Math.floor(nowMs)
	for (let i = 5; i >= 0; i--) {
		b[i] = t % 256
		t = Math.floor(t / 256)
	}
	b[6] = 0x70 | ((b[6] ?? 0) & 0x0f)
	b[8] = 0x80 | ((b[8] ?? 0) & 0x3f)
	const h = hex(b)
	return `${h.slice(0, 8)}-${h.slice(8, 12)}-${h.slice(12, 16)}-${h.slice(16, 20)}-${h.slice(20)}`
}

export function newId<K extends IdKind>(kind: K, nowMs: number, random: Random): Id<K> {
	return `${ID_PREFIXES[kind]}_${uuidv7(nowMs, random)}`
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/

export function isId<K extends IdKind>(kind: K, text: unknown): text is Id<K> {
	return typeof text === 'string' && text.startsWith(`${ID_PREFIXES[kind]}_`) && UUID.test(text.slice(4))
}
