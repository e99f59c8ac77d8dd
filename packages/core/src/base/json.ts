import { Fault } from './fault.ts'

/**
 * Canonical JSON: RFC 8785 (JCS) restricted to strings, booleans, arrays, objects and integers below 2^53, so that every
 * language writes the same bytes (no floats, no null). Event bytes, bundles and leases are signed and hashed in this form.
 */
export type Json = string | boolean | number | readonly Json[] | { readonly [key: string]: Json }

export function canonical(value: unknown): string {
	switch (typeof value) {
		case 'string':
			if (!value.isWellFormed()) throw new Fault('event-invalid', 'A text holds half a surrogate pair.')
			return JSON.stringify(value)
		case 'boolean':
			return String(value)
		case 'number':
			if (!Number.isSafeInteger(value) || Object.is(value, -0)) throw new Fault('event-invalid', `Not an integer below 2^53: ${value}`)
			return String(value)
		case 'object': {
			if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`
			if (value === null) break
			const object = value as Record<string, unknown>
			// RFC 8785 §3.2.3 sorts by UTF-16 code units, which is what the default sort does.
			const fields = Object.keys(object)
				.filter((k) => object[k] !== undefined)
				.sort()
				.map((k) => `${canonical(k)}:${canonical(object[k])}`)
			return `{${fields.join(',')}}`
		}
	}
	throw new Fault('event-invalid', `Not allowed in canonical JSON: ${value === null ? 'null' : typeof value}`)
}

export const canonicalBytes = (value: unknown): Uint8Array => new TextEncoder().encode(canonical(value))
