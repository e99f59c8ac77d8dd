import type { IncomingHttpHeaders } from 'node:http'
import type { Caller } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { Db, Tx } from '../store/index.ts'

/** What the headers claim, before anything was looked up. */
export interface Claim {
	/** A cookie is sent by the browser whoever made the page ask, so changes by it need the right origin (T17). */
	readonly kind: 'session' | 'token'
	readonly tenant: Id<'tenant'>
	readonly digest: string
}

/** Who stands at the door: handed in, because `http` knows no domain. */
export interface Gate {
	/** `secure`: people come by https. */
	claimOf(headers: IncomingHttpHeaders, secure: boolean): Claim | undefined
	/** `touch` is there when the use has to be recorded. */
	identify(db: Db, claim: Claim, now: number): Promise<{ readonly caller: Caller; touch?(tx: Tx): Promise<void> } | undefined>
}

/** The installation's master key, as far as answers need it that are kept for a day. */
export interface Sealing {
	seal(bytes: Uint8Array, context: string): Uint8Array
	open(sealed: Uint8Array, context: string): Uint8Array
}
