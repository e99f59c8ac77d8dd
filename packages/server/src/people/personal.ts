import { createHmac, hash } from 'node:crypto'
import { type Id, type Random, toHex } from '@latchwork/core/base'
import { type MasterKey, sealingKey } from '../store/index.ts'

/** What is known of a person. It lies sealed; only the console and the person's own data export see it. */
export interface Personal {
	readonly name: string
	readonly email?: string | undefined
	readonly phone?: string | undefined
	/** BCP 47. */
	readonly language?: string | undefined
	readonly labels: Readonly<Record<string, string>>
	readonly externalRefs: readonly { readonly system: string; readonly id: string }[]
	readonly clientData: Readonly<Record<string, unknown>>
}

/** Of the organisation: wraps keys of people, and keys the indexes by which they are found. */
export type TenantSealing = MasterKey & { readonly secret: Uint8Array }

/** A person's own key, wrapped. Destroying `wrapped` destroys the person's data wherever copies of it lie. */
export function newPersonKey(tenant: TenantSealing, subject: Id<'subject'>, random: Random): { wrapped: Uint8Array; own: MasterKey } {
	const key = random(32)
	return { wrapped: tenant.seal(key, keyContext(subject)), own: sealingKey(key, random) }
}

export const personKey = (tenant: TenantSealing, subject: Id<'subject'>, wrapped: Uint8Array, random: Random): MasterKey =>
	sealingKey(tenant.open(wrapped, keyContext(subject)), random)

const keyContext = (subject: Id<'subject'>) => `person-key:${subject}`

export const sealJson = (own: MasterKey, value: unknown, context: string): Uint8Array => own.seal(Buffer.from(JSON.stringify(value)), context)
export const openJson = <T>(own: MasterKey, sealed: Uint8Array, context: string): T =>
	JSON.parse(Buffer.from(own.open(sealed, context)).toString('utf8')) as T

/** What the ledger and bundles may know: it proves a value to whoever has the salt, and says nothing to anybody else. */
export const commitTo = (salt: Uint8Array, value: string): string => hash('sha256', Buffer.concat([salt, Buffer.from(value)]), 'hex')
export const newSalt = (random: Random): string => toHex(random(32))

/** A keyed digest: equal values are found, and nobody without the key can try values. */
export function blindIndex(secret: Uint8Array, kind: 'email' | 'word' | 'badge' | 'sign-in' | 'address', value: string): Buffer {
	return createHmac('sha256', secret).update(`${kind}:${value}`).digest().subarray(0, 20)
}

export const normalEmail = (email: string): string => email.normalize('NFKC').trim().toLowerCase()

const SHORTEST = 2
const LONGEST = 12
const MOST_WORDS = 16

/** Words as they are searched: without case, accents and punctuation. */
function wordsOf(text: string): string[] {
	const plain = text.normalize('NFKD').replaceAll(/\p{M}/gu, '').toLowerCase()
	return [...new Set(plain.split(/[^\p{L}\p{N}]+/u).filter(Boolean))].slice(0, MOST_WORDS)
}

/** Every beginning of every word of name, address and foreign ids; a word of one letter counts whole. */
export function searchable({ name, email = '', externalRefs }: Personal): string[] {
	const words = wordsOf([name, email, ...externalRefs.map((ref) => ref.id)].join(' '))
	return [...new Set(words.flatMap(beginnings))]
}

function beginnings(word: string): string[] {
	const letters = [...word]
	if (letters.length < SHORTEST) return [word]
	return Array.from({ length: Math.min(letters.length, LONGEST) - SHORTEST + 1 }, (_, i) => letters.slice(0, SHORTEST + i).join(''))
}

/** What a person typed, as looked up; longer than anything indexed, its beginning has to do. */
export const searched = (text: string): string[] => wordsOf(text).map((word) => [...word].slice(0, LONGEST).join(''))
