import { exampleLayout } from '@latchwork/core/wire'
import { openTask } from '../cases/index.ts'
import { setCertificate } from '../estate/index.ts'
import { issueToken } from '../people/index.ts'
import { startSession } from '../people/sign-in-write.ts'
import { requestCommand } from '../space/index.ts'
import type { TestApi, TestPerson, TestTenant } from './api.ts'
import { TEST_PASSWORD } from './api.ts'

/** A request that does well when its sender may do it; made anew for every sender, because many of them use up what they are about. */
export interface Sample {
	readonly params?: Readonly<Record<string, string>>
	readonly query?: string
	readonly body?: unknown
	readonly version?: number
	/** A refusal that says what has to happen first, at a bank or at the device port; whoever may not ask hears nothing of it. */
	readonly settled?: 409
	/** Only a browser's session can do it. */
	readonly bySession?: true
}

export interface SampleWorld {
	readonly api: TestApi
	readonly tenant: TestTenant
	/** Who is going to send it. */
	readonly sender: TestPerson
}
type Make = (world: SampleWorld) => Promise<Sample> | Sample

let drawn = 0
const fresh = () => `${++drawn}`
/** A small one: samples make many banks, and lists of them are read to the end. */
const LAYOUT = { ...exampleLayout, columns: [exampleLayout.columns[2], exampleLayout.columns[4]] } as typeof exampleLayout

/** As the owner, so that what a sample needs is there. */
export async function made({ api, tenant }: SampleWorld, path: string, body: unknown) {
	const answer = await api.ask('POST', path, { token: tenant.owner.token, body })
	if (answer.status !== 201) throw new Error(`The sample cannot be made: POST ${path} ${answer.status} ${answer.text}`)
	return answer.body
}

const newSite = (w: SampleWorld) => made(w, '/v1/sites', { name: `Site ${fresh()}`, timeZone: 'Europe/Berlin' })
const newArea = (w: SampleWorld) => made(w, '/v1/areas', { site: w.tenant.site, name: `Area ${fresh()}` })
const newBank = (w: SampleWorld) => made(w, '/v1/banks', { site: w.tenant.site, name: `Bank ${fresh()}`, helpPhone: '110', layout: LAYOUT })
const firstOf = async ({ api, tenant }: SampleWorld, path: string) => (await api.ask('GET', path, { token: tenant.owner.token })).body.items[0]
const newController = async (w: SampleWorld) => made(w, '/v1/controllers', { bank: (await newBank(w)).id, name: `Controller ${fresh()}` })
/** A bank whose controller can be asked. */
const newEnrolled = async (w: SampleWorld): Promise<string> => {
	const { id, bank } = await newController(w)
	const certificate = { fingerprint: fresh().padStart(64, '0'), until: w.api.clock.now() + 3_600_000 }
	await w.api.store.write(w.tenant.id, (tx) => setCertificate(tx, change(w), id, certificate))
	return bank
}
const newUser = (w: SampleWorld) => made(w, '/v1/users', { name: `User ${fresh()}`, email: `user${fresh()}@example.org` })
const newGroup = (w: SampleWorld) => made(w, '/v1/groups', { code: `group${fresh()}`, name: 'Group' })
const newBadge = async (w: SampleWorld) =>
	made(w, '/v1/credentials', { kind: 'badge', user: (await newUser(w)).id, number: `${70_000 + Number(fresh())}` })
/** Five cards that are known, and one line about a person. */
const newBadgeList = async (w: SampleWorld) => ({
	samples: [1, 2, 3, 4, 5].map((n) => ({ listed: `${n * 7919}`, read: `118-${n * 7919}` })),
	lines: [{ person: (await newUser(w)).email, listed: `${40_000 + Number(fresh())}` }],
})
const newRole = (w: SampleWorld) => made(w, '/v1/roles', { name: `Role ${fresh()}`, permissions: ['estate.read'] })
const newAssignment = async (w: SampleWorld) =>
	made(w, '/v1/role-assignments', { role: 'kiosk', user: (await newUser(w)).id, scope: { kind: 'tenant' } })
const newPolicy = (w: SampleWorld) =>
	made(w, '/v1/policies', { code: `policy${fresh()}`, site: w.tenant.site, draft: 'permit (principal, action, resource);' })
/** Somebody whom the banks of the site know. */
const knownUser = async (w: SampleWorld) => {
	const user = await newUser(w)
	const draft = `permit (principal == Latchwork::Person::"${user.id}", action, resource);`
	const { id, version } = await made(w, '/v1/policies', { code: `policy${fresh()}`, site: w.tenant.site, draft })
	await made(w, `/v1/policies/${id}/versions`, { version, acceptWarnings: true })
	return user
}
const doorOf = async (w: SampleWorld): Promise<string> => (await firstOf(w, `/v1/compartments?bank=${w.tenant.bank}`)).id
const newApproval = async (w: SampleWorld) => ({
	user: (await newUser(w)).id,
	type: (await newType(w)).code,
	until: new Date(w.api.clock.now() + 3_600_000).toISOString(),
})
const newType = (w: SampleWorld) => made(w, '/v1/asset-types', { code: `type${fresh()}`, name: 'Type' })
const newAsset = async (w: SampleWorld) => made(w, '/v1/assets', { type: (await newType(w)).id, tag: `TAG-${fresh()}`, bank: w.tenant.bank })
const delivery = async (w: SampleWorld) => ({ bank: (await newBank(w)).id, label: `Parcel ${fresh()}`, lines: [{ size: 'S' }] })
const newDelivery = async (w: SampleWorld) => (await made(w, '/v1/deliveries', await delivery(w))).delivery
const change = ({ api }: SampleWorld) => ({ ...api.parts.terms, actor: 'server' as const, now: api.clock.now() })

/** One for every route. A route without its line fails the matrix. */
export const SAMPLES: Readonly<Record<string, Make>> = {
	'GET /v1/health': () => ({}),
	'GET /v1/tenant': () => ({}),
	'GET /v1/settings': ({ tenant }) => ({ query: `site=${tenant.site}` }),
	'PATCH /v1/settings': async (w) => {
		const { id } = await newBank(w)
		return { query: `bank=${id}`, body: { pinLength: 9 }, version: 0 }
	},
	'GET /v1/sites': () => ({}),
	'POST /v1/sites': () => ({ body: { name: `Site ${fresh()}`, timeZone: 'Europe/Berlin' } }),
	'GET /v1/sites/{site}': ({ tenant }) => ({ params: { site: tenant.site } }),
	'PATCH /v1/sites/{site}': async (w) => {
		const { version } = (await w.api.ask('GET', `/v1/sites/${w.tenant.site}`, { token: w.tenant.owner.token })).body
		return { params: { site: w.tenant.site }, body: { name: `HQ ${fresh()}` }, version }
	},
	'DELETE /v1/sites/{site}': async (w) => {
		const { id, version } = await newSite(w)
		return { params: { site: id }, version }
	},
	'GET /v1/areas': () => ({}),
	'POST /v1/areas': ({ tenant }) => ({ body: { site: tenant.site, name: `Area ${fresh()}` } }),
	'GET /v1/areas/{area}': async (w) => ({ params: { area: (await newArea(w)).id } }),
	'PATCH /v1/areas/{area}': async (w) => {
		const { id, version } = await newArea(w)
		return { params: { area: id }, body: { name: `Area ${fresh()}` }, version }
	},
	'DELETE /v1/areas/{area}': async (w) => {
		const { id, version } = await newArea(w)
		return { params: { area: id }, version }
	},
	'GET /v1/banks': () => ({}),
	'POST /v1/banks': ({ tenant }) => ({ body: { site: tenant.site, name: `Bank ${fresh()}`, helpPhone: '110', layout: LAYOUT } }),
	'GET /v1/banks/{bank}': ({ tenant }) => ({ params: { bank: tenant.bank } }),
	'GET /v1/banks/{bank}/map': ({ tenant }) => ({ params: { bank: tenant.bank } }),
	'PATCH /v1/banks/{bank}': async (w) => {
		const { id, version } = await newBank(w)
		return { params: { bank: id }, body: { name: `Bank ${fresh()}` }, version }
	},
	'DELETE /v1/banks/{bank}': async (w) => {
		const { id, version } = await newBank(w)
		return { params: { bank: id }, version }
	},
	'GET /v1/modules': () => ({}),
	'POST /v1/modules': async (w) => {
		const [column] = LAYOUT.columns
		const door = column?.cells.find((cell) => cell.kind === 'door')
		return { body: { bank: (await newBank(w)).id, column: { ...column, cells: [{ ...door, number: 991 }] } } }
	},
	'GET /v1/modules/{module}': async (w) => ({ params: { module: (await firstOf(w, `/v1/modules?bank=${w.tenant.bank}`)).id } }),
	'PATCH /v1/modules/{module}': async (w) => {
		const { id, version } = await firstOf(w, `/v1/modules?bank=${(await newBank(w)).id}`)
		return { params: { module: id }, body: { name: 'Left' }, version }
	},
	'DELETE /v1/modules/{module}': async (w) => {
		const { id, version } = await firstOf(w, `/v1/modules?bank=${(await newBank(w)).id}`)
		return { params: { module: id }, version }
	},
	'GET /v1/compartments': () => ({}),
	'GET /v1/compartments/{compartment}': async (w) => ({
		params: { compartment: (await firstOf(w, `/v1/compartments?bank=${w.tenant.bank}`)).id },
	}),
	'PATCH /v1/compartments/{compartment}': async (w) => {
		const { id, version } = await firstOf(w, `/v1/compartments?bank=${(await newBank(w)).id}`)
		return { params: { compartment: id }, body: { powered: true }, version }
	},
	'GET /v1/controllers': () => ({}),
	'POST /v1/controllers': async (w) => ({ body: { bank: (await newBank(w)).id, name: `Controller ${fresh()}` } }),
	'GET /v1/controllers/{controller}': async (w) => ({ params: { controller: (await newController(w)).id } }),
	'PATCH /v1/controllers/{controller}': async (w) => {
		const { id, version } = await newController(w)
		return { params: { controller: id }, body: { name: `Controller ${fresh()}` }, version }
	},
	'DELETE /v1/controllers/{controller}': async (w) => {
		const { id, version } = await newController(w)
		return { params: { controller: id }, version }
	},
	'GET /v1/sites/{site}/key': async (w) => ({ params: { site: w.tenant.site } }),
	'POST /v1/sites/{site}/key-rotations': async (w) => ({ params: { site: w.tenant.site } }),
	'POST /v1/controllers/{controller}/losses': async (w) => {
		const { id, version } = await newController(w)
		return { params: { controller: id }, body: { version } }
	},
	'POST /v1/controllers/{controller}/claims': async (w) => ({ params: { controller: (await newController(w)).id }, body: {}, settled: 409 }),
	'POST /v1/controllers/{controller}/claim-codes': async (w) => {
		const bank = await newEnrolled(w)
		return { params: { controller: (await firstOf(w, `/v1/controllers?bank=${bank}`)).id } }
	},
	'POST /v1/door-sessions': async (w) => {
		const bank = await newEnrolled(w)
		const { id } = await firstOf(w, `/v1/compartments?bank=${bank}`)
		return { body: { compartment: id, reason: 'person-at-the-door' } }
	},
	'POST /v1/commands/{command}/approvals': async (w) => {
		const bank = await newEnrolled(w)
		const { id: compartment } = await firstOf(w, `/v1/compartments?bank=${bank}`)
		const { id } = await w.api.store.write(w.tenant.id, (tx) =>
			requestCommand(tx, { kind: 'open-remote', by: 'server', compartment, reason: 'check-content', secondPerson: true }, change(w)),
		)
		return { params: { command: id }, body: { verdict: 'refused' } }
	},
	'POST /v1/commands/{command}/owner-verifications': async (w) => {
		const bank = await newEnrolled(w)
		const { id: compartment } = await firstOf(w, `/v1/compartments?bank=${bank}`)
		const { id } = await w.api.store.write(w.tenant.id, (tx) =>
			requestCommand(tx, { kind: 'open-remote', by: 'server', compartment, reason: 'check-content', secondPerson: true }, change(w)),
		)
		const facts = [
			{ kind: 'read-back', value: '000000' },
			{ kind: 'code', value: '1' },
		]
		return { params: { command: id }, body: { facts }, settled: 409 }
	},
	'POST /v1/commands': async (w) => ({ body: { bank: await newEnrolled(w), kind: 'self-test' } }),
	'GET /v1/commands/{command}': async (w) => {
		const bank = await newEnrolled(w)
		const { body } = await w.api.ask('POST', '/v1/commands', { token: w.tenant.owner.token, body: { bank, kind: 'self-test' } })
		return { params: { command: body.id } }
	},
	'POST /v1/sign-ins': ({ sender }) => ({ body: { email: sender.email, password: TEST_PASSWORD } }),
	'POST /v1/sign-outs': () => ({ bySession: true, body: {} }),
	'GET /v1/me': () => ({}),
	'PUT /v1/me/password': () => ({ bySession: true, body: { current: TEST_PASSWORD, password: TEST_PASSWORD } }),
	'PUT /v1/users/{user}/password': async (w) => ({ params: { user: (await newUser(w)).id }, body: { password: TEST_PASSWORD } }),
	'GET /v1/sessions': () => ({}),
	'DELETE /v1/sessions/{session}': async (w) => ({
		params: { session: (await w.api.store.write(w.tenant.id, (tx) => startSession(tx, w.sender.id, change(w)))).id },
	}),
	'GET /v1/tokens': () => ({}),
	'POST /v1/tokens': () => ({ body: { name: 'A program', permissions: ['delivery.create'] } }),
	'DELETE /v1/tokens/{token}': async (w) => ({
		params: { token: (await w.api.store.write(w.tenant.id, (tx) => issueToken(tx, change(w), { subject: w.sender.id, name: 'spare' }))).id },
	}),
	'GET /v1/users': () => ({}),
	'POST /v1/users': () => ({ body: { name: `User ${fresh()}` } }),
	'GET /v1/users/{user}': async (w) => ({ params: { user: (await newUser(w)).id } }),
	'PATCH /v1/users/{user}': async (w) => {
		const { id, version } = await newUser(w)
		return { params: { user: id }, body: { suspended: true, offlineMinutes: 0 }, version }
	},
	'DELETE /v1/users/{user}': async (w) => {
		const { id, version } = await newUser(w)
		return { params: { user: id }, version }
	},
	'GET /v1/groups': () => ({}),
	'POST /v1/groups': () => ({ body: { code: `group${fresh()}`, name: 'Group' } }),
	'GET /v1/groups/{group}': async (w) => ({ params: { group: (await newGroup(w)).id } }),
	'PATCH /v1/groups/{group}': async (w) => {
		const { id, version } = await newGroup(w)
		return { params: { group: id }, body: { name: 'Other' }, version }
	},
	'DELETE /v1/groups/{group}': async (w) => {
		const { id, version } = await newGroup(w)
		return { params: { group: id }, version }
	},
	'PUT /v1/groups/{group}/members/{user}': async (w) => ({ params: { group: (await newGroup(w)).id, user: (await newUser(w)).id } }),
	'DELETE /v1/groups/{group}/members/{user}': async (w) => ({ params: { group: (await newGroup(w)).id, user: (await newUser(w)).id } }),
	'GET /v1/credentials': () => ({}),
	'POST /v1/credentials': async (w) => ({
		body: { kind: 'badge', user: (await newUser(w)).id, number: `${70_000 + Number(fresh())}` },
	}),
	'POST /v1/one-time-codes': async (w) => ({ body: { user: (await knownUser(w)).id, bank: await newEnrolled(w) } }),
	'GET /v1/one-time-codes': () => ({}),
	'DELETE /v1/one-time-codes/{code}': async (w) => {
		const body = { user: (await knownUser(w)).id, bank: await newEnrolled(w) }
		const made = await w.api.ask('POST', '/v1/one-time-codes', { token: w.tenant.owner.token, body })
		return { params: { code: made.body.id } }
	},
	'GET /v1/pin-guessing': () => ({}),
	'DELETE /v1/sites/{site}/pin-rest': (w) => ({ params: { site: w.tenant.site }, settled: 409 }),
	'POST /v1/badge-readings': async (w) => ({ body: { bank: await newEnrolled(w) } }),
	'GET /v1/badge-readings/{command}': async (w) => {
		const bank = await newEnrolled(w)
		const { body } = await w.api.ask('POST', '/v1/badge-readings', { token: w.tenant.owner.token, body: { bank } })
		return { params: { command: body.command.id } }
	},
	'POST /v1/break-glass': async (w) => ({ body: { bank: (await newBank(w)).id, reason: 'fire-or-water' } }),
	'DELETE /v1/break-glass/{breakGlass}': async (w) => ({
		params: { breakGlass: (await made(w, '/v1/break-glass', { bank: (await newBank(w)).id, reason: 'fire-or-water' })).id },
	}),
	'POST /v1/badge-forms': () => ({ body: { number: '118-1603' } }),
	'POST /v1/badge-matches': async (w) => ({ body: await newBadgeList(w) }),
	'POST /v1/badge-imports': async (w) => ({ body: await newBadgeList(w) }),
	'GET /v1/me/credentials': () => ({}),
	'POST /v1/me/losses': async (w) => ({
		body: { credential: (await made(w, '/v1/credentials', { kind: 'badge', user: w.sender.id, number: `${90_000 + Number(fresh())}` })).id },
	}),
	'GET /v1/credentials/{credential}': async (w) => ({ params: { credential: (await newBadge(w)).id } }),
	'DELETE /v1/credentials/{credential}': async (w) => {
		const { id, version } = await newBadge(w)
		return { params: { credential: id }, version }
	},
	'GET /v1/roles': () => ({}),
	'POST /v1/roles': () => ({ body: { name: `Role ${fresh()}`, permissions: ['estate.read'] } }),
	'GET /v1/roles/{role}': async (w) => ({ params: { role: (await newRole(w)).id } }),
	'PATCH /v1/roles/{role}': async (w) => {
		const { id, version } = await newRole(w)
		return { params: { role: id }, body: { name: `Role ${fresh()}` }, version }
	},
	'DELETE /v1/roles/{role}': async (w) => {
		const { id, version } = await newRole(w)
		return { params: { role: id }, version }
	},
	'GET /v1/users/{user}/qualifications': async (w) => ({ params: { user: (await newUser(w)).id } }),
	'PUT /v1/users/{user}/qualifications/{code}': async (w) => ({ params: { user: (await newUser(w)).id, code: 'forklift' }, body: {} }),
	'DELETE /v1/users/{user}/qualifications/{code}': async (w) => {
		const { id: user } = await newUser(w)
		await w.api.ask('PUT', `/v1/users/${user}/qualifications/forklift`, { token: w.tenant.owner.token, body: {} })
		return { params: { user, code: 'forklift' } }
	},
	'GET /v1/approvals': () => ({}),
	'POST /v1/approvals': async (w) => ({ body: await newApproval(w) }),
	'DELETE /v1/approvals/{approval}': async (w) => ({ params: { approval: (await made(w, '/v1/approvals', await newApproval(w))).id } }),
	'GET /v1/permissions': () => ({}),
	'GET /v1/role-assignments': () => ({}),
	'POST /v1/role-assignments': async (w) => ({
		body: { role: 'kiosk', user: (await newUser(w)).id, scope: { kind: 'site', id: w.tenant.site } },
	}),
	'DELETE /v1/role-assignments/{assignment}': async (w) => ({ params: { assignment: (await newAssignment(w)).id } }),
	'GET /v1/policies': () => ({}),
	'POST /v1/policies': ({ tenant }) => ({ body: { code: `policy${fresh()}`, site: tenant.site, draft: 'permit (principal, action, resource);' } }),
	'GET /v1/policies/{policy}': async (w) => ({ params: { policy: (await newPolicy(w)).id } }),
	'PATCH /v1/policies/{policy}': async (w) => {
		const { id, version } = await newPolicy(w)
		return { params: { policy: id }, body: { draft: 'forbid (principal, action, resource);' }, version }
	},
	'DELETE /v1/policies/{policy}': async (w) => {
		const { id, version } = await newPolicy(w)
		return { params: { policy: id }, version }
	},
	'GET /v1/policies/{policy}/versions': async (w) => ({ params: { policy: (await newPolicy(w)).id } }),
	'POST /v1/policies/{policy}/versions': async (w) => {
		const { id, version } = await newPolicy(w)
		return { params: { policy: id }, body: { version } }
	},
	'POST /v1/policies/{policy}/reviews': async (w) => {
		const { id, version } = await newPolicy(w)
		// The owner wrote it, and is told that somebody else has to look at it.
		return { params: { policy: id }, body: { version, verdict: 'approved' }, settled: 409 }
	},
	'POST /v1/policies/{policy}/rollbacks': async (w) => {
		const { id, version } = await newPolicy(w)
		const path = `/v1/policies/${id}/versions`
		const twice = await made(w, path, { version: (await made(w, path, { version })).version })
		return { params: { policy: id }, body: { version: twice.version, to: 1 } }
	},
	'POST /v1/policies/{policy}/replays': async (w) => ({ params: { policy: (await newPolicy(w)).id }, body: {} }),
	'POST /v1/policy-checks': () => ({ body: { draft: 'permit (principal, action, resource);' } }),
	'GET /v1/decisions': () => ({}),
	'GET /v1/me/decisions': () => ({}),
	'GET /v1/me/openings': () => ({}),
	'POST /v1/what-if': async (w) => ({ body: { user: (await newUser(w)).id, bank: w.tenant.bank, compartment: await doorOf(w) } }),
	'GET /v1/compartments/{compartment}/openers': async (w) => ({ params: { compartment: await doorOf(w) } }),
	'GET /v1/users/{user}/reach': async (w) => ({ params: { user: (await newUser(w)).id } }),
	'GET /v1/asset-types': () => ({}),
	'POST /v1/asset-types': () => ({ body: { code: `type${fresh()}`, name: 'Type' } }),
	'GET /v1/asset-types/{type}': async (w) => ({ params: { type: (await newType(w)).id } }),
	'PATCH /v1/asset-types/{type}': async (w) => {
		const { id, version } = await newType(w)
		return { params: { type: id }, body: { name: `Type ${fresh()}` }, version }
	},
	'DELETE /v1/asset-types/{type}': async (w) => {
		const { id, version } = await newType(w)
		return { params: { type: id }, version }
	},
	'GET /v1/assets': () => ({}),
	'POST /v1/assets': async (w) => ({ body: { type: (await newType(w)).id, tag: `TAG-${fresh()}`, bank: w.tenant.bank } }),
	'GET /v1/assets/{asset}': async (w) => ({ params: { asset: (await newAsset(w)).id } }),
	'PATCH /v1/assets/{asset}': async (w) => {
		const { id, version } = await newAsset(w)
		return { params: { asset: id }, body: { condition: 'damaged' }, version }
	},
	'DELETE /v1/assets/{asset}': async (w) => {
		const { id, version } = await newAsset(w)
		return { params: { asset: id }, version }
	},
	'GET /v1/events': () => ({}),
	'GET /v1/events/stream': () => ({}),
	'GET /v1/events/{position}/proof': async (w) => {
		await w.api.sign(w.tenant.id)
		return { params: { position: '0' } }
	},
	// Somebody of whom there is something at every place.
	'GET /v1/users/{user}/events': ({ tenant }) => ({ params: { user: tenant.owner.id } }),
	'GET /v1/audit/checkpoints': () => ({}),
	'GET /v1/audit/proofs': async (w) => {
		await w.api.sign(w.tenant.id)
		return { query: 'from=0' }
	},
	'GET /v1/audit/streams': () => ({}),
	'GET /v1/audit/log/*': async (w) => {
		await w.api.sign(w.tenant.id)
		return { params: { '*': 'checkpoint' } }
	},
	'GET /v1/audit/log/tile/entries/*': async (w) => {
		await w.api.sign(w.tenant.id)
		const { size } = await firstOf(w, '/v1/audit/checkpoints')
		const width = size % 256
		const index = String(width === 0 ? size / 256 - 1 : Math.floor(size / 256)).padStart(3, '0')
		return { params: { '*': width === 0 ? index : `${index}.p/${width}` } }
	},
	'POST /v1/audit/exports': async (w) => {
		await w.api.sign(w.tenant.id)
		return { body: {} }
	},
	'GET /v1/overview': () => ({}),
	'GET /v1/cases': () => ({}),
	'GET /v1/cases/{case}': async (w) => ({ params: { case: (await newDelivery(w)).id } }),
	'GET /v1/cases/{case}/timeline': async (w) => ({ params: { case: (await newDelivery(w)).id } }),
	'POST /v1/deliveries': async (w) => ({ body: await delivery(w) }),
	'POST /v1/deliveries/{case}/recalls': async (w) => ({ params: { case: (await newDelivery(w)).id }, body: { reason: 'sender-asks' } }),
	'POST /v1/deliveries/{case}/extensions': async (w) => ({
		params: { case: (await newDelivery(w)).id },
		body: { until: new Date(w.api.clock.now() + 5 * 24 * 3_600_000).toISOString() },
		settled: 409,
	}),
	'POST /v1/deliveries/{case}/code-readings': async (w) => ({ params: { case: (await newDelivery(w)).id }, body: {} }),
	'POST /v1/deliveries/{case}/codes': async (w) => ({ params: { case: (await newDelivery(w)).id }, body: {} }),
	'POST /v1/deliveries/{case}/delegations': async (w) => ({ params: { case: (await newDelivery(w)).id }, body: { hint: 'M… K…' } }),
	'DELETE /v1/deliveries/{case}/delegations/{credential}': async (w) => {
		const { id } = await newDelivery(w)
		return { params: { case: id, credential: (await made(w, `/v1/deliveries/${id}/delegations`, { hint: 'M… K…' })).id } }
	},
	'GET /v1/conflicts': () => ({}),
	'GET /v1/tasks': () => ({}),
	'POST /v1/tasks/{task}/completions': async (w) => {
		const bank = (await newBank(w)).id
		await w.api.store.write(w.tenant.id, (tx) =>
			openTask(tx, { kind: 'inspect', site: w.tenant.site, bank }, { now: w.api.clock.now(), random: w.api.parts.random }),
		)
		return { params: { task: (await firstOf(w, `/v1/tasks?bank=${bank}`)).id }, body: { how: 'checked-and-in-order' } }
	},
}
