import type { DatabaseSync } from 'node:sqlite'
import type { Clock, Random, Sign } from '@latchwork/core/base'
import type { EventDraft } from '@latchwork/core/ledger'
import type { EdgeConfig } from './config.ts'
import { type Journal, openJournal } from './journal/index.ts'
import { nodeCrypto } from './keys.ts'
import { type TrustedTime, trustedTime } from './time.ts'

export interface RecordsParts {
	readonly config: EdgeConfig
	/** Where the journal lives. */
	readonly directory: string
	readonly clock: Clock
	readonly random: Random
	/** The device's own key, for chain heads. */
	readonly sign: Sign
	/** The store can no longer be written. */
	readonly broken?: (fault: unknown) => void
	/** Its first words, in one entry with what was found out about the time; `fresh`: see `Journal`. */
	readonly begins?: (fresh: boolean) => EventDraft
	/** For tests: bounds the database. */
	readonly tune?: (db: DatabaseSync) => void
}

export interface Records {
	readonly journal: Journal
	readonly time: TrustedTime
	/** From when on records name the bundle in force, and say whether there is a live link to a server. */
	knows(version: () => number, online?: () => boolean): void
}

/** Journal and time need each other: records carry the time, and the time that was reached is kept with the records. Throws the faults of `openJournal`. */
export function openRecords({ config, directory, clock, random, sign, broken, begins, tune }: RecordsParts): Records {
	let bundleVersion = () => 0
	let isOnline = () => false
	const early: EventDraft[] = []
	let note = (...events: readonly EventDraft[]): void => void early.push(...events)
	const time = trustedTime(clock, ({ kind, byMs }) => note({ type: `controller.${kind}`, subject: config.controller, actor: 'edge', data: { byMs } }))
	const journal = openJournal({
		directory,
		controller: config.controller,
		random,
		now: () => time.now(),
		context: () => ({
			bank: config.bank,
			at: time.now(),
			mono: Math.floor(clock.mono()),
			clock: time.uncertain() ? 'uncertain' : 'good',
			bundle: bundleVersion(),
			offline: !isOnline(),
			sha256: nodeCrypto.sha256,
		}),
		sealer: { sign, keyId: config.server?.head ?? config.controller },
		opened: (fact) => time.carryOn(fact('edge', 'time')),
		standing: () => [{ kind: 'edge', key: 'time', body: time.state() }],
		...(broken && { broken }),
		...(tune && { tune }),
	})
	note = journal.note
	if (begins) early.push(begins(journal.fresh))
	if (early.length > 0) note(...early)
	return {
		journal,
		time,
		knows(version, online = () => false) {
			bundleVersion = version
			isOnline = online
		},
	}
}
