import { isMintedId } from '@latchwork/core/access'
import type { Random } from '@latchwork/core/base'
import type { Applier } from '../ledger/index.ts'
import { usedOneTimeCode } from '../people/index.ts'
import { openTask } from './task-write.ts'

/**
 * An applier of the ledger: a one-time code opened a door. One that nobody was given was made by somebody who has the keys of that bank, and those lie in
 * its box: a person looks.
 */
export function codeUseApplier({ random }: { readonly random: Random }): Applier {
	return async (tx, events, { site, now }) => {
		for (const { type, data, at, bank, actor, subject: visit } of events) {
			if (type !== 'credential.code-used' || typeof data.jti !== 'string' || !isMintedId(data.jti)) continue
			if ((await usedOneTimeCode(tx, { id: data.jti, bank, at }, now)) === 'used') continue
			await openTask(
				tx,
				{ kind: 'unknown-code-used', site, bank, detail: { code: data.jti, visit, at, ...(actor && { user: actor }) } },
				{ now, random },
			)
		}
	}
}
