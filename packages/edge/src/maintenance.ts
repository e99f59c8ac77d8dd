import { dirname, resolve } from 'node:path'
import type { Id, Random } from '@latchwork/core/base'
import type { Compartment } from '@latchwork/core/door'
import type { EventDraft } from '@latchwork/core/ledger'
import { sharedClock, systemClock } from './clock-file.ts'
import { type EdgeConfig, readConfig } from './config.ts'
import { signingKey } from './keys.ts'
import { openRecords } from './records.ts'

/** Work at the hardware beside a controller that is stopped, in its own record: nobody can do it while the controller runs, or unseen. */
export interface Maintenance {
	readonly config: EdgeConfig
	/** What the controller last knew of this compartment. */
	compartment(id: Id<'compartment'>): Compartment | undefined
	/** Durable when this returns, so before the act that it speaks of. Throws `Fault` journal-full. */
	record(event: Pick<EventDraft, 'type' | 'subject' | 'data'>): void
	close(): void
}

/** Throws `Fault` data-in-use while the controller runs, and the faults of `openJournal`. */
export function openMaintenance(path: string, random: Random): Maintenance {
	const config = readConfig(path)
	const clock = config.clock === undefined ? { ...systemClock, stop() {} } : sharedClock(config.clock, 'maintenance')
	try {
		const { journal, knows } = openRecords({
			config,
			directory: dirname(resolve(path)),
			clock,
			random,
			sign: signingKey(config.deviceKey).sign,
		})
		knows(() => journal.fact<{ version: number }>('authority', 'accepted')?.version ?? 0)
		return {
			config,
			compartment: (id) => journal.fact<Compartment>('compartment', id),
			record: (event) => void journal.commit({ events: [{ ...event, actor: 'staff' }], essential: true }),
			close() {
				journal.sealHead()
				journal.close()
				clock.stop()
			},
		}
	} catch (fault) {
		clock.stop()
		throw fault
	}
}
