import { sql, type Tx } from '../store/index.ts'

/**
 * Failed sign-ins, counted for names and for addresses alike whether anybody has that name (T29). A try is spent before the password is looked at,
 * in a transaction of its own, so that killing the server gives none back; a right password clears the name and returns the address its try.
 */
interface Ladder {
	/** Failures that cost nothing. */
	readonly free: number
	readonly longestMs: number
}
const NAME: Ladder = { free: 4, longestMs: 15 * 60_000 }
/** Many people sit behind one address. */
const ADDRESS: Ladder = { free: 30, longestMs: 5 * 60_000 }
const FORGOTTEN_MS = 24 * 60 * 60_000

export interface Trying {
	readonly name: Buffer
	readonly address: Buffer
}

/** 0: go ahead, and the try is spent. Else milliseconds to wait; a try that has to wait is not counted. */
export async function spendTry(tx: Tx, { name, address }: Trying, now: number): Promise<number> {
	const [first, second] = Buffer.compare(name, address) < 0 ? [name, address] : [address, name]
	let wait = 0
	for (const key of [first, second]) {
		await tx.run(sql`INSERT INTO sign_in_try (key, failures, locked_until, last_at) VALUES (${key}, 0, 0, ${now}) ON CONFLICT (key) DO NOTHING`)
		const row = await tx.first(sql<{ locked_until: number }>`SELECT locked_until FROM sign_in_try WHERE key = ${key} FOR UPDATE`)
		wait = Math.max(wait, (row?.locked_until ?? 0) - now)
	}
	if (wait > 0) return wait
	for (const [key, ladder] of [
		[name, NAME],
		[address, ADDRESS],
	] as const) {
		const row = await tx.first(sql<{ failures: number; last_at: number }>`SELECT failures, last_at FROM sign_in_try WHERE key = ${key}`)
		const failures = 1 + (row && now - row.last_at < FORGOTTEN_MS ? row.failures : 0)
		await tx.run(
			sql`UPDATE sign_in_try SET failures = ${failures}, locked_until = ${now + waitAfter(failures, ladder)}, last_at = ${now} WHERE key = ${key}`,
		)
	}
	return 0
}

/** What failed for this name counts no more. */
export async function clearName(tx: Tx, name: Buffer): Promise<void> {
	await tx.run(sql`DELETE FROM sign_in_try WHERE key = ${name}`)
}

/** The password was right. */
export async function giveBackTry(tx: Tx, { name, address }: Trying): Promise<void> {
	await clearName(tx, name)
	await tx.run(sql`UPDATE sign_in_try SET failures = greatest(0, failures - 1), locked_until = 0 WHERE key = ${address}`)
}

export const forgetTries = (tx: Tx, now: number): Promise<number> => tx.run(sql`DELETE FROM sign_in_try WHERE last_at <= ${now - FORGOTTEN_MS}`)

/** 2 s, 4 s, 8 s … once the free ones are gone. */
const waitAfter = (failures: number, { free, longestMs }: Ladder): number =>
	failures < free ? 0 : Math.min(longestMs, 1_000 * 2 ** Math.min(failures - free + 1, 20))
