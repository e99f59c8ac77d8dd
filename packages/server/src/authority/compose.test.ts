import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { acceptBundle, NO_DELTA, sealBundle } from '@latchwork/core/access'
import { testKey } from '@latchwork/core/access/testing'
import { type Id, type IdKind, newId, type Random, seededRandom, toHex } from '@latchwork/core/base'
import type { Asset } from '../assets/index.ts'
import { nodeCrypto } from '../crypto.ts'
import type { Compartment, DoorRow } from '../estate/index.ts'
import { SETTINGS, type Settings } from '../tenants/index.ts'
import { type BundleRows, bundleOf, contentDigest, contentOf } from './compose.ts'
import { entitled } from './entitled.ts'

const NOW = Date.UTC(2026, 0, 5, 9)
const KEY = testKey(new Uint8Array(32).fill(3))
const DEFAULTS = Object.fromEntries(Object.entries(SETTINGS).map(([name, { value }]) => [name, value])) as Settings

/** An estate by chance: the rows of one bank as the domains might answer them, with everything that can be odd about them. */
function estateBy(random: Random): BundleRows {
	const upTo = (n: number) => (((random(2)[0] ?? 0) << 8) | (random(1)[0] ?? 0)) % n
	const id = <K extends IdKind>(kind: K): Id<K> => newId(kind, NOW, random)
	const noted = { labels: {}, externalRefs: [], clientData: {}, version: 1, createdAt: NOW, updatedAt: NOW }
	const [tenant, site, bank] = [id('tenant'), id('site'), id('bank')]
	const numbers = Array.from({ length: 1 + upTo(12) }, (_, i) => i + 1)
	const cells = numbers.map((number) => ({ kind: 'door', number, heightMm: 300, size: 'M', accessible: number % 2 === 0 }) as const)
	const compartments: Compartment[] = numbers.map((number) => ({
		...noted,
		id: id('compartment'),
		bank,
		module: id('module'),
		number,
		size: 'M',
		accessible: number % 2 === 0,
		powered: false,
		wired: false,
		widthMm: null,
		heightMm: null,
		depthMm: null,
		outOfService: upTo(6) === 0 ? 'maintenance' : null,
	}))
	const groups = ['staff', 'visitors', 'night', 'nobody'].slice(0, 1 + upTo(4))
	const subjects = Array.from({ length: upTo(30) }, () => ({
		id: id('subject'),
		groups: groups.filter(() => upTo(3) === 0),
		suspended: upTo(5) === 0,
		maxLoans: upTo(2) === 0 ? upTo(4) : undefined,
		offlineMinutes: upTo(4) === 0 ? upTo(3) : undefined,
		commitment: toHex(random(32)),
	}))
	const credentials = subjects.flatMap((subject) =>
		Array.from({ length: upTo(3) }, () => ({
			id: id('credential'),
			kind: upTo(2) === 0 ? ('badge' as const) : ('pin' as const),
			subject: subject.id,
			verifier: toHex(random(32)),
			commitment: toHex(random(32)),
			assurance: 'low' as const,
		})),
	)
	const free = [...compartments]
	const assets: Asset[] = Array.from({ length: upTo(8) }, (_, n) => ({
		...noted,
		id: id('asset'),
		type: id('assetType'),
		typeCode: 'laptop-14',
		kind: 'laptop',
		valueClass: 'normal',
		tag: `T-${n}`,
		name: 'Laptop',
		ownName: null,
		salt: '',
		commitment: toHex(random(32)),
		condition: 'good',
		bank,
		placedIn: upTo(2) === 0 ? (free.pop()?.id ?? null) : null,
		custodian: 'staff',
		custodySince: NOW,
		retiredAt: null,
	}))
	const loose = [...assets.map((a) => a.id), id('asset')]
	const doors = compartments.flatMap(({ id }): DoorRow[] => {
		if (upTo(2) === 0) return []
		const asset = upTo(2) === 0 ? loose.pop() : undefined
		return [{ id, content: asset ? 'item' : 'empty', asset: asset ?? null, stream: upTo(3) ? 'str_1' : null } as unknown as DoorRow]
	})
	const heads = ['permit (principal in Latchwork::Group::"staff", action, resource);', 'permit (principal, action, resource);', '']
	const policy = heads[upTo(5)] ?? 'permit (principal in Latchwork::Group::"night", action, resource); // permit (principal, action, resource)'
	return {
		tenant,
		told: upTo(3),
		site: {
			...noted,
			id: site,
			name: 'Site',
			timeZone: 'Europe/Berlin',
			address: '',
			calendar: {
				schedules: upTo(2) ? [{ id: 'open', weekly: [{ days: [1, 2], from: '08:00', to: '18:00' }] }] : [],
				closures: [],
			},
		},
		bank: { ...noted, id: bank, site, area: null, name: 'Bank', helpPhone: '110', layout: { columns: [{ widthMm: 400, cells }] } },
		compartments,
		doors,
		settings: { ...DEFAULTS, leaseRequired: upTo(2) === 0 },
		people: { subjects, credentials, revoked: [] },
		openers: new Set(upTo(2) ? [] : subjects.slice(0, 2).map((one) => one.id)),
		policies: {
			version: 1,
			sets: [
				{ id: 'here', cedar: policy },
				// Another bank's rule lets nobody in here.
				{ id: 'elsewhere', cedar: 'permit (principal, action, resource);', scope: { bank: id('bank') } },
			],
		},
		assets,
		deltas: { ...(upTo(2) === 0 ? NO_DELTA : { n: 1 + upTo(9), hash: toHex(random(32)) }), counted: 0, told: [] },
		// Some have something at a bank elsewhere, some here, some both.
		loans: new Map(
			subjects.flatMap(({ id: subject }) => {
				const [here, elsewhere] = [upTo(3), upTo(3)]
				return here + elsewhere > 0 ? [[subject, { loans: here + elsewhere, at: here > 0 ? { [bank]: here } : {} }] as const] : []
			}),
		),
		cases: { tables: [], revoked: [], digits: 8 },
		bound: new Set(subjects.filter(() => upTo(6) === 0).map((s) => s.id)),
	}
}

describe('a composed bundle', () => {
	it('is accepted by the bank, whatever the estate, and holds those who are entitled or bound there and nobody else', () => {
		const seen = { everybody: 0, nobody: 0, some: 0, boundOnly: 0, openerOnly: 0, suspended: 0, closed: 0, contents: 0, elsewhere: 0, ownLease: 0 }
		for (let seed = 1; seed <= 400; seed++) {
			const rows = estateBy(seededRandom(seed))
			const content = contentOf(rows, nodeCrypto.sha256)
			const bundle = bundleOf(content, rows.settings, { version: seed, now: NOW + seed })
			const answer = acceptBundle(JSON.stringify(sealBundle(bundle, 'maker', KEY.sign)), {
				keys: new Map([['maker', KEY.publicKey]]),
				crypto: nodeCrypto,
				bank: rows.bank.id,
				now: NOW,
			})
			assert.ok(answer.ok, `seed ${seed}: ${answer.ok ? '' : answer.text}`)
			const here = new Set<string>(bundle.subjects.map((s) => s.id))
			const cedar = rows.policies.sets[0]?.cedar ?? ''
			const all = cedar.startsWith('permit (principal,')
			const group = /Group::"(\w+)"/.exec(cedar)?.[1] ?? ''
			for (const subject of rows.people.subjects) {
				const opens = rows.openers.has(subject.id)
				const due = all || subject.groups.includes(group) || rows.bound.has(subject.id) || opens
				assert.equal(here.has(subject.id), due, `seed ${seed}: ${subject.id}`)
				const other = due && !all && !subject.groups.includes(group)
				if (other && rows.bound.has(subject.id)) seen.boundOnly++
				if (other && opens && !rows.bound.has(subject.id)) seen.openerOnly++
				const mine = bundle.subjects.find((one) => one.id === subject.id)
				if (mine) assert.equal(mine.groups.includes('latchwork.openers'), opens)
				if (mine) assert.equal(mine.offlineFor, subject.offlineMinutes === undefined ? undefined : subject.offlineMinutes * 60_000)
				if (mine?.offlineFor !== undefined) seen.ownLease++
				const { loans, at } = rows.loans.get(subject.id) ?? { loans: 0, at: {} }
				if (mine) assert.equal(mine.loansElsewhere ?? 0, loans - (at[rows.bank.id] ?? 0))
				if (mine?.loansElsewhere) seen.elsewhere++
			}
			for (const { subject } of bundle.credentials) assert.ok(here.has(subject))
			seen[all ? 'everybody' : here.size === 0 ? 'nobody' : 'some']++
			seen.suspended += bundle.subjects.filter((s) => s.blocked).length
			seen.closed += bundle.bank.compartments.filter((c) => c.outOfService).length
			seen.contents += bundle.initialContents.length
		}
		console.log(JSON.stringify(seen))
		for (const [state, n] of Object.entries(seen)) assert.ok(n >= 10, `${state}: ${n}`)
	})

	it('is the same for the same rows at another time, and when only the bank moved its things, or people have more or less on loan elsewhere', () => {
		for (let seed = 1; seed <= 100; seed++) {
			const rows = estateBy(seededRandom(seed))
			const digest = (of: BundleRows) => contentDigest(contentOf(of, nodeCrypto.sha256), of, nodeCrypto.sha256)
			const before = digest(rows)
			assert.equal(digest({ ...rows, doors: [], loans: new Map(), deltas: { n: 77, hash: 'a'.repeat(64), counted: 77, told: [] } }), before)
			assert.notEqual(digest({ ...rows, bank: { ...rows.bank, name: 'Other' } }), before)
			// Somebody was taken away and given back: only a new bundle tells the bank that went by the delta.
			const [subject] = contentOf(rows, nodeCrypto.sha256).subjects
			const back = (n: number) => digest({ ...rows, deltas: { n, hash: 'a'.repeat(64), counted: 0, told: subject ? [subject.id] : [] } })
			assert.equal(back(1) !== back(2), subject !== undefined)
			const [first] = rows.assets
			if (first) assert.notEqual(digest({ ...rows, assets: [{ ...first, placedIn: rows.compartments[0]?.id ?? null, tag: 'X' }] }), before)
		}
	})
})

describe('who has a row at a bank', () => {
	const subjects = [
		{ id: 'sub_1', groups: ['staff'] },
		{ id: 'sub_2', groups: ['visitors'] },
		{ id: 'sub_3', groups: [] },
	]
	const table: readonly (readonly [string, string, readonly string[]])[] = [
		['no policy', '', []],
		['a group', 'permit (principal in Latchwork::Group::"staff", action, resource);', ['sub_1']],
		['a typed group', 'permit(principal is Latchwork::Person in Latchwork::Group::"staff", action, resource);', ['sub_1']],
		['one person', 'permit (principal == Latchwork::Person::"sub_3", action, resource);', ['sub_3']],
		['everybody', 'permit (principal, action, resource) when { principal in Latchwork::Group::"staff" };', ['sub_1', 'sub_2', 'sub_3']],
		['everybody of a type', 'permit (principal is Latchwork::Person, action, resource);', ['sub_1', 'sub_2', 'sub_3']],
		['only a forbid', 'forbid (principal, action, resource);', []],
		['a comment', '// permit (principal, action, resource);', []],
		['an annotation with slashes', '@id("a//b") permit (principal in Latchwork::Group::"visitors", action, resource);', ['sub_2']],
	]
	for (const [what, cedar, here] of table)
		it(`${what}: ${here.length} of 3`, () => {
			assert.deepEqual(
				entitled(subjects, [{ id: 'p', cedar }], new Set()).map((s) => s.id),
				here,
			)
			assert.ok(entitled(subjects, [{ id: 'p', cedar }], new Set(['sub_2'])).some((s) => s.id === 'sub_2'))
		})
})
