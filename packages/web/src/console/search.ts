/** What stands behind the question mark of an address, read with care: people write it by hand, too. */
export type Raw = Readonly<Record<string, unknown>>
export const text = (raw: Raw, name: string): string | undefined => {
	const value = raw[name]
	return typeof value === 'string' && value !== '' ? value : typeof value === 'number' ? String(value) : undefined
}
export const whole = (raw: Raw, name: string): number | undefined => {
	const value = Number(raw[name])
	return raw[name] !== undefined && Number.isSafeInteger(value) && value >= 0 ? value : undefined
}
export const flag = (raw: Raw, name: string): boolean | undefined => (typeof raw[name] === 'boolean' ? raw[name] : undefined)
/** Without what is not given: it would stand in the address. */
export const given = <T extends object>(fields: T): T => Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as T

export interface BankSearch {
	door?: number | undefined
	view?: 'list' | undefined
	/** The dialog that opens the door stands open. */
	open?: true | undefined
}
export interface CasesSearch {
	workflow?: string | undefined
	open?: boolean | undefined
	conflict?: boolean | undefined
	bank?: string | undefined
	find?: string | undefined
}
export interface DecisionsSearch {
	effect?: 'allow' | 'deny' | undefined
	bank?: string | undefined
	user?: string | undefined
}
export interface EventsSearch {
	/** Only what they did and what was done to them. */
	person?: string | undefined
	type?: string | undefined
	bank?: string | undefined
	subject?: string | undefined
	/** Down from this position. */
	at?: number | undefined
}
