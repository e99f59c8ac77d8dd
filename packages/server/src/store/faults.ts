import { Fault } from '@latchwork/core/base'

/** SQLSTATE classes and codes (PostgreSQL manual, appendix A) and system codes that mean something to whoever runs the server. */
const AWAY = new Set([
	'ECONNREFUSED',
	'ECONNRESET',
	'ENOENT',
	'ETIMEDOUT',
	'EPIPE',
	'ENOTFOUND',
	// Too many connections.
	'53300',
	'57P01',
	'57P02',
	'57P03',
	// A transaction that nobody went on with.
	'25P03',
	'08000',
	'08001',
	'08003',
	'08006',
])
const DENIED = new Set(['28000', '28P01', '42501', '3D000'])
const FULL = new Set(['53100'])
/** Memory of the database's machine; a disk that cannot be read or written. */
const UNWELL: Readonly<Record<string, string>> = { '53200': 'no memory left', '58030': 'a disk that cannot be read or written' }
/** Serialisation, deadlock, a lock that somebody else kept. */
const BUSY = new Set(['40001', '40P01', '55P03'])
const TOO_LONG = '57014'

/** What the database refused, as a fault; what the work itself threw stays what it is. */
export function asFault(cause: unknown): unknown {
	if (!(cause instanceof Error) || cause instanceof Fault) return cause
	const { code = '', message } = cause as Error & { code?: string }
	if (AWAY.has(code) || /^(?:Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error)/.test(message))
		return new Fault('database-unavailable', 'The database does not answer. Nothing was changed; try again in a moment.', { cause })
	if (DENIED.has(code))
		return new Fault('database-denied', `The database refuses this login: ${message}. See the guide for operators, chapter "Your own PostgreSQL".`, {
			cause,
		})
	if (FULL.has(code)) return new Fault('database-full', 'The database has no room left. Nothing was changed; free some space.', { cause })
	if (code in UNWELL)
		return new Fault('database-unavailable', `The database says that it has ${UNWELL[code]}: ${message}. Nothing was changed.`, { cause })
	if (code === TOO_LONG)
		return new Fault('database-unavailable', 'The database took too long over this. Nothing was changed; ask for less, or try again later.', {
			cause,
		})
	if (BUSY.has(code)) return new Fault('database-busy', 'Two changes met. Nothing was changed; try again.', { cause })
	return cause
}
