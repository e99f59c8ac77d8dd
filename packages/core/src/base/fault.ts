/**
 * A refusal is a value; a fault is thrown, and it is always one of these: a stable `code`, a `message` that a person can
 * act on, a `detail` for the log, and the `cause`. Codes are listed in `FAULTS`; a test checks that each is documented.
 */
export const FAULTS = {
	'config-invalid': 'A setting or a configuration file is wrong; the text names the field and what is allowed.',
	'data-newer': 'The data directory was written by a newer version of Latchwork.',
	'data-in-use': 'Another Latchwork process uses this data directory.',
	'port-in-use': 'The port is taken by another program.',
	'journal-full': 'The disk or the journal cannot take another record, so no door is opened.',
	'journal-damaged': 'The journal on disk fails its own checks.',
	'bundle-invalid': 'The authority bundle or its lease cannot be read, is for another bank, or is not signed by a pinned key.',
	'bundle-rollback': 'The authority bundle or its lease is older than one that was already accepted.',
	'table-invalid': 'A workflow table fails its check.',
	'event-invalid': 'A value cannot be written as event bytes (only strings, booleans, arrays, objects, integers below 2^53).',
	'transport-closed': 'The serial port or socket is closed.',
	'transport-denied': 'The operating system does not let this user open the serial port.',
	'board-timeout': 'The lock board did not answer in time.',
	'board-refused': 'The lock board refused the command.',
	'out-of-range': 'The board or channel does not exist on this bus.',
	'not-supported': 'The hardware lacks this ability.',
	'command-expired': 'The command was older than it may be and was dropped.',
	'reader-insecure': 'The reader did not come up in the secure channel that its profile demands.',
	'not-found': 'There is no such thing at this address.',
	'request-invalid': 'The request does not have the documented shape.',
	'request-refused': 'The request is understood, but not possible now; the text says why.',
	'rate-limited': 'Too many requests, or too many failed attempts; the text says how long to wait.',
	'database-unavailable': 'The database does not answer; nothing was changed.',
	'database-denied': 'The database refuses the login, or the login lacks a right that the server needs.',
	'database-full': 'The database has no room left; nothing was changed.',
	'database-busy': 'Two changes met in the database; nothing was changed, the same request may be sent again.',
	'sealed-unreadable': 'Something sealed in the database cannot be opened with this master key.',
	'migration-failed': 'The tables could not be brought to the version that this server needs.',
	'not-signed-in': 'The request carries no valid session or token.',
	'not-permitted': 'The signed-in person or token lacks the permission for this, at this place.',
	'version-conflict': 'The record has changed since it was read; read it again and repeat the change.',
	'version-missing': 'A change does not say which version it was made for (header If-Match).',
	'already-exists': 'There is such a thing already; the text names what must be unique.',
	'idempotency-mismatch': 'The Idempotency-Key was used before with another request.',
	'claim-invalid': 'The claim is unknown, used, expired, or for another controller.',
	'certificate-invalid': 'The device certificate is not ours, expired, revoked, or not that of this controller.',
	'message-invalid': 'A message between edge and server does not have the documented shape, size or sender.',
	'log-invalid': 'A log export, checkpoint, tile or proof does not verify.',
	'server-unreachable': 'The server does not answer at the address that the controller was given, or it is not the one that was pinned.',
	'broker-unavailable': 'The message broker does not answer.',
	'bank-full': 'No fitting compartment of the bank is free and unclaimed.',
	'no-suitable-compartment': 'The bank has no compartment that could hold this, however empty it is.',
	'policy-warned': 'The policy would do what its author may not have meant; the warnings say what. It can be done all the same.',
	'approval-needed': 'Somebody else has to approve this first.',
	'prerequisite-missing': 'A program that this command needs is not installed.',
} as const
export type FaultCode = keyof typeof FAULTS

export class Fault extends Error {
	readonly code: FaultCode
	readonly detail: Readonly<Record<string, unknown>> | undefined
	constructor(code: FaultCode, message: string, options: { detail?: Record<string, unknown>; cause?: unknown } = {}) {
		super(message, options.cause === undefined ? undefined : { cause: options.cause })
		this.name = 'Fault'
		this.code = code
		this.detail = options.detail
	}
}

export const isFault = (e: unknown, code?: FaultCode): e is Fault => e instanceof Fault && (code === undefined || e.code === code)
