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
