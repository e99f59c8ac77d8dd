import type { Bundle, PolicySet } from '@latchwork/core/access'
import { covers } from '@latchwork/core/access'
import { type Crypto, type Id, isId } from '@latchwork/core/base'
import type { LoadedTable } from '@latchwork/core/workflow'
import { type AsIf, type AsIfBank, approvalsInForce, type Behind, openersOf } from '../access/index.ts'
import { findAsset, typeCodes } from '../assets/index.ts'
import { openLoans, ownersLate } from '../cases/index.ts'
import { bankOf, placeOf, present, scheduleIds, storageLevelOf } from '../estate/index.ts'
import { bundleSubjects, groupCodes, proofsAt } from '../people/index.ts'
import { liveCodes, SIZES } from '../space/index.ts'
import type { Db } from '../store/index.ts'
import { type BundleRows, contentOf } from './compose.ts'
import { byPerson } from './delta-write.ts'
import { gatherBank } from './gather-write.ts'

/** For questions that no door asked (`access/what-if`): the same rows as a bundle is made of, and the same code, but nothing is written or signed. */
export const asIf = (sha256: Crypto['sha256']): AsIf => ({
	async banks(db, { banks, only, now }) {
		const wanted = only && new Set<string>(only)
		const subjects = (await bundleSubjects(db)).filter(({ id }) => !wanted || wanted.has(id))
		const loans = byPerson(await openLoans(db, only && [...only]))
		const site = {
			deltas: { n: 0, hash: '', told: [], counted: 0 },
			subjects,
			approvals: await approvalsInForce(db, now),
			credentials: [],
			revoked: [],
			loans,
			policies: { version: 0, sets: [] },
			openers: await openersOf(db, now),
			nextExpiry: undefined,
		}
		const overdue = new Set<string>(await ownersLate(db, now))
		const found: AsIfBank[] = []
		for (const bank of banks) found.push(await one(db, bank, site, { loans, overdue }))
		return found

		async function one(
			db: Db,
			id: Id<'bank'>,
			rows: typeof site,
			{ loans, overdue }: { loans: typeof rows.loans; overdue: ReadonlySet<string> },
		): Promise<AsIfBank> {
			const { name, site } = await bankOf(db, id)
			const place = present(await placeOf(db, id), 'bank')
			const gathered = await gatherBank(db, db.tenant as Id<'tenant'>, id, rows, now)
			const openers = new Set(rows.openers.filter(({ scope }) => covers(scope, place)).map(({ subject }) => subject as string))
			return {
				bank: id,
				site,
				name,
				storageLevel: await storageLevelOf(db, id),
				bundle: (sets: readonly PolicySet[]): Bundle => {
					const content = contentOf({ ...gathered, openers, policies: { version: 0, sets } }, sha256)
					const settings = { ...content.settings, leaseRequired: false }
					return { format: 'latchwork-bundle/1', ...content, settings, version: 1, issuedAt: 0, staleAt: FOR_EVER, expiresAt: FOR_EVER }
				},
				loans: new Map([...loans].map(([subject, { loans }]) => [subject, loans])),
				overdue,
				behind: behindDoors(gathered),
				proofs: Map.groupBy(await proofsAt(db, { site, bank: id }, now, only), ({ subject }): string => subject),
				afar: openers,
				codes: (await liveCodes(db, id, now)).map(({ id, case: of, notAfter, delegate }) => ({
					id,
					case: of,
					until: notAfter,
					delegate: delegate ?? undefined,
				})),
			}
		}
	},
	async names(db) {
		return { groups: await groupCodes(db), assetTypes: await typeCodes(db), schedules: await scheduleIds(db) }
	},
	async called(db, assets) {
		const names = new Map<Id<'asset'>, string>()
		for (const id of new Set(assets)) {
			const found = await findAsset(db, id)
			if (found) names.set(id, found.name === found.tag ? found.tag : `${found.name} ${found.tag}`.trim())
		}
		return names
	},
})

const FOR_EVER = Number.MAX_SAFE_INTEGER

/** What a bank would offer to do at each of its doors, by the rows that it is told of and by what it said of them. */
function behindDoors({ compartments, doors, assets, cases }: BundleRows): ReadonlyMap<string, Behind> {
	const rooms = new Map(compartments.map((one) => [one.id as string, one]))
	const things = new Map(assets.map(({ id }) => [id as string, id]))
	const tables = new Map(cases.tables.map((table) => [table.hash, table]))
	const lines = (cases.cases ?? []).flatMap((of) => of.lines.map((line) => ({ ...line, of, task: taskOf(tables.get(of.tableHash), line.state) })))
	const expected = lines.filter(({ of, task }) => task === 'drop-off' && !of.recalled)
	const takesBack = new Map(assets.flatMap(({ id, custodian }) => (isId('subject', custodian) ? [[custodian as string, id] as const] : [])))
	const behind = (door: BundleRows['doors'][number]): Behind | undefined => {
		const room = rooms.get(door.id)
		if (!room || room.outOfService !== null || door.hold !== null) return undefined
		if (door.content === 'empty') {
			const kept = expected.find(({ reserved }) => reserved === door.id)
			const fits = (kept ? [kept] : expected).filter(
				({ size = 'S', accessible }) => SIZES.indexOf(room.size) >= SIZES.indexOf(size) && (!accessible || room.accessible),
			)
			// A thing goes into everything but the smallest size, as at the bank.
			return {
				kind: 'empty',
				expects: [...new Set(fits.map(({ of }) => of.workflow))].sort(),
				takesBack: kept || room.size === 'S' ? new Map() : takesBack,
			}
		}
		if (door.content !== 'item') return undefined
		const asset = things.get(door.asset ?? '')
		if (asset) return { kind: 'asset', asset }
		const line = lines.find(({ id }) => id === door.asset)
		if (line?.task !== 'pick-up' && line?.task !== 'pull') return undefined
		const { owner, hint, recalled, id, workflow } = line.of
		return { kind: 'parcel', task: recalled ? 'pull' : line.task, workflow, case: id, owner, hint }
	}
	return new Map(
		doors.flatMap((door) => {
			const found = behind(door)
			return found ? [[door.id, found]] : []
		}),
	)
}

const TASKS = ['drop-off', 'pick-up', 'pull'] as const
/** What the table lets people do with a parcel in this state. */
const taskOf = (table: LoadedTable | undefined, state: string): (typeof TASKS)[number] | undefined =>
	TASKS.find((name) => table?.visit?.[name]?.some((step) => step.line === state))
