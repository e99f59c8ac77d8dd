import assert from 'node:assert/strict'
import { test } from 'node:test'
import { acceptPeopleDelta, identify, MOST_PEOPLE, namesNew, type PeopleDelta, type PersonRows, sealPeopleDelta, withPeople } from './index.ts'
import { nodeCrypto, testKey } from './testing/node-crypto.ts'
import { SAMPLE_SITE_KEY, SAMPLE_START, sampleBadge, sampleBundle, sampleId } from './testing/sample-bundle.ts'

const KEY = testKey(new Uint8Array(32).fill(3))
const keys = new Map([['maker', KEY.publicKey]])
const bundle = sampleBundle(nodeCrypto)
const given = { keys, crypto: nodeCrypto, bank: bundle.bank.id, now: SAMPLE_START }
const [ana, ben] = [sampleId('subject', 'ana'), sampleId('subject', 'ben')]

/** What the sample bundle says of somebody. */
function rowsOf(id: typeof ana): PersonRows & { row: NonNullable<PersonRows['row']> } {
	const row = bundle.subjects.find((one) => one.id === id) ?? assert.fail()
	return { id, row, credentials: bundle.credentials.filter((one) => one.subject === id) }
}
const delta = (change: Partial<PeopleDelta> = {}): PeopleDelta => ({
	format: 'latchwork-people/1',
	bank: bundle.bank.id,
	n: 1,
	deltas: 0,
	people: [rowsOf(ana)],
	issuedAt: SAMPLE_START,
	until: SAMPLE_START + 1_000,
	...change,
})
const text = (change: Partial<PeopleDelta> = {}, by = KEY) => JSON.stringify(sealPeopleDelta(delta(change), 'maker', by.sign))

test('a delta about people that must not be trusted is refused with its reason', () => {
	const { row, credentials } = rowsOf(ana)
	const answers = [
		acceptPeopleDelta('{}', given),
		acceptPeopleDelta(text({}, testKey(new Uint8Array(32).fill(9))), given),
		acceptPeopleDelta(text({ bank: sampleId('bank', 'elsewhere') }), given),
		acceptPeopleDelta(text(), { ...given, now: SAMPLE_START + 1_000 }),
		acceptPeopleDelta(text().replace('"n":1', '"n":2'), given),
		// Signed, and yet about somebody else: a row or a badge must not come in under another's name.
		acceptPeopleDelta(text({ people: [{ id: ben, row }] }), given),
		acceptPeopleDelta(text({ people: [{ ...rowsOf(ben), credentials: credentials ?? [] }] }), given),
		acceptPeopleDelta(text({ people: [{ id: ana, credentials: credentials ?? [] }] }), given),
	]
	assert.deepEqual(
		answers.map((answer) => (answer.ok ? 'taken' : answer.code)),
		[
			'delta-malformed',
			'delta-signature',
			'delta-other-bank',
			'delta-expired',
			'delta-signature',
			'delta-malformed',
			'delta-malformed',
			'delta-malformed',
		],
	)
	assert.ok(acceptPeopleDelta(text(), given).ok)
	assert.throws(() => text({ people: Array.from({ length: MOST_PEOPLE + 1 }, () => rowsOf(ana)) }))
})

test('the rows of a person take the place of all that the bundle says of them, and of nobody else', () => {
	const show = (of: typeof bundle, person: 'ana' | 'ben') => {
		const terms = {
			siteKey: SAMPLE_SITE_KEY,
			crypto: nodeCrypto,
			now: SAMPLE_START,
			proven: SAMPLE_START,
			uncertain: false,
			makerKeys: keys,
			codeUsed: () => false,
		}
		const answer = identify(of, { kind: 'badge', normal: sampleBadge(person) }, terms)
		return answer.ok ? answer.subject : answer.reason
	}
	assert.equal(withPeople(bundle, []), bundle)
	const gone = withPeople(bundle, [{ id: ana }])
	assert.deepEqual([show(gone, 'ana'), show(gone, 'ben')], ['unknown-credential', ben])
	assert.deepEqual(
		[gone.subjects.some(({ id }) => id === ana), gone.credentials.some(({ subject }) => subject === ana), gone.subjects.length],
		[false, false, bundle.subjects.length - 1],
	)
	const back = withPeople(gone, [rowsOf(ana)])
	assert.equal(show(back, 'ana'), ana)
	// Her badge is Ben's from now on; that she has lost it was not heard of.
	const passed = rowsOf(ana).credentials?.filter(({ kind }) => kind === 'badge') ?? []
	const moved = withPeople(bundle, [
		{ ...rowsOf(ben), credentials: passed.map((one) => ({ ...one, id: sampleId('credential', 'new'), subject: ben })) },
	])
	assert.equal(show(moved, 'ana'), ben)
	const tutors = withPeople(bundle, [{ ...rowsOf(ana), row: { ...rowsOf(ana).row, groups: ['tutors'] } }])
	assert.ok(tutors.groups.some(({ id }) => id === 'tutors'))
})

test('policies are made ready anew when somebody they may speak of was not here before', () => {
	const named = {
		...bundle,
		policies: { ...bundle.policies, sets: [{ id: 'x', cedar: `permit (principal == Latchwork::Person::"${ana}", action, resource);` }] },
	}
	const without = (of: typeof bundle) => withPeople(of, [{ id: ana }])
	assert.deepEqual(
		[
			namesNew(bundle, [rowsOf(ana)]),
			namesNew(without(bundle), [rowsOf(ana)]),
			namesNew(without(named), [rowsOf(ana)]),
			namesNew(named, [rowsOf(ana)]),
			namesNew(bundle, [{ ...rowsOf(ana), row: { ...rowsOf(ana).row, groups: ['tutors'] } }]),
			namesNew(bundle, [{ id: ana }]),
		],
		[false, false, true, false, true, false],
	)
})
