import { Fault } from '@latchwork/core/base'

const DEEPEST = 32

/** Refuses nesting before it is parsed: a body of a few kilobytes can be thousands of levels deep (T32). */
export function checkDepth(text: string): void {
	let depth = 0
	let inText = false
	for (let i = 0; i < text.length; i++) {
		const c = text.charCodeAt(i)
		if (inText) {
			if (c === 0x5c) i++
			else if (c === 0x22) inText = false
		} else if (c === 0x22) inText = true
		else if (c === 0x7b || c === 0x5b) {
			if (++depth > DEEPEST) throw new Fault('request-invalid', `The body is nested deeper than ${DEEPEST} levels.`)
		} else if (c === 0x7d || c === 0x5d) depth--
	}
}

/** What a body or a query is once it was read; `checkDepth` has kept it shallow. */
type Plain = string | number | boolean | null | undefined | readonly Plain[] | { readonly [name: string]: Plain }

/** NUL and halves of surrogate pairs are no text that can be kept (PostgreSQL refuses them wherever they stand): refused at the door, in names of fields too. */
export function checkText(given: unknown, where: string): void {
	const value = given as Plain
	if (typeof value === 'string') {
		if (value.includes('\0') || !value.isWellFormed())
			throw new Fault('request-invalid', `${where}: holds a NUL or half a character, which is no text.`, { detail: { field: where } })
	} else if (Array.isArray(value)) for (const [i, one] of value.entries()) checkText(one, `${where}.${i}`)
	else if (value !== null && typeof value === 'object')
		for (const [name, one] of Object.entries(value)) {
			checkText(name, where)
			checkText(one, `${where}.${name}`)
		}
}
