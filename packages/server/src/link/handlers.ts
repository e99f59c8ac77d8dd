import type { MintKeys } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { LinkStatus } from '@latchwork/core/wire'
import type { StreamAnswer, StreamBatch } from '../ledger/index.ts'
import type { LinkSender } from './directory.ts'

/** A document for a bank as it goes over HTTPS. */
export interface BankDocument {
	/** Hex SHA-256 of what is signed; the entity tag. */
	readonly digest: string
	/** The envelope, as it was signed. */
	readonly text: string
	/** Beside a bundle: the site's key, once it is another than that of the enrolments. */
	readonly siteKey?: Uint8Array | undefined
	/** Beside a bundle: what one-time codes that are typed are made with. */
	readonly mintKeys?: MintKeys | undefined
}

/** What the domains answer to controllers. The link knows who asks; whose bank it is was checked before. */
export interface LinkHandlers {
	/** Resolves when it is durable. */
	ingest(sender: LinkSender, batch: StreamBatch): Promise<StreamAnswer>
	/** The bundle, and the delta about people, that know this badge or code; undefined: nobody does. */
	credential(sender: LinkSender, verifier: string): Promise<{ readonly bundle: number; readonly people: number } | undefined>
	/** The newest; undefined: none was made yet. `held`: up to which deltas the bank knows them all, where it wants what it missed. */
	bundle(sender: LinkSender, held?: { readonly deltas?: number | undefined; readonly people?: number | undefined }): Promise<BankDocument | undefined>
	lease(sender: LinkSender): Promise<BankDocument | undefined>
	/** After the link itself has taken note: what it says of its bundle may be old. */
	heard?(sender: LinkSender, status: LinkStatus): Promise<void>
}

/** Counted, and told to whoever watches: a message or request of a controller that was not as it must be. */
export interface LinkIncident {
	readonly code: 'message-invalid' | 'certificate-invalid' | 'claim-invalid' | 'rate-limited' | 'command-contradicted' | 'overloaded' | 'failed'
	readonly controller?: Id<'controller'>
	readonly text: string
	readonly cause?: unknown
}
