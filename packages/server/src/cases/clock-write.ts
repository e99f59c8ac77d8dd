import { isTooLate, nextDeadline, step } from '@latchwork/core/workflow'
import { bankLive, type Change } from '../estate/index.ts'
import type { Tx } from '../store/index.ts'
import { lockCase, tableOf } from './case-read.ts'
import { type DeadlineHandlers, setDeadlineRow } from './deadline-write.ts'
import { giveNotice, officeEnv, PATIENCE_MS, saveStep, schedule } from './step-write.ts'

/**
 * What a case's deadline does. Before its first act at the bank the case moves here. Afterwards the bank moves it, and only when it does not say
 * so in time (it is offline) are people told from here; the step comes when the bank is heard again, and tells nobody twice.
 */
export const caseDeadlines = (random: Change['random']): DeadlineHandlers => ({
	case: (tx, { ref }, now) => own(tx, ref, { actor: 'server', now, random }),
	'case-late': (tx, { ref }, now) => late(tx, ref, { actor: 'server', now, random }),
})

async function own(tx: Tx, id: string, doing: Change): Promise<void> {
	const row = await lockCase(tx, id)
	const table = row && (await tableOf(tx, row.tableHash))
	const due = table && nextDeadline(table, row.body)
	if (!due || row.endedAt !== null || row.atBank || due.dueMs > doing.now) return
	const input = { kind: 'deadline', name: due.name } as const
	const env = officeEnv(row, doing.now)
	const stepped = step(table, row.body, input, env)
	if (!('refused' in stepped)) await saveStep(tx, row, table, stepped, doing, { input, env })
}

async function late(tx: Tx, id: string, doing: Change): Promise<void> {
	const row = await lockCase(tx, id)
	const table = row && (await tableOf(tx, row.tableHash))
	if (!table || row.endedAt !== null) return
	const silent = ((await bankLive(tx, row.bank))?.silentSince ?? null) !== null
	// A copy is led on as far as the clock goes, for its notices alone.
	let body = row.body
	for (let due = nextDeadline(table, body); due && due.dueMs <= doing.now; due = nextDeadline(table, body)) {
		// Whether they could have come is known when the bank says whether it served (X19). Until then nobody is told that they are late.
		if (silent && isTooLate(table, due.name))
			return setDeadlineRow(tx, { key: `case/${row.id}`, dueAt: doing.now + PATIENCE_MS, kind: 'case-late', ref: row.id })
		const stepped = step(table, body, { kind: 'deadline', name: due.name }, officeEnv(row, doing.now))
		if ('refused' in stepped) break
		for (const effect of stepped.effects) if (effect.effect === 'notify') await giveNotice(tx, { ...row, body }, effect.about ?? 'changed', doing)
		body = stepped.case
	}
	await schedule(tx, { ...row, body }, table)
}
