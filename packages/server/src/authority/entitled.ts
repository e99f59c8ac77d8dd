import type { PolicySet } from '@latchwork/core/access'

interface Member {
	readonly id: string
	readonly groups: readonly string[]
}

/**
 * Who has a row at a bank: whom a policy that holds there could permit anything, and who is bound to it. A bank learns of nobody else (trust.md §3.2).
 * Read from the heads of the policies: one that names no group and nobody could permit everybody. Whether it does is for `decide` to say.
 */
export function entitled<M extends Member>(subjects: readonly M[], sets: readonly PolicySet[], bound: ReadonlySet<string>): M[] {
	const heads = sets.flatMap(({ cedar }) => [...withoutComments(cedar).matchAll(HEAD)].map((match) => match[1] ?? ''))
	const everybody = heads.some((head) => !/\bin\b|==/.test(head))
	const groups = new Set(heads.flatMap((head) => [...head.matchAll(/\bGroup::"([^"]+)"/g)].map((match) => match[1] ?? '')))
	const people = new Set(heads.flatMap((head) => [...head.matchAll(/\bPerson::"([^"]+)"/g)].map((match) => match[1] ?? '')))
	return subjects.filter(({ id, groups: of }) => everybody || bound.has(id) || people.has(id) || of.some((group) => groups.has(group)))
}

/** What a permit says of its principal, up to the comma before the action. */
const HEAD = /\bpermit\s*\(\s*principal([^,]*),/g
/** Not inside a string: an id may hold two slashes. */
const withoutComments = (cedar: string): string => cedar.replaceAll(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*/g, (_, text: string | undefined) => text ?? '')
