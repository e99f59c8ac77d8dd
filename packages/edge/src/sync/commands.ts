import { decide, TOLERANCE_MS } from '@latchwork/core/access'
import { type Id, isFault, isId, newId, type Random } from '@latchwork/core/base'
import type { Step } from '@latchwork/core/door'
import type { EventDraft } from '@latchwork/core/ledger'
import { type LinkCommand, type LinkResult, resultOfEnd } from '@latchwork/core/wire'
import type { Case } from '@latchwork/core/workflow'
import type { Bank } from '../bank/index.ts'
import type { Entry, Journal } from '../journal/index.ts'
import type { KioskSession } from '../kiosk/index.ts'
import type { TrustedTime } from '../time.ts'
import type { AuthoritySource } from './authority.ts'

/** What the server orders (trust.md R11): each command once, its result durable before it is sent, and the first result whenever it comes again. */
export interface Commands {
	/** After a start: what the restart was ordered for is done. */
	begin(): void
	take(command: LinkCommand): void
	/** Results of commands whose door session ends: to be written in the same transaction. */
	follow(step: Step): NonNullable<Entry['put']>
	/** That step is durable. */
	stepped(step: Step): void
	/** What the server may not have heard. */
	results(): LinkResult[]
}

export interface CommandParts {
	readonly journal: Journal
	readonly bank: () => Bank
	readonly bankId: Id<'bank'>
	readonly authority: AuthoritySource
	readonly time: TrustedTime
	readonly random: Random
	/** A person is identified at the kiosk: no door of theirs may be confused with one that opens by itself. */
	readonly busy: () => boolean
	readonly readBadge: KioskSession['readBadge']
	readonly offline: () => boolean
	readonly send: (result: LinkResult) => void
	/** Ends this process in peace; whoever keeps it starts it anew. */
	readonly restart: () => void
}

type OpenRemote = Extract<LinkCommand, { kind: 'open-remote' }>

interface Kept {
	readonly result: LinkResult
	readonly expiresAt: number
	/** Done by the next start. */
	readonly restart?: true
}

const KIND = 'command'
/** Results are kept beyond the expiry of their command, so that a sender that asks late still gets the first one. */
const KEPT_MS = 10 * 60_000
/** The newest: the server takes so many messages of one controller at a time, and events come behind them. */
const MOST_TOLD_AGAIN = 32

export function openCommands(parts: CommandParts): Commands {
	const { journal, time, authority } = parts
	/** Refusals that the disk did not take: refused for as long as this process lives (R13). */
	const unrecorded = new Map<string, Kept>()
	const kept = (id: string) => journal.fact<Kept>(KIND, id) ?? unrecorded.get(id)
	const row = (command: Pick<LinkCommand, 'expiresAt'>, result: LinkResult) => ({
		kind: KIND,
		key: result.id,
		body: { result, expiresAt: command.expiresAt } satisfies Kept,
	})

	/** Bounded by expiry; what is still under way stays. */
	const past = (): NonNullable<Entry['drop']> =>
		[...journal.facts<Kept>(KIND)].flatMap(([key, { result, expiresAt }]) =>
			result.state !== 'accepted' && time.now() > expiresAt + KEPT_MS ? [{ kind: KIND, key }] : [],
		)

	const conclude = (
		command: Pick<LinkCommand, 'expiresAt'>,
		result: LinkResult,
		events: readonly EventDraft[] = [],
		unkept: Pick<LinkResult, 'reading'> = {},
	): void => {
		const put = row(command, result)
		try {
			journal.commit({ events, put: [put], drop: past() })
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
			unrecorded.set(result.id, put.body)
		}
		parts.send({ ...result, ...unkept })
	}

	const refuse = (command: LinkCommand, code: string, events: readonly EventDraft[] = []): void => {
		const by = command.by === 'server' ? ('server' as const) : command.by
		const data = { kind: command.kind, code, ...(command.kind === 'open-remote' && { compartment: command.compartment, reason: command.reason }) }
		conclude(command, { v: 1, id: command.id, state: 'refused', code }, [
			...events,
			{ type: 'command.refused', subject: command.id, actor: by, data },
		])
	}

	/** Why nothing is to be done at all, whatever it orders. */
	const barred = ({ bank, issuedAt, expiresAt }: LinkCommand): string | undefined => {
		if (bank !== parts.bankId) return 'other-bank'
		// When it was issued cannot be judged, so neither can whether it is still meant.
		if (time.uncertain() || issuedAt > time.now() + TOLERANCE_MS) return 'time-uncertain'
		return time.now() > expiresAt ? 'command-expired' : undefined
	}

	/** Never under somebody's hands. Without its record it would be ordered, and done, again. */
	const restart = (command: LinkCommand): void => {
		if (parts.busy()) return refuse(command, 'kiosk-in-use')
		if (Object.values(parts.bank().state().compartments).some((c) => c.session)) return refuse(command, 'door-open')
		const accepted: LinkResult = { v: 1, id: command.id, state: 'accepted' }
		const { body, ...key } = row(command, accepted)
		try {
			journal.commit({ events: [], put: [{ ...key, body: { ...body, restart: true } satisfies Kept }], drop: past() })
		} catch (fault) {
			if (!isFault(fault, 'journal-full')) throw fault
			return refuse(command, 'storage-full')
		}
		parts.send(accepted)
		parts.restart()
	}

	const promisedBy = (item: string) => [...journal.facts<Case>('case').values()].find((of) => of.lines.some((line) => line.asset === item))?.id

	const openRemote = (command: OpenRemote): void => {
		const { id, compartment, by, reason } = command
		const known = authority.current()
		const at = parts.bank().state().compartments[compartment]
		if (!known) return refuse(command, 'bundle-missing')
		if (!at || !known.bundle.bank.compartments.some((c) => c.id === compartment)) return refuse(command, 'compartment-unknown')
		if (by === 'server') return refuse(command, 'not-authorised')
		if (parts.busy()) return refuse(command, 'kiosk-in-use')
		// I4: what is promised to somebody is behind no door that opens for another. Where a person must look, somebody must.
		const promised = at.content.kind === 'item' && !at.hold ? promisedBy(at.content.item) : undefined
		if (promised !== undefined && promised !== command.case) return refuse(command, 'held-for-another')
		const moment = authority.moment()
		const { decision, effect, ...found } = decide(
			known.compiled,
			{
				decision: newId('decision', moment.now, parts.random),
				subject: by,
				credential: id,
				method: 'remote',
				assurance: 'high',
				action: 'open-remote',
				resource: { kind: 'compartment', id: compartment },
				workflow: 'none',
				offline: parts.offline(),
				storageLevel: known.storageLevel,
				openLoans: 0,
				overdue: false,
				intoEmptyCompartment: false,
			},
			moment,
		)
		const { id: subject, ...data } = decision
		const decided: EventDraft = {
			type: effect === 'allow' ? 'decision.allowed' : 'decision.denied',
			subject,
			actor: by,
			data: { ...data, command: id },
		}
		if ('reason' in found) return refuse(command, found.reason, [decided])
		const session = newId('doorSession', moment.now, parts.random)
		const accepted: LinkResult = { v: 1, id, state: 'accepted', session }
		const why = { method: 'remote', reason, decision: subject, ...(command.case !== undefined && { case: command.case }) }
		const step = parts
			.bank()
			.release(
				{ session, command: id, compartment, act: 'inspect', subject: by, needs: 0, why, notAfter: command.expiresAt },
				{ events: [decided], put: [row(command, accepted)], drop: past() },
				false,
			)
		if (step === 'storage-full') return refuse(command, 'storage-full')
		// The reducer remembers commands by itself: what it refused before, it refuses again.
		if (step.refused || step.repeated) return refuse(command, step.refused ?? 'repeated')
		parts.send(accepted)
	}

	/** Only readings: cut off by a restart, it may begin anew. Told again while it goes on, it goes on. */
	const testing = new Set<string>()
	const selfTest = async (command: LinkCommand): Promise<void> => {
		parts.send({ v: 1, id: command.id, state: 'accepted' })
		if (testing.has(command.id)) return
		testing.add(command.id)
		const silent = await parts.bank().test()
		testing.delete(command.id)
		conclude(command, { v: 1, id: command.id, ...(silent.length > 0 ? { state: 'failed', code: 'board-timeout' } : { state: 'done' }) })
	}

	/** The number of a badge goes to the server and is in no record of this controller: told again, the command has been done and says no more. */
	const readBadge = (command: LinkCommand): void => {
		const done = parts.readBadge((read) => {
			if ('code' in read) return conclude(command, { v: 1, id: command.id, state: 'failed', code: read.code })
			conclude(command, { v: 1, id: command.id, state: 'done' }, [], { reading: read })
		})
		if (!done) return refuse(command, 'kiosk-in-use')
		conclude(command, { v: 1, id: command.id, state: 'accepted' })
	}

	const finals = (step: Step): { readonly put: NonNullable<Entry['put']>; readonly results: LinkResult[] } => {
		const results = step.ended.flatMap(({ session, end }): LinkResult[] => {
			const id = session.command
			return isId('command', id) ? [{ v: 1, id, state: resultOfEnd(end), session: session.id, end }] : []
		})
		return { results, put: results.map((result) => row(kept(result.id) ?? { expiresAt: time.now() }, result)) }
	}

	return {
		begin() {
			for (const { restart, expiresAt, result } of [...journal.facts<Kept>(KIND).values()])
				if (result.state === 'accepted' && restart) conclude({ expiresAt }, { ...result, state: 'done' })
				// Whoever stood there with a badge saw the screen go dark. An order for a door has its session, which says how it ended.
				else if (result.state === 'accepted' && !result.session) conclude({ expiresAt }, { ...result, state: 'failed', code: 'interrupted' })
		},
		take(command) {
			const first = kept(command.id)
			if (first) return parts.send(first.result)
			const code = barred(command)
			if (code !== undefined) return refuse(command, code)
			if (command.kind === 'open-remote') return openRemote(command)
			if (command.kind === 'self-test') return void selfTest(command)
			if (command.kind === 'restart') return restart(command)
			if (command.kind === 'read-badge') return readBadge(command)
			// Of a server that is newer than this controller.
			refuse(command, 'kind-unknown')
		},
		follow: (step) => finals(step).put,
		stepped(step) {
			for (const result of finals(step).results) parts.send(result)
		},
		results: () =>
			[...journal.facts<Kept>(KIND).values()]
				.map(({ result }) => result)
				.toSorted((a, b) => (a.id < b.id ? -1 : 1))
				.slice(-MOST_TOLD_AGAIN),
	}
}
