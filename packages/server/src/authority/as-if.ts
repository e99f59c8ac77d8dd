import type { Bundle, PolicySet } from '@latchwork/core/access'
import { covers } from '@latchwork/core/access'
import { type Crypto, type Id, isId } from '@latchwork/core/base'
import { type AsIf, type AsIfBank, approvalsInForce, openersOf } from '../access/index.ts'
import { findAsset, typeCodes } from '../assets/index.ts'
import { openLoans, ownersLate } from '../cases/index.ts'
import { bankOf, placeOf, present, scheduleIds } from '../estate/index.ts'
import { bundleSubjects, groupCodes } from '../people/index.ts'
import type { Db } from '../store/index.ts'
import { contentOf } from './compose.ts'
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
				bundle: (sets: readonly PolicySet[]): Bundle => {
					const content = contentOf({ ...gathered, openers, policies: { version: 0, sets } }, sha256)
					const settings = { ...content.settings, leaseRequired: false }
					return { format: 'latchwork-bundle/1', ...content, settings, version: 1, issuedAt: 0, staleAt: FOR_EVER, expiresAt: FOR_EVER }
				},
				loans: new Map([...loans].map(([subject, { loans }]) => [subject, loans])),
				overdue,
				inside: new Map(gathered.doors.flatMap(({ id, content, asset }) => (content === 'item' && isId('asset', asset) ? [[id, asset]] : []))),
				waiting: new Map(
					(gathered.cases.cases ?? []).flatMap(({ owner, lines }) =>
						lines.flatMap(({ compartment }) => (compartment !== undefined && owner !== undefined ? [[compartment, owner] as const] : [])),
					),
				),
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
