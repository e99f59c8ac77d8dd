import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { verifierOf } from '@latchwork/core/access'
import { newId, seededRandom } from '@latchwork/core/base'
import { nodeCrypto } from '../crypto.ts'
import { sql } from '../store/index.ts'
import { type TestApi, type TestTenant, testApi } from '../testing/api.ts'
import { createPerson, credentialBy, ensureSiteKey, readyCredentials } from './index.ts'

/** A four-byte card as our reader reports it, and as the building's access system lists it: decimal, low byte first. */
const uid = (n: number) => Buffer.from([0x20 + (n % 0xd0), (n * 7) % 256, (n >> 8) % 256, n % 256])
const read = (n: number) => `hex:32:${uid(n).toString('hex')}`
const listed = (n: number) => String(uid(n).readUInt32LE())
const SAMPLES = [1, 2, 3, 4, 5].map((n) => ({ listed: listed(n), read: read(n) }))
const PEOPLE = 1_000

describe('a list of badge numbers from another system', () => {
	let api: TestApi
	let acme: TestTenant
	let token: string
	let anna: string
	let ben: string
	before(async () => {
		api = await testApi()
		acme = await api.tenant('Acme')
		token = acme.owner.token
		anna = (await post('/v1/users', { name: 'Anna', email: 'Anna@example.org' })).body.id
		ben = (await post('/v1/users', { name: 'Ben', externalRefs: [{ system: 'hr', id: '00417' }] })).body.id
	})
	after(() => api.close())
	const post = (path: string, body: unknown) => api.ask('POST', path, { token, body })
	const credentials = async (user: string) => (await api.ask('GET', `/v1/credentials?user=${user}`, { token })).body.items.length

	test('five cards teach it; the preview counts each line and changes nothing; the import gives what it foretold', async () => {
		await post('/v1/credentials', { kind: 'badge', user: ben, number: read(40) })
		const lines = [
			{ person: 'anna@EXAMPLE.org', listed: listed(10) },
			{ person: '00417', listed: listed(11) },
			{ person: ben, listed: listed(12) },
			{ person: 'nobody@example.org', listed: listed(13) },
			{ person: anna, listed: '12-345' },
			{ person: anna, listed: '99999999999' },
			{ person: anna, listed: listed(14) },
			{ person: ben, listed: listed(14) },
			{ person: anna, listed: listed(40) },
			{ person: ben, listed: listed(40) },
			{ person: newId('subject', 0, seededRandom(1)), listed: listed(15) },
		]
		// The card that is in the list twice, once for whoever has it: both lines are left to a person.
		const foretold = await post('/v1/badge-matches', { samples: SAMPLES, lines: lines.filter((_, i) => i !== 8) })
		assert.equal(foretold.status, 200, foretold.text)
		assert.deepEqual(foretold.body.mapping, { notation: 'decimal', reversed: true, parity: false, bitCount: 32 })
		assert.deepEqual([foretold.body.lines, foretold.body.matched, foretold.body.undecided], [10, 3, []])
		assert.deepEqual(foretold.body.left, { unknownPerson: 2, unreadable: 2, taken: 0, twice: 2, present: 1 })
		assert.deepEqual(
			foretold.body.examples.map(({ line, why }: { line: number; why: string }) => [line, why]),
			[
				[4, 'unknown-person'],
				[5, 'unreadable'],
				[6, 'unreadable'],
				[7, 'twice'],
				[8, 'twice'],
				[9, 'present'],
				[10, 'unknown-person'],
			],
		)
		assert.deepEqual([await credentials(anna), await credentials(ben)], [0, 1])
		assert.equal((await post('/v1/badge-matches', { samples: SAMPLES, lines: [lines[8]] })).body.left.taken, 1)

		const made = await post('/v1/badge-imports', { samples: SAMPLES, lines: lines.filter((_, i) => i !== 8) })
		assert.equal(made.status, 201, made.text)
		assert.deepEqual({ ...made.body, examples: [] }, { ...foretold.body, examples: [] })
		assert.deepEqual([await credentials(anna), await credentials(ben)], [1, 3])
		const known = await api.store.write(acme.id, async (tx) => {
			const key = await readyCredentials(tx, acme.site, api.parts.terms, api.clock.now())
			return credentialBy(tx, acme.site, verifierOf(key, nodeCrypto, 'badge', `raw:32:${uid(10).toString('hex')}`), api.clock.now())
		})
		assert.equal(known?.subject, anna, 'a bank knows the card as its reader reports it')
		const again = await post('/v1/badge-imports', { samples: SAMPLES, lines: lines.slice(0, 3) })
		assert.deepEqual([again.body.matched, again.body.left.present], [0, 3], 'twice is once')
	})

	test('cards that teach nothing are refused by their number, cards that leave two ways open by a number that tells', async () => {
		const lines = [{ person: anna, listed: '04a1b2c3' }]
		const wrong = await post('/v1/badge-matches', { samples: SAMPLES.map((one, i) => (i === 3 ? { ...one, listed: '1' } : one)), lines })
		assert.deepEqual([wrong.status, wrong.body.field], [400, 'body.samples.3'])
		assert.match(wrong.body.detail, /All cards but card 4/)
		const few = await post('/v1/badge-matches', { samples: SAMPLES.slice(0, 4), lines })
		assert.deepEqual([few.status, few.body.field], [400, 'body.samples'])
		const palindromes = ['a1b2b2a1', '33444433', '11020211', '7f00007f', 'c3d4d4c3'].map((hex) => ({ listed: hex, read: `hex:32:${hex}` }))
		const open = await post('/v1/badge-matches', { samples: palindromes, lines })
		assert.deepEqual([open.status, open.body.undecided], [200, ['04a1b2c3']])
		const refused = await post('/v1/badge-imports', { samples: palindromes, lines })
		assert.deepEqual([refused.status, refused.body.code], [409, 'request-refused'])
		assert.match(refused.body.detail, /number 04a1b2c3/)
		assert.equal((await post('/v1/badge-imports', { samples: palindromes, lines: [{ person: anna, listed: '22333322' }] })).status, 201)
	})

	test(`${PEOPLE} people get the badges of one list in one step, each under their own key`, async () => {
		const other = await api.tenant('Rival')
		await api.store.write(other.id, async (tx) => {
			const change = { ...api.parts.terms, actor: other.owner.id, now: api.clock.now() }
			for (let n = 0; n < PEOPLE; n++)
				await createPerson(tx, change, { personal: { name: `P ${n}`, email: `p${n}@example.org`, labels: {}, externalRefs: [], clientData: {} } })
			await ensureSiteKey(tx, other.site, api.parts.terms, api.clock.now())
		})
		const lines = Array.from({ length: PEOPLE }, (_, n) => ({ person: `p${n}@example.org`, listed: listed(n + 100) }))
		const made = await api.ask('POST', '/v1/badge-imports', { token: other.owner.token, body: { samples: SAMPLES, lines } })
		assert.deepEqual([made.status, made.body.matched], [201, PEOPLE], made.text)
		const { verifiers, events } = (await api.store.read(other.id, (db) =>
			db.first(sql<{
				verifiers: number
				events: number
			}>`SELECT (SELECT count(*) FROM credential_verifier WHERE tenant_id = ${other.id}) AS verifiers,
				(SELECT count(*) FROM event_pending WHERE tenant_id = ${other.id} AND type = 'credential.issued') + (SELECT count(*) FROM event WHERE tenant_id = ${other.id} AND type = 'credential.issued') AS events`),
		)) as { verifiers: number; events: number }
		assert.deepEqual([verifiers, events], [PEOPLE, PEOPLE])
	})

	test('how others write a card is told for every number that enrolment takes, and for no other', async () => {
		const { body } = await post('/v1/badge-forms', { number: '118-1603' })
		assert.equal(body.bitCount, 26)
		assert.deepEqual(
			body.forms.find((form: { notation: string }) => form.notation === 'joined'),
			{ notation: 'joined', reversed: false, parity: false, text: '11801603' },
		)
		const refused = await post('/v1/badge-forms', { number: 'hex:32:08aabbcc' })
		assert.deepEqual([refused.status, refused.body.field], [400, 'body.number'])
		assert.match(refused.body.detail, /new random number at every tap/)
	})
})
