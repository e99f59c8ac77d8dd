import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kioskExamples } from '@latchwork/core/wire'
import { isDoorMessage, lasting, noticesOn, said, when, words } from './words.ts'

const view = (id: string) => {
	const found = kioskExamples.get(id)
	assert.ok(found, id)
	return found
}

test('times are those of the site, by its own calendar day', () => {
	const berlin = view('attract')
	assert.equal(when(Date.UTC(2026, 0, 7, 17, 0), berlin), 'today 18:00')
	assert.equal(when(Date.UTC(2026, 0, 7, 22, 59), berlin), 'today 23:59')
	assert.equal(when(Date.UTC(2026, 0, 7, 23, 0), berlin), 'tomorrow 00:00')
	assert.equal(when(Date.UTC(2026, 0, 6, 22, 59), berlin), 'yesterday 23:59')
	assert.equal(when(Date.UTC(2026, 0, 9, 17, 0), berlin), 'Friday 9 January, 18:00')
	const tokyo = { ...berlin, bank: { ...berlin.bank, timeZone: 'Asia/Tokyo' } }
	assert.equal(when(Date.UTC(2026, 0, 7, 17, 0), tokyo), 'tomorrow 02:00')
})

test('a day that is an hour short or long is still one day', () => {
	const spring = { ...view('attract'), now: Date.UTC(2026, 2, 28, 12, 0) }
	assert.equal(when(Date.UTC(2026, 2, 29, 16, 0), spring), 'tomorrow 18:00')
	const autumn = { ...spring, now: Date.UTC(2026, 9, 24, 12, 0) }
	assert.equal(when(Date.UTC(2026, 9, 25, 17, 0), autumn), 'tomorrow 18:00')
})

test('durations in seconds and minutes', () => {
	assert.deepEqual([0, 999, 12_345, 60_000, 130_000, -5].map(lasting), ['0 s', '0 s', '12 s', '1 min', '2 min 10 s', '0 s'])
})

test('every screen says something, and no code or name is spoken', () => {
	for (const [id, example] of kioskExamples) {
		const text = said(example)
		assert.match(text, /^\p{Lu}.*[.?]$/u, `${id}: ${text}`)
		assert.doesNotMatch(text, /INC-|LN-|undefined|null|NaN/, id)
		assert.doesNotMatch(text, /!/, `${id}: no exclamation marks`)
	}
})

test('a door message names the door and its place', () => {
	assert.equal(said(view('open')), 'Door 12 is open. Second column from the left, second door from the bottom.')
	assert.match(said(view('open-alarm')), /^Door 12 is still open\. .*Push the door until it clicks\.$/)
	for (const id of ['open', 'opening', 'not-opened', 'no-change', 'confirm', 'needs-help']) assert.ok(isDoorMessage(view(id).screen), id)
	assert.equal(isDoorMessage(view('attract').screen), false)
})

test('who is offered nothing is told whom to ask, and never to touch', () => {
	assert.equal(said(view('choose-denied')), 'There is nothing for you to take here. The help desk can tell you why: +49\u00a030\u00a05550\u00a0142.')
	assert.match(said(view('choose-denied-both')), /^Nothing can be taken or returned now\. /)
	assert.equal(said(view('choose-return')), words.choose.title, 'one of two can be touched')
})

test('banners fit their screen: nothing twice, and no way to start where nobody can', () => {
	const texts = (id: string) => noticesOn(view(id)).map(([, text]) => text)
	assert.deepEqual(texts('attract-forced'), [
		'A door was opened without permission. Please tell the help desk: +49\u00a030\u00a05550\u00a0142.',
		'The badge reader does not answer. Use your PIN or code.',
	])
	const { screen } = view('open')
	assert.deepEqual(noticesOn({ ...view('attract-forced'), screen, notices: ['reader-lost'] }), [['reader-lost', 'The badge reader does not answer.']])
	assert.deepEqual(texts('out-of-service'), [], 'all doors are lost, not some')
	assert.deepEqual(texts('open-alarm'), [], 'the screen is about that door')
	assert.deepEqual(noticesOn({ ...view('open-alarm'), screen }).length, 1, 'here it may be another door')
})

test('the sentence of the timer follows the ladder', () => {
	assert.equal(words.door.calm('12 s', '30 s'), 'Open for 12 s. No hurry, we remind you at 30 s.')
	assert.equal(words.door.prompt('45 s', '2 min'), 'Open for 45 s. From 2 min on it counts as left open.')
	assert.equal(words.door.prompt('45 s', undefined), 'Open for 45 s. It soon counts as left open.')
})
