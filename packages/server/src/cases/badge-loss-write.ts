import { type Id, isId, type Random } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import type { Applied, Applier } from '../ledger/index.ts'
import { findCredential, type PeopleTerms, reportLost } from '../people/index.ts'
import { sql, type Tx } from '../store/index.ts'
import { openTask } from './task-write.ts'

/**
 * An applier of the ledger: a badge that its holder reported lost at a bank ends everywhere, and whoever shows one afterwards may have found or stolen it:
 * a person looks. A bank reports only the badges of whoever stood there.
 */
export function badgeLossApplier(terms: PeopleTerms): Applier {
	return async (tx, events, about) => {
		for (const event of events)
			if (event.type === 'credential.reported-lost') await reported(tx, event, about, terms)
			else if (event.type === 'decision.denied' && isId('credential', event.data.credential))
				await shown(tx, { credential: event.data.credential, at: event.at }, { ...about, bank: event.bank }, terms)
	}
}

async function reported(
	tx: Tx,
	{ subject: badge, actor, at, bank, stream, seq, type }: StreamEvent,
	about: Applied,
	terms: PeopleTerms,
): Promise<void> {
	const { site, now } = about
	const found = isId('credential', badge) ? await findCredential(tx, badge, true) : undefined
	if (found?.kind !== 'badge' || found.subject !== actor) {
		const detail = { stream, seq, type, of: bank, subject: badge }
		return openTask(tx, { kind: 'foreign-record', site, bank, detail }, { now, random: terms.random })
	}
	await reportLost(tx, { ...terms, actor: found.subject, now }, found, at)
	// A bank that was cut off tells late: meanwhile somebody may have used it elsewhere.
	const uses = await tx.rows<Use>(sql`SELECT site_id AS site, bank_id AS bank, at FROM badge_use
		WHERE tenant_id = ${tx.tenant} AND commitment = ${found.commitment} AND at > ${at} ORDER BY at`)
	for (const use of uses) await shown(tx, { credential: found.id, at: use.at }, { ...use, now }, terms)
}

interface Use {
	readonly site: Id<'site'>
	readonly bank: Id<'bank'>
	readonly at: number
}

async function shown(
	tx: Tx,
	{ credential, at }: { readonly credential: Id<'credential'>; readonly at: number },
	{ site, bank, now }: Omit<Use, 'at'> & { readonly now: number },
	{ random }: { readonly random: Random },
): Promise<void> {
	const badge = await findCredential(tx, credential)
	if (badge?.lostAt === undefined || at <= badge.lostAt) return
	await openTask(tx, { kind: 'lost-badge-shown', site, bank, detail: { credential, user: badge.subject, lostAt: badge.lostAt, at } }, { now, random })
}
