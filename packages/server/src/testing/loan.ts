import { type Id, newId, type Random } from '@latchwork/core/base'
import type { StreamEvent } from '@latchwork/core/ledger'
import { type Case, FINISHED, type Input, movedData, newCase, step } from '@latchwork/core/workflow'
import { bankTables } from '../cases/index.ts'
import { nodeCrypto } from '../crypto.ts'

/** A walk-up loan as a bank records it, for the appliers of the ledger: each part is what its stream holds next. */
export interface TestLoan {
	readonly id: Id<'case'>
	/** From the first record until the person has it. */
	take(at: number): StreamEvent[]
	giveBack(at: number): StreamEvent[]
}

export interface LoanOf {
	readonly bank: Id<'bank'>
	readonly owner: Id<'subject'>
	readonly asset?: Id<'asset'>
	/** Recorded without a link to the server. */
	readonly offline?: boolean
}

export function testLoan({ bank, owner, asset, offline = false }: LoanOf, now: number, random: Random): TestLoan {
	const [table] = bankTables(nodeCrypto.sha256)
	if (!table) throw new Error('There is no table for loans.')
	const [id, stream, compartment] = [newId('case', now, random), newId('stream', now, random), newId('compartment', now, random)]
	const line = { id: newId('line', now, random), asset: asset ?? newId('asset', now, random), compartment, custodian: bank }
	let of: Case = newCase(table, { id, owner, lines: [line] })
	let seq = 0
	const record = (type: StreamEvent['type'], at: number, data: StreamEvent['data']): StreamEvent => {
		seq += 1
		return { v: 1, stream, seq, prev: '', type, subject: id, actor: owner, bank, at, mono: 0, clock: 'good', bundle: 1, offline, data }
	}
	const does = (input: Input, at: number): StreamEvent[] => {
		const env = { now: at, bank, facts: FINISHED }
		const stepped = step(table, of, input, env)
		if ('refused' in stepped) throw new Error(stepped.text)
		of = stepped.case
		return movedData(stepped, { input, env }).map((data) => record('case.moved', at, data))
	}
	const who = { by: 'user', subject: owner } as const
	return {
		id,
		take: (at) => [
			record('case.opened', at, { workflow: 'loan', tableHash: table.hash, asset: line.asset, start: { owner, lines: [line] } }),
			...does({ kind: 'request', name: 'allot', ...who }, at),
			...does({ kind: 'request', name: 'dispense', ...who, line: line.id }, at),
			...does({ kind: 'act', act: 'collect', line: line.id, ...who, evidence: 4, compartment }, at),
		],
		giveBack: (at) => does({ kind: 'act', act: 'deposit', line: line.id, ...who, evidence: 4, compartment }, at),
	}
}
