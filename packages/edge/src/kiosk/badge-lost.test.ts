import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { sampleId, samplePin, sampleSubject } from '@latchwork/core/access/testing'
import { createStage, type Stage } from '../testing/stage.ts'

const BADGE = sampleId('credential', 'ana-badge')

async function staged(t: TestContext): Promise<Stage> {
	const stage = await createStage()
	t.after(stage.end)
	return stage
}
const kinds = (stage: Stage) => {
	const screen = stage.screen()
	return screen.name === 'choose' ? screen.choices.map(({ kind }) => kind) : [screen.name]
}
const reported = (stage: Stage) => stage.events().filter(({ type }) => type === 'credential.reported-lost')
/** Ana's badge at the reader: lets her in, or says why not; then the kiosk is free again. */
const byBadge = (stage: Stage): string => {
	stage.badge('ana')
	const screen = stage.screen()
	stage.act({ kind: screen.name === 'denied' ? 'back' : 'finish' })
	return screen.name === 'denied' ? screen.reason : screen.name
}

test('who is known by a PIN ends the badge that is lost: at once, after a power cut, and whatever bundle comes that does not know of it yet', async (t) => {
	const stage = await staged(t)
	await stage.borrow()
	stage.pin(samplePin('ana'))
	assert.ok(kinds(stage).includes('badge-lost'))
	stage.choose('badge-lost')
	assert.deepEqual(stage.screen(), { name: 'badge-lost', badges: 1, reported: false })
	stage.act({ kind: 'confirm', done: false })
	assert.ok(kinds(stage).includes('badge-lost'), 'a touch by mistake changes nothing')
	stage.act({ kind: 'finish' })
	assert.deepEqual([byBadge(stage), reported(stage)], ['choose', []])

	stage.pin(samplePin('ana'))
	stage.choose('badge-lost')
	stage.act({ kind: 'confirm', done: true })
	assert.deepEqual(stage.screen(), { name: 'badge-lost', badges: 1, reported: true })
	const [event] = reported(stage)
	assert.deepEqual([event?.subject, event?.actor, event?.data.method], [BADGE, sampleSubject('ana'), 'pin'])
	stage.act({ kind: 'confirm', done: false })
	assert.equal(stage.screen().name, 'badge-lost', 'there is no way back from it here')
	stage.act({ kind: 'back' })
	assert.deepEqual(kinds(stage), ['return', 'borrow', 'borrow'], 'what is on loan can be returned, and there is nothing left to report')
	stage.act({ kind: 'finish' })
	assert.equal(byBadge(stage), 'credential-revoked')
	assert.equal(stage.events().findLast(({ type }) => type === 'decision.denied')?.data.credential, BADGE, 'on record which one somebody has')

	stage.crash()
	await stage.start()
	assert.equal(byBadge(stage), 'credential-revoked', 'after a power cut')
	stage.writeBundle({ version: stage.bundle().version + 1 })
	await stage.clock.advance(1_100)
	assert.equal(byBadge(stage), 'credential-revoked', 'by a bundle that was made before the server heard of it')
	const { facts } = stage.controller().journal
	assert.equal(facts('badge-lost').size, 1)
	stage.writeBundle({ version: stage.bundle().version + 1, revoked: { epoch: 1, ids: [BADGE] } })
	await stage.clock.advance(1_100)
	assert.deepEqual([byBadge(stage), facts('badge-lost').size], ['credential-revoked', 0], 'from here on the bundle says it')
	stage.pin(samplePin('ana'))
	assert.deepEqual(kinds(stage), ['return', 'borrow', 'borrow'])
	assert.equal(reported(stage).length, 1)
})

test('nobody ends the badge in their hand, or somebody else’s', async (t) => {
	const stage = await staged(t)
	stage.badge('ana')
	assert.ok(!kinds(stage).includes('badge-lost'), 'the only badge she has is the one that she shows')
	stage.choose('badge-lost')
	assert.equal(stage.screen().name, 'choose')
	stage.act({ kind: 'finish' })
	stage.scan(stage.code('ana', 'one-time'))
	assert.ok(!kinds(stage).includes('badge-lost'), 'whoever has a code may be somebody else')
	stage.act({ kind: 'finish' })
	stage.pin(samplePin('cem'))
	stage.choose('badge-lost')
	stage.act({ kind: 'confirm', done: true })
	assert.deepEqual(
		reported(stage).map(({ subject }) => subject),
		[sampleId('credential', 'cem-badge')],
	)
	stage.act({ kind: 'finish' })
	assert.equal(byBadge(stage), 'choose')
})

test('another badge of the same person ends all but itself', async (t) => {
	const stage = await staged(t)
	const { credentials } = stage.bundle()
	const cems = credentials.find(({ id }) => id === sampleId('credential', 'cem-badge')) ?? assert.fail()
	stage.writeBundle({
		version: stage.bundle().version + 1,
		credentials: credentials.map((one) => (one === cems ? { ...one, subject: sampleSubject('ana') } : one)),
	})
	await stage.clock.advance(1_100)
	stage.badge('cem')
	stage.choose('badge-lost')
	stage.act({ kind: 'confirm', done: true })
	stage.act({ kind: 'finish' })
	assert.deepEqual([byBadge(stage), reported(stage).map(({ subject }) => subject)], ['credential-revoked', [BADGE]])
	stage.badge('cem')
	assert.equal(stage.screen().name, 'choose')
})
