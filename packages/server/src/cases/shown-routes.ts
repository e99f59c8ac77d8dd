import { z } from 'zod'
import { idOf, labels, named, recordFields, time, toTime } from '../http/index.ts'
import type { LoggedEvent } from '../ledger/index.ts'
import type { CodeState } from '../space/index.ts'
import type { CaseRow, Notice } from './case-read.ts'
import { CONFLICT_RULES, type Task } from './task-write.ts'

export const ids = {
	case: idOf('case'),
	bank: idOf('bank'),
	site: idOf('site'),
	user: idOf('subject'),
	task: idOf('task'),
	compartment: idOf('compartment'),
}
export const size = z.enum(['S', 'M', 'L', 'XL'])

const lineShape = z.object({
	id: z.string(),
	state: z.string(),
	label: z.string().optional(),
	tag: z.string().optional(),
	size: size.optional(),
	asset: z.string().optional(),
	compartment: z.string().optional().describe('where it lies or may still lie'),
	custodian: z.string().describe('who answers for it now: a user, a bank, or the sender'),
	evidence: z.int().optional().describe('how well the last act is proven, 0 to 4'),
	unverified: z.boolean().describe('proven less than the workflow asks: a person must look'),
})

const caseFields = {
	id: ids.case,
	number: z.string().describe('what people call it by, such as DL-00017'),
	workflow: z.string(),
	state: z.string(),
	site: ids.site,
	bank: ids.bank,
	label: z.string(),
	owner: ids.user.optional(),
	lines: z.array(lineShape),
	deadlines: z.record(z.string(), time),
	dueAt: time.optional(),
	atBank: z.boolean().describe('the bank writes this case; the server gives orders'),
	recalledAt: time.optional(),
	conflict: z.string().optional().describe('two histories of this case: what the bank did and what was known here'),
	openedAt: time,
	endedAt: time.optional(),
	...recordFields,
	labels,
}
export const caseShape = named('Case', z.object(caseFields))

export const caseDetailShape = named(
	'CaseDetail',
	z.object({
		...caseFields,
		notices: z.array(z.object({ id: z.string(), kind: z.string(), dueAt: time })),
		codes: z.array(
			z.object({
				id: z.string(),
				state: z.enum(['live', 'used', 'revoked', 'expired']),
				notAfter: time,
				usedAt: time.optional(),
				delegate: z.string().optional().describe('who collects with it in the recipient’s place, masked'),
			}),
		),
		records: z
			.array(z.object({ stream: z.string(), seq: z.int() }))
			.describe('records of banks that belong to it besides those that name it as their subject'),
		recipient: z
			.object({ name: z.string().optional(), email: z.string().optional(), phone: z.string().optional() })
			.optional()
			.describe('contact of somebody without an account; only for those who may manage cases'),
	}),
)

export const taskShape = named(
	'Task',
	z.object({
		id: ids.task,
		kind: z.string(),
		site: ids.site,
		bank: ids.bank,
		compartment: ids.compartment.optional(),
		case: ids.case.optional(),
		detail: z.record(z.string(), z.unknown()),
		openedAt: time,
		doneAt: time.optional(),
		doneBy: z.string().optional(),
		doneHow: z.string().optional(),
		version: z.int(),
		createdAt: time,
		updatedAt: time,
	}),
)

/** A task from two truths, with the rule that was applied. */
export const conflictShape = named(
	'Conflict',
	taskShape.extend({
		rule: z.enum([...new Set(Object.values(CONFLICT_RULES))] as [ConflictRule, ...ConflictRule[]]).describe('what stands of itself'),
		here: z.object({ state: z.string(), version: z.int() }).optional().describe('the case, as it was known here'),
		record: z.object({ stream: z.string(), seq: z.int() }).optional().describe('what the bank recorded'),
	}),
)
type ConflictRule = (typeof CONFLICT_RULES)[keyof typeof CONFLICT_RULES]

const recordShape = z.object({
	position: z.int().describe('in the ledger'),
	type: z.string(),
	subject: z.string(),
	actor: z.string().optional(),
	at: time,
	bank: ids.bank.optional(),
	offline: z.boolean().optional(),
	clock: z.enum(['good', 'uncertain']).optional(),
	data: z.record(z.string(), z.unknown()),
	foreign: z.literal(true).optional().describe('another bank said this of the case; it is on record, and changed nothing'),
})
export const timelineShape = named(
	'CaseTimeline',
	z.object({ items: z.array(recordShape), whole: z.boolean().describe('false: there is more than is shown') }),
)

export function showRecord({ position, body }: LoggedEvent): z.input<typeof recordShape> {
	const { type, subject, actor, at, bank } = body
	return {
		position,
		type,
		subject,
		...(actor && { actor }),
		at: toTime(at),
		...(bank && { bank }),
		...('offline' in body && { offline: body.offline, clock: body.clock }),
		data: body.data as z.input<typeof recordShape>['data'],
	}
}

const orTime = (ms: number | null) => (ms === null ? undefined : toTime(ms))

export function showCase(row: CaseRow): z.input<typeof caseShape> {
	const { body, lines, owner, conflict } = row
	return {
		id: row.id,
		number: row.number,
		workflow: row.workflow,
		state: row.state,
		site: row.site,
		bank: row.bank,
		label: row.label,
		...(owner !== null && { owner }),
		lines: body.lines.map((one) => ({ ...one, ...lines[one.id], unverified: one.unverified === true })),
		deadlines: Object.fromEntries(Object.entries(body.deadlines).map(([name, ms]) => [name, toTime(ms)])),
		dueAt: orTime(row.dueAt),
		atBank: row.atBank,
		recalledAt: orTime(row.recalledAt),
		...(conflict !== null && { conflict }),
		openedAt: toTime(row.openedAt),
		endedAt: orTime(row.endedAt),
		version: row.version,
		createdAt: toTime(row.createdAt),
		updatedAt: toTime(row.updatedAt),
		labels: row.labels,
		externalRefs: [...row.externalRefs],
		clientData: row.clientData,
	}
}

export const showNotice = ({ id, kind, dueAt }: Notice) => ({ id, kind, dueAt: toTime(dueAt) })

export function showCode({ id, notAfter, usedAt, revokedAt, delegate }: CodeState, now: number) {
	const state = usedAt !== null ? 'used' : revokedAt !== null ? 'revoked' : notAfter <= now ? 'expired' : 'live'
	return { id, state, notAfter: toTime(notAfter), usedAt: orTime(usedAt), ...(delegate !== null && { delegate }) } as const
}

export function showTask(task: Task): z.input<typeof taskShape> {
	const { compartment, case: of, doneAt, doneBy, doneHow } = task
	return {
		id: task.id,
		kind: task.kind,
		site: task.site,
		bank: task.bank,
		...(compartment !== null && { compartment }),
		...(of !== null && { case: of }),
		detail: { ...task.detail },
		openedAt: toTime(task.openedAt),
		doneAt: orTime(doneAt),
		...(doneBy !== null && { doneBy }),
		...(doneHow !== null && { doneHow }),
		version: task.version,
		createdAt: toTime(task.createdAt),
		updatedAt: toTime(task.updatedAt),
	}
}

export function showConflict(task: Task): z.input<typeof conflictShape> {
	const { state, version, stream, seq } = task.detail
	return {
		...showTask(task),
		rule: CONFLICT_RULES[task.kind as keyof typeof CONFLICT_RULES],
		...(typeof state === 'string' && typeof version === 'number' && { here: { state, version } }),
		...(typeof stream === 'string' && typeof seq === 'number' && { record: { stream, seq } }),
	}
}
