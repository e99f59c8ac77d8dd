import { argon2, timingSafeEqual } from 'node:crypto'
import { Fault, type Random } from '@latchwork/core/base'

export interface Passwords {
	hash(password: string): Promise<string>
	/** Undefined: nobody has that name; it takes as long as a wrong password (T29). */
	verify(password: string, stored: string | undefined): Promise<boolean>
}

interface Cost {
	/** KiB. */
	readonly memory: number
	readonly passes: number
}

/** OWASP's least for argon2id: 19 MiB, two passes, one lane. */
const COST: Cost = { memory: 19_456, passes: 2 }
const SALT_BYTES = 16
const TAG_BYTES = 32
/** At the same time: more would take the memory and the threads of everything else (T32). Who waits longer than the queue is told to come back. */
const AT_ONCE = 2
const WAITING = 64

/** argon2id off the event loop. `pepper` is kept apart from the database, so that a copy of it is not enough to try passwords. */
export function passwords(pepper: Uint8Array, random: Random, cost: Cost = COST): Passwords {
	const turn = turns(AT_ONCE, WAITING)
	const derive = (password: string, salt: Uint8Array, { memory, passes }: Cost) =>
		turn(
			() =>
				new Promise<Buffer>((resolve, reject) => {
					const parameters = { message: password.normalize('NFC'), nonce: salt, parallelism: 1, tagLength: TAG_BYTES, memory, passes, secret: pepper }
					argon2('argon2id', parameters, (error, tag) => (error ? reject(error) : resolve(tag)))
				}),
		)
	const nobody = { salt: random(SALT_BYTES), tag: random(TAG_BYTES), cost }
	return {
		async hash(password) {
			const salt = random(SALT_BYTES)
			const tag = await derive(password, salt, cost)
			return ['argon2id', cost.memory, cost.passes, Buffer.from(salt).toString('base64url'), tag.toString('base64url')].join('$')
		},
		async verify(password, stored) {
			const { salt, tag, cost } = stored === undefined ? nobody : parsed(stored)
			const given = await derive(password, salt, cost)
			return timingSafeEqual(given, tag) && stored !== undefined
		},
	}
}

function parsed(stored: string): { salt: Uint8Array; tag: Uint8Array; cost: Cost } {
	const [, memory, passes, salt = '', tag = ''] = stored.split('$')
	return { salt: Buffer.from(salt, 'base64url'), tag: Buffer.from(tag, 'base64url'), cost: { memory: Number(memory), passes: Number(passes) } }
}

const SHORTEST = 15
const LONGEST = 128
const FEWEST_LETTERS = 6

/** Throws `request-invalid`. */
export function checkPassword(password: string, email: string): void {
	const wrong = passwordFault(password, email)
	if (wrong !== undefined) throw new Fault('request-invalid', `body.password: ${wrong}.`, { detail: { field: 'body.password' } })
}

/** Length and nothing else makes a password good (NIST SP 800-63B-4): no classes of characters, no expiry. What is wrong with it, behind its name. */
export function passwordFault(password: string, email: string): string | undefined {
	const letters = [...password.normalize('NFC')]
	const [name = ''] = email.toLowerCase().split('@')
	return letters.length < SHORTEST
		? `needs at least ${SHORTEST} characters; several words are easy to remember`
		: letters.length > LONGEST
			? `has at most ${LONGEST} characters`
			: new Set(letters).size < FEWEST_LETTERS
				? 'repeats too few characters'
				: name.length >= 4 && password.toLowerCase().includes(name)
					? 'must not contain the name of the address'
					: undefined
}

/** Runs so many at once, lets so many wait, and sends the rest away. */
function turns(atOnce: number, waiting: number) {
	let running = 0
	const queue: (() => void)[] = []
	return async <T>(work: () => Promise<T>): Promise<T> => {
		if (running >= atOnce) {
			if (queue.length >= waiting)
				throw new Fault('rate-limited', 'Too many people sign in at this moment. Try again in a few seconds.', { detail: { retryAfterSeconds: 5 } })
			await new Promise<void>((resolve) => queue.push(resolve))
		} else running++
		try {
			return await work()
		} finally {
			const next = queue.shift()
			if (next) next()
			else running--
		}
	}
}
