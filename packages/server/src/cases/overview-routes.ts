import { scopesOf } from '@latchwork/core/access'
import { z } from 'zod'
import { idOf, named, type Route, route, time, toTime } from '../http/index.ts'
import { awaitingApproval } from '../space/index.ts'
import { overviewOf } from './overview-read.ts'
import { ids, showTask, taskShape } from './shown-routes.ts'

const count = z.int().min(0)

const overviewShape = named(
	'Overview',
	z.object({
		at: time,
		tasks: z
			.array(taskShape.extend({ bankName: z.string(), door: z.int().optional(), caseNumber: z.string().optional() }))
			.describe('what a person must do, the oldest first; the first 20'),
		doors: z
			.array(
				z.object({
					compartment: ids.compartment,
					door: z.int(),
					bank: ids.bank,
					bankName: z.string(),
					site: ids.site,
					alarm: z.enum(['forced', 'opened-while-down', 'opened-late', 'left-open', 'stuck']),
					open: z.boolean().describe('it stands open'),
					since: time,
				}),
			)
			.describe('doors that a person must see to though no open task says so, the oldest first; the first 20'),
		banks: z.array(
			z.object({
				bank: ids.bank,
				name: z.string(),
				site: ids.site,
				siteName: z.string(),
				timeZone: z.string(),
				compartments: count,
				free: count,
				open: count.describe('doors that stand open'),
				alarms: count.describe('doors that were forced or are stuck'),
				toCheck: count,
				unknown: count.describe('doors that cannot be seen because a lock board does not answer; none of them is free'),
				silentBoards: z.array(z.string()).describe('lock boards that do not answer'),
				silentReaders: z.array(z.string()).describe('readers that do not answer'),
				noBoards: z.boolean().describe('the controller has not told of any lock board'),
				storage: z.enum(['good', 'low']),
				historyLost: z.boolean(),
				tampered: z.boolean(),
				online: z.boolean(),
				seenAt: time.optional(),
				outage: z.enum(['none', 'raw', 'confirmed']),
				outageSince: time.optional(),
			}),
		),
		counts: z.object({
			tasks: count,
			doors: count,
			cases: count,
			overdueLoans: count,
			conflicts: count,
			doorsToday: count,
			settledAtBanks: count.describe('tasks of the last 24 hours that were done because a bank said so'),
		}),
		approvals: z
			.array(
				z.object({
					command: idOf('command'),
					bank: ids.bank,
					bankName: z.string(),
					door: count,
					reason: z.string(),
					by: z.string(),
					expiresAt: time,
				}),
			)
			.describe('occupied compartments that somebody wants to open from afar, and a second person has to agree'),
		outages: z
			.array(z.object({ bank: ids.bank, from: time, to: time.optional().describe('absent: it is not heard yet'), confirmed: z.boolean() }))
			.describe('when banks were not heard in the last 24 hours, the oldest first'),
		doorsPerHour: z.array(count).describe('doors that opened in each hour of the sites’ own day so far'),
	}),
)

export const overviewRoutes = (): Route[] => [
	route({
		method: 'GET',
		path: '/v1/overview',
		tag: 'Cases',
		summary: 'What needs a person, which banks are away, and how much space is left.',
		permission: 'case.read',
		scope: 'anywhere',
		answers: { 200: overviewShape },
		handle: ({ read, caller, now }) =>
			read(async (db) => {
				const overview = await overviewOf(db, scopesOf(caller, 'case.read'), now)
				const { banks, tasks, tasksOpen, doors, doorsStanding, casesOpen, overdue, conflicts, settledAtBanks, doorsPerHour, outages } = overview
				const approvals = await awaitingApproval(db, scopesOf(caller, 'door.open.remote'), now, 20)
				const nameOf = new Map<string, string>(banks.map(({ bank, name }) => [bank, name]))
				return {
					at: toTime(now),
					tasks: tasks.map(({ door, number, ...task }) => ({
						...showTask(task),
						bankName: nameOf.get(task.bank) ?? '',
						...(door !== null && { door }),
						...(number !== null && { caseNumber: number }),
					})),
					doors: doors.map(({ since, compartment, door, bank, site, alarm, open }) => ({
						...{ compartment, door, bank, site, alarm, open },
						bankName: nameOf.get(bank) ?? '',
						since: toTime(since),
					})),
					banks: banks.map(({ seenAt, silentSince, outageConfirmedAt, silentBoards, silentReaders, ...bank }) => ({
						...bank,
						silentBoards: [...silentBoards],
						silentReaders: [...silentReaders],
						...(seenAt !== null && { seenAt: toTime(seenAt) }),
						outage: outageConfirmedAt !== null ? ('confirmed' as const) : silentSince !== null ? ('raw' as const) : ('none' as const),
						...(silentSince !== null && { outageSince: toTime(silentSince) }),
					})),
					counts: {
						tasks: tasksOpen,
						doors: doorsStanding,
						cases: casesOpen,
						overdueLoans: overdue,
						conflicts,
						doorsToday: doorsPerHour.reduce((sum, n) => sum + n, 0),
						settledAtBanks,
					},
					approvals: approvals.map(({ id, bank, door, reason, by, expiresAt }) => ({
						command: id,
						bank,
						bankName: nameOf.get(bank) ?? '',
						door,
						reason: reason ?? '',
						by,
						expiresAt: toTime(expiresAt),
					})),
					outages: outages.map(({ from, to, ...rest }) => ({ ...rest, from: toTime(from), ...(to !== undefined && { to: toTime(to) }) })),
					doorsPerHour: [...doorsPerHour],
				}
			}),
	}),
]
