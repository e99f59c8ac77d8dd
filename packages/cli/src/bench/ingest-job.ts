import type { Id } from '@latchwork/core/base'
import type { Sender } from '@latchwork/server/ledger'

/** The forms of the ledger that are measured, and the floor under them. */
export type LedgerForm =
	/** Controllers' messages, through the inbox with the estate's state; positions by the sequencer. */
	| 'ingest'
	/** The same bytes and indexes by the same client, and nothing else. */
	| 'insert'
	/** One fact a transaction; positions by the sequencer. */
	| 'append'
	/** One fact a transaction; its position, tree and notification in that transaction, under the lock of the log's head. */
	| 'locked-head'

/** What one process does: `connections` work at the same time, each one message or transaction after the other. */
export interface IngestJob {
	readonly url: string
	readonly form: LedgerForm
	readonly tenant: Id<'tenant'>
	readonly connections: number
	/** Messages or transactions of each connection. */
	readonly each: number
	/** So many more before it says that it is ready. */
	readonly warmUp: number
	readonly seed: number
	/** One process of all also sequences. */
	readonly sequences: boolean
	/** For `ingest` and `insert`: one controller a connection. */
	readonly banks: readonly {
		readonly bank: Id<'bank'>
		readonly site: Id<'site'>
		readonly compartments: readonly Id<'compartment'>[]
		readonly controller: Sender['controller']
	}[]
}

export interface IngestTimes {
	/** Events that were made durable. */
	readonly events: number
	/** Milliseconds since 1970 of the first message and the last answer. */
	readonly from: number
	readonly to: number
	/** Milliseconds of each message or transaction. */
	readonly each: readonly number[]
}

export const BATCH = 64
