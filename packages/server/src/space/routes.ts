import type { Place } from '@latchwork/core/access'
import { Fault, type Id, type Random } from '@latchwork/core/base'
import { OPEN_REASONS } from '@latchwork/core/wire'
import { z } from 'zod'
import { rolesFor } from '../access/index.ts'
import { doorLive, placeOf, placeOfCompartment } from '../estate/index.ts'
import { answer, idOf, named, type Route, route, time, toTime } from '../http/index.ts'
import type { Db, MasterKey, Tx } from '../store/index.ts'
import { settingsOf } from '../tenants/index.ts'
import { liveBreakGlass } from './break-glass-write.ts'
import { type Command, findCommand } from './command-read.ts'
import { approveCommand, requestCommand, verifyOwner } from './command-write.ts'
import { readingOf } from './reading-write.ts'

const ids = { bank: idOf('bank'), compartment: idOf('compartment'), case: idOf('case'), command: idOf('command') }

const reason = z.enum(OPEN_REASONS).describe('why the door is opened; recorded with the name of who asked')

const commandShape = named(
	'Command',
	z.object({
		id: ids.command,
		kind: z.string(),
		bank: ids.bank,
		compartment: ids.compartment.optional(),
		case: ids.case.optional(),
		reason: z.string().optional(),
		requestedBy: z.string(),
		approvedBy: z.string().optional().describe('the second person, where there had to be one'),
		ownerOnPhone: z.array(z.string()).optional().describe('the owner of what lies there was the second person, by these facts'),
		state: z.enum(['awaiting-approval', 'requested', 'sent', 'accepted', 'refused', 'done', 'failed', 'expired']),
		code: z.string().optional().describe('why it was refused or failed'),
		doorSession: z.string().optional(),
		end: z.string().optional().describe('how the door session ended'),
		issuedAt: time,
		expiresAt: time,
		changedAt: time,
	}),
)

const badgeRead = named(
	'BadgeReading',
	z.object({
		command: commandShape,
		reading: z
			.object({
				number: z.string().describe('as `POST /v1/credentials` takes it'),
				family: z.string().describe('of the reader'),
				secure: z.boolean().describe('through an authenticated channel; without it nobody knows whether it was the reader that spoke'),
			})
			.optional()
			.describe('for a quarter of an hour after it was read'),
	}),
)

/**
 * What somebody on the phone can be asked who says that the thing behind a door is theirs (workflows.md X22).
 */
const OWNER_FACTS = ['read-back', 'code', 'phone', 'email'] as const
export type OwnerFactKind = (typeof OWNER_FACTS)[number]
export interface OwnerFact {
	readonly kind: OwnerFactKind
	readonly value: string
}
/** So many others have to be right where the number from the kiosk is not. */
const OWNER_FACTS_NEEDED = 2
const ownerVerdict = named('OwnerVerification', z.object({ command: commandShape, verified: z.boolean(), triesLeft: z.int() }))

export interface SpaceRouteParts {
	readonly random: Random
	readonly master: MasterKey
	/** It is committed, and waits to be sent. */
	readonly requested: (command: Command) => void
	/** At which bank a case runs; undefined: there is no such case. */
	readonly bankOfCase: (db: Db, of: Id<'case'>) => Promise<Id<'bank'> | undefined>
	/** The open case that has something behind this door. */
	readonly caseInside: (db: Db, compartment: Id<'compartment'>) => Promise<Id<'case'> | undefined>
	/** Which of these facts about a case and its owner are right, and were not to be known by any of those who listen. */
	readonly rightFacts: (
		db: Db,
		of: Id<'case'>,
		facts: readonly OwnerFact[],
		listeners: readonly string[],
		now: number,
	) => Promise<readonly OwnerFactKind[]>
	/** Whose thing lies there hears that somebody opens the door. */
	readonly tellOwner: (
		tx: Tx,
		of: Id<'case'>,
		command: Id<'command'>,
		by: { readonly roles: readonly string[]; readonly second?: readonly string[]; readonly emergency?: true },
		change: { readonly now: number; readonly random: Random; readonly actor: Id<'subject'> },
	) => Promise<void>
}

export const spaceRoutes = ({ random, master, requested, bankOfCase, caseInside, rightFacts, tellOwner }: SpaceRouteParts): Route[] => [
	route({
		method: 'POST',
		path: '/v1/door-sessions',
		tag: 'Doors',
		summary:
			'Opens one compartment from afar: the bank is asked, decides once more, and pulses its lock once. What became of it is in the command. Where something lies behind the door, a second person has to agree first (setting secondPersonForOccupied).',
		permission: 'door.open.remote',
		scope: async ({ body }, db) => placeOfCompartment(db, body.compartment),
		body: z.strictObject({ compartment: ids.compartment, reason, case: ids.case.optional() }),
		answers: { 202: commandShape },
		handle: ({ write, body, caller, now }) =>
			write(async (tx) => {
				const { compartment, reason: why, case: of } = body
				const occupied = await isForTwo(tx, compartment, caseInside)
				const bank = occupied ? (await placeOfCompartment(tx, compartment))?.bank : undefined
				const emergency = bank && (await liveBreakGlass(tx, caller.subject, bank, now))
				const secondPerson = occupied && !emergency
				const about = { compartment, reason: why, ...(of && { case: of }), secondPerson, ...(emergency && { breakGlass: emergency.id }) }
				const command = await requestCommand(tx, { by: caller.subject, kind: 'open-remote', ...about }, { now, random })
				// Where a second person has to agree, the owner hears of it when one has.
				const inside = secondPerson ? undefined : await caseInside(tx, compartment)
				if (inside) {
					const by = { roles: await opensAs(tx, command, caller.subject, now), ...(emergency && { emergency: true as const }) }
					await tellOwner(tx, inside, command.id, by, { now, random, actor: caller.subject })
				}
				if (of && (await bankOfCase(tx, of)) !== command.bank)
					throw new Fault('not-found', 'This bank has no such case.', { detail: { field: 'body.case' } })
				if (!secondPerson) tx.afterwards(() => requested(command))
				return answer(202, showCommand(command), { location: `/v1/commands/${command.id}` })
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/commands/{command}/approvals',
		tag: 'Doors',
		summary: 'Agree, as a second person, that an occupied compartment is opened from afar, or refuse it. Whose thing lies there is told.',
		permission: 'door.open.remote',
		scope: async ({ params }, db) => {
			const command = await findCommand(db, params.command)
			return command && placeOf(db, command.bank)
		},
		params: z.strictObject({ command: ids.command }),
		body: z.strictObject({ verdict: z.enum(['approved', 'refused']) }),
		answers: { 202: commandShape },
		handle: ({ write, params, body, caller, now }) =>
			write(async (tx) => {
				const command = await approveCommand(tx, params.command, caller.subject, body.verdict, { now, random })
				if (body.verdict === 'approved') {
					const of = command.compartment && (await caseInside(tx, command.compartment))
					if (of) {
						const by = { roles: await opensAs(tx, command, command.by, now), second: await opensAs(tx, command, caller.subject, now) }
						await tellOwner(tx, of, command.id, by, { now, random, actor: caller.subject })
					}
					tx.afterwards(() => requested(command))
				}
				return answer(202, showCommand(command))
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/commands/{command}/owner-verifications',
		tag: 'Doors',
		summary:
			'The owner of what lies there is on the phone. The number that the kiosk shows them, or two other facts that are right, make them the second person; what whoever asked for the door or listens could look up does not count. After three wrong answers somebody of staff has to agree. Setting `ownerOnPhone`.',
		permission: 'door.open.remote',
		scope: async ({ params }, db) => {
			const command = await findCommand(db, params.command)
			return command && placeOf(db, command.bank)
		},
		params: z.strictObject({ command: ids.command }),
		body: z.strictObject({
			facts: z
				.array(
					z.strictObject({
						kind: z
							.enum(OWNER_FACTS)
							.describe(
								'`read-back`: the six digits under Help at the kiosk, where they are known; `code`: the pick-up code, unless one of you was shown it; `phone`, its last four digits or more, and `email`: unless one of you may read them',
							),
						value: z.string().min(1).max(320),
					}),
				)
				.min(1)
				.max(4),
		}),
		answers: { 202: ownerVerdict },
		handle: ({ write, params, body, caller, now }) =>
			write(async (tx) => {
				const known = await findCommand(tx, params.command)
				const of = known?.compartment && (await caseInside(tx, known.compartment))
				if (!of)
					throw new Fault('request-refused', 'No case is known of what lies there, so nobody can be asked about it. Somebody of staff has to agree.')
				const place = (await placeOf(tx, known.bank)) as Place
				const { ownerOnPhone } = await settingsOf(tx, place)
				if (ownerOnPhone === 'never')
					throw new Fault('request-refused', 'Here nobody on the phone is a second person (setting ownerOnPhone): somebody of staff has to agree.')
				const right = await rightFacts(tx, of, body.facts, [known.by, caller.subject], now)
				const proven = right.includes('read-back') || (ownerOnPhone === 'read-back-or-facts' && right.length >= OWNER_FACTS_NEEDED)
				const verdict = await verifyOwner(tx, params.command, caller.subject, { right, proven }, { now, random })
				if (verdict.verified) {
					const by = { roles: await opensAs(tx, verdict.command, verdict.command.by, now) }
					await tellOwner(tx, of, verdict.command.id, by, { now, random, actor: caller.subject })
					tx.afterwards(() => requested(verdict.command))
				}
				return answer(202, { ...verdict, command: showCommand(verdict.command) })
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/commands',
		tag: 'Doors',
		summary: 'Asks a bank’s controller for something else than a door.',
		permission: 'controller.manage',
		scope: async ({ body }, db) => placeOf(db, body.bank),
		body: z.strictObject({ bank: ids.bank, kind: z.enum(['restart', 'self-test']) }),
		answers: { 202: commandShape },
		handle: ({ write, body, caller, now }) =>
			write(async (tx) => {
				const command = await requestCommand(tx, { bank: body.bank, by: caller.subject, kind: body.kind }, { now, random })
				tx.afterwards(() => requested(command))
				return answer(202, showCommand(command), { location: `/v1/commands/${command.id}` })
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/badge-readings',
		tag: 'People',
		summary: 'Asks a bank’s kiosk for a badge that is to be given to somebody. Whoever holds it to the reader is not identified by it.',
		permission: 'credential.manage',
		scope: async ({ body }, db) => placeOf(db, body.bank),
		body: z.strictObject({ bank: ids.bank }),
		answers: { 202: badgeRead },
		handle: ({ write, body, caller, now }) =>
			write(async (tx) => {
				const command = await requestCommand(tx, { bank: body.bank, by: caller.subject, kind: 'read-badge' }, { now, random })
				tx.afterwards(() => requested(command))
				return answer(202, { command: showCommand(command) }, { location: `/v1/badge-readings/${command.id}` })
			}),
	}),
	route({
		method: 'GET',
		path: '/v1/badge-readings/{command}',
		tag: 'People',
		summary: 'What the reader said of the badge, while it is being given to somebody.',
		permission: 'credential.manage',
		scope: async ({ params }, db) => {
			const command = await findCommand(db, params.command)
			return command?.kind === 'read-badge' ? placeOf(db, command.bank) : undefined
		},
		params: z.strictObject({ command: ids.command }),
		answers: { 200: badgeRead },
		handle: ({ read, params, now }) =>
			read(async (db) => {
				const reading = await readingOf(db, params.command, { master, random, now })
				return { command: showCommand((await findCommand(db, params.command)) as Command), ...(reading && { reading }) }
			}),
	}),
	route({
		method: 'GET',
		path: '/v1/commands/{command}',
		tag: 'Doors',
		summary: 'What became of a command.',
		permission: 'estate.read',
		scope: async ({ params }, db) => {
			const command = await findCommand(db, params.command)
			return command && placeOf(db, command.bank)
		},
		params: z.strictObject({ command: ids.command }),
		answers: { 200: commandShape },
		handle: ({ read, params }) => read(async (db) => showCommand((await findCommand(db, params.command)) as Command)),
	}),
]

/** The roles by which somebody opens doors of that bank from afar. */
const opensAs = async (tx: Tx, { bank, site }: Command, who: Command['by'], now: number): Promise<string[]> =>
	who === 'server' ? [] : rolesFor(tx, who, 'door.open.remote', (await placeOf(tx, bank)) ?? { site, bank }, now)

/** Something lies or may lie there, by the word of the bank or by a case. One that is held for somebody to look into is looked into by one person. */
async function isForTwo(tx: Tx, compartment: Id<'compartment'>, caseInside: SpaceRouteParts['caseInside']): Promise<boolean> {
	const place = await placeOfCompartment(tx, compartment)
	if (!place || !(await settingsOf(tx, place)).secondPersonForOccupied) return false
	const door = await doorLive(tx, compartment)
	const full = door?.content === 'item' || (door?.content === 'unknown' && door.hold === null && door.stream !== null)
	return full || (await caseInside(tx, compartment)) !== undefined
}

function showCommand(command: Command): z.input<typeof commandShape> {
	const { compartment, case: of, reason: why, code, session, end, ownerFacts } = command
	return {
		id: command.id,
		kind: command.kind,
		bank: command.bank,
		...(compartment && { compartment }),
		...(of && { case: of }),
		...(why && { reason: why }),
		requestedBy: command.by,
		...(command.approvedBy && { approvedBy: command.approvedBy }),
		...(ownerFacts && { ownerOnPhone: [...ownerFacts] }),
		state: command.state,
		...(code && { code }),
		...(session && { doorSession: session }),
		...(end && { end }),
		issuedAt: toTime(command.issuedAt),
		expiresAt: toTime(command.expiresAt),
		changedAt: toTime(command.changedAt),
	}
}
