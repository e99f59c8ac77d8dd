import { type BundleSettings, MINTED_DIGITS } from '@latchwork/core/access'
import type { KioskScreen } from '@latchwork/core/wire'

type PinScreen = Extract<KioskScreen, { name: 'pin' }>

/** What can be typed at this bank: a PIN, and where parcels wait for codes, a pick-up code. */
export type KeypadRule = Pick<PinScreen, 'length' | 'code' | 'confirms' | 'oneTime'>

const CODE = { digits: 8, hint: 0 }

/** For whoever was given a one-time code: it is longer than all that is typed each day, so it is asked for apart and the last digit of a PIN still sends. */
export const ONE_TIME_RULE: KeypadRule = { length: MINTED_DIGITS, oneTime: 'typing' }

/**
 * `codes`: there are live pick-up codes here. Where both have one length the last digit sends by itself; else a touch says that it is whole. `oneTime`:
 * the server may have given somebody a one-time code for this bank.
 */
export function keypadRule(
	settings: Pick<BundleSettings, 'pinLength' | 'pickUpCode'> | undefined,
	{ codes, oneTime = false }: { readonly codes: boolean; readonly oneTime?: boolean },
): KeypadRule {
	const pin = settings?.pinLength ?? 8
	const offered = oneTime ? { oneTime: 'offered' as const } : {}
	if (!codes) return { length: pin, ...offered }
	const code = settings?.pickUpCode ?? CODE
	const whole = code.digits + code.hint
	return { length: Math.max(pin, whole), code, ...(whole !== pin && { confirms: true }), ...offered }
}

/** Keys as they come, many at once from a keypad with a wire; `whole`: what was typed is to be looked at. `*` takes one back, `#` sends. */
export function typeKeys(before: string, keys: string, { length, confirms }: KeypadRule): { readonly typed: string; readonly whole?: string } {
	let typed = before
	for (const key of keys) {
		if (key === '*') typed = typed.slice(0, -1)
		else if (key !== '#' && typed.length < length) typed += key
		if ((key === '#' || (typed.length === length && !confirms)) && typed) return { typed: '', whole: typed }
	}
	return { typed }
}
