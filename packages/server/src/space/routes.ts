import { Fault, type Id, type Random } from '@latchwork/core/base'
import { OPEN_REASONS } from '@latchwork/core/wire'
import { z } from 'zod'
import { placeOf, placeOfCompartment } from '../estate/index.ts'
import { answer, idOf, named, type Route, route, time, toTime } from '../http/index.ts'
import type { Db } from '../store/index.ts'
import { type Command, findCommand } from './command-read.ts'
import { requestCommand } from './command-write.ts'

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
		state: z.enum(['requested', 'sent', 'accepted', 'refused', 'done', 'failed', 'expired']),
		code: z.string().optional().describe('why it was refused or failed'),
		doorSession: z.string().optional(),
		end: z.string().optional().describe('how the door session ended'),
		issuedAt: time,
		expiresAt: time,
		changedAt: time,
	}),
)

export interface SpaceRouteParts {
	readonly random: Random
	/** It is committed, and waits to be sent. */
	readonly requested: (command: Command) => void
	/** At which bank a case runs; undefined: there is no such case. */
	readonly bankOfCase: (db: Db, of: Id<'case'>) => Promise<Id<'bank'> | undefined>
}

export const spaceRoutes = ({ random, requested, bankOfCase }: SpaceRouteParts): Route[] => [
	route({
		method: 'POST',
		path: '/v1/door-sessions',
		tag: 'Doors',
		summary: 'Opens one compartment from afar: the bank is asked, decides once more, and pulses its lock once. What became of it is in the command.',
		permission: 'door.open.remote',
		scope: async ({ body }, db) => placeOfCompartment(db, body.compartment),
		body: z.strictObject({ compartment: ids.compartment, reason, case: ids.case.optional() }),
		answers: { 202: commandShape },
		handle: ({ write, body, caller, now }) =>
			write(async (tx) => {
				const { compartment, reason: why, case: of } = body
				const about = { compartment, reason: why, ...(of && { case: of }) }
				const command = await requestCommand(tx, { by: caller.subject, kind: 'open-remote', ...about }, { now, random })
				if (of && (await bankOfCase(tx, of)) !== command.bank)
					throw new Fault('not-found', 'This bank has no such case.', { detail: { field: 'body.case' } })
				tx.afterwards(() => requested(command))
				return answer(202, showCommand(command), { location: `/v1/commands/${command.id}` })
			}),
	}),
	route({
		method: 'POST',
		path: '/v1/commands',
		tag: 'Doors',
		summary: 'Asks a bank’s controller for something else than a door.',
		permission: 'controller.manage',
		scope: async ({ body }, db) => placeOf(db, body.bank),
		body: z.strictObject({ bank: ids.bank, kind: z.enum(['restart', 'self-test', 'collect-logs']) }),
		answers: { 202: commandShape },
		handle: ({ write, body, caller, now }) =>
			write(async (tx) => {
				const command = await requestCommand(tx, { bank: body.bank, by: caller.subject, kind: body.kind }, { now, random })
				tx.afterwards(() => requested(command))
				return answer(202, showCommand(command), { location: `/v1/commands/${command.id}` })
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

function showCommand(command: Command): z.input<typeof commandShape> {
	const { compartment, case: of, reason: why, code, session, end } = command
	return {
		id: command.id,
		kind: command.kind,
		bank: command.bank,
		...(compartment && { compartment }),
		...(of && { case: of }),
		...(why && { reason: why }),
		requestedBy: command.by,
		state: command.state,
		...(code && { code }),
		...(session && { doorSession: session }),
		...(end && { end }),
		issuedAt: toTime(command.issuedAt),
		expiresAt: toTime(command.expiresAt),
		changedAt: toTime(command.changedAt),
	}
}
