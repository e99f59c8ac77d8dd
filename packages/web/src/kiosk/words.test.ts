import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kioskExamples } from '@latchwork/core/wire'
import { isSpoken, lasting, nothingOffered, noticesOn, said, unbroken, when, words } from './words.ts'

const view = (id: string) => {
	const found = kioskExamples.get(id)
	assert.ok(found, id)
	return found
}

test('times are those of the site, by its own calendar day', () => {
	const berlin = view('attract')
	assert.equal(when(Date.UTC(2026, 0, 7, 17, 0), berlin), 'today\u00a018:00')
	assert.equal(when(Date.UTC(2026, 0, 7, 22, 59), berlin), 'today\u00a023:59')
	assert.equal(when(Date.UTC(2026, 0, 7, 23, 0), berlin), 'tomorrow\u00a000:00')
	assert.equal(when(Date.UTC(2026, 0, 6, 22, 59), berlin), 'yesterday\u00a023:59')
	assert.equal(when(Date.UTC(2026, 0, 9, 17, 0), berlin), 'Friday 9 January, 18:00')
	const tokyo = { ...berlin, bank: { ...berlin.bank, timeZone: 'Asia/Tokyo' } }
	assert.equal(when(Date.UTC(2026, 0, 7, 17, 0), tokyo), 'tomorrow\u00a002:00')
})

test('a day that is an hour short or long is still one day', () => {
	const spring = { ...view('attract'), now: Date.UTC(2026, 2, 28, 12, 0) }
	assert.equal(when(Date.UTC(2026, 2, 29, 16, 0), spring), 'tomorrow\u00a018:00')
	const autumn = { ...spring, now: Date.UTC(2026, 9, 24, 12, 0) }
	assert.equal(when(Date.UTC(2026, 9, 25, 17, 0), autumn), 'tomorrow\u00a018:00')
})

test('durations in seconds and minutes', () => {
	assert.deepEqual([0, 999, 12_345, 60_000, 130_000, -5].map(lasting), ['0 s', '0 s', '12 s', '1 min', '2 min 10 s', '0 s'].map(unbroken))
})

test('every screen says something, and no code or name is spoken', () => {
	for (const [id, example] of kioskExamples) {
		const text = said(example)
		assert.match(text, /^\p{Lu}.*[.?]$/u, `${id}: ${text}`)
		assert.doesNotMatch(text, /INC-|LN-|undefined|null|NaN/, id)
		assert.doesNotMatch(text, /!/, `${id}: no exclamation marks`)
	}
})

test('what is spoken at a door says which, where, what to do and what if not, and changes with what is known', () => {
	const heard = (id: string, part: object = {}) => {
		const example = view(id)
		return said({ ...example, screen: { ...example.screen, ...part } as typeof example.screen })
			.replaceAll('\u00a0', ' ')
			.replaceAll('\u2011', '-')
	}
	const place = 'Second column from the left, second door from the bottom.'
	const errand = 'Take laptop LT-0418 and its charger. Then push the door until it clicks.'
	assert.equal(heard('open'), `Door 12 is open. ${place} ${errand}`)
	assert.equal(heard('open-deposit'), `Door 12 is open. ${place} Put in laptop LT-0418 and its charger. Then push the door until it clicks.`)
	assert.equal(heard('open-taken'), 'Laptop LT-0418 is out. Push the door until it clicks.')
	assert.equal(heard('open-wrong-item'), 'Noted. Leave it inside. Push the door until it clicks.')
	assert.equal(heard('open-wrong-item', { contentChanged: true }), 'Noted. Put it back inside. Push the door until it clicks.')
	assert.equal(heard('open-empty'), 'Noted: it is empty. Push the door until it clicks.')
	assert.equal(heard('open-occupied'), 'Noted. Leave it inside and keep your item with you. Push the door until it clicks.')
	assert.equal(heard('open-stuck'), 'The sensor says that door 12 is open. Pull it. Still stuck? Help desk +49 30 5550 142.')
	assert.equal(heard('open-prompt'), `Door 12 is still open. ${place} ${errand}`)
	assert.equal(heard('open-staff'), `Door 12 is still open and is noted for staff. ${place} ${errand}`)
	assert.equal(heard('open-alarm'), `Door 12 counts as left open. ${place} Push the door until it clicks.`)
	assert.equal(
		heard('needs-help'),
		'We are not sure about door 12. A person looks at it before anybody uses it again. Push the door until it clicks.',
	)
	assert.doesNotMatch(heard('needs-help-occupied'), /Push/, 'it is shut')
})

test('a lock may take a moment; only later is it asked whether the door opened', () => {
	const opening = view('opening')
	assert.match(said(opening), /^Door 12 is opening\. /)
	assert.equal(said(opening, opening.now + 2000), 'Still shut? Push the door lightly. Then touch “It did not open”.')
	assert.equal(said(view('opening-slow')), said(opening, opening.now + 2000))
})

test('a wait after wrong PINs is said once, and its end is said', () => {
	const wait = view('pin-wait')
	assert.match(said(wait), /You can type again in 16\u00a0s\./)
	assert.equal(said(wait, wait.now + 7000), said(wait), 'no ticking')
	assert.equal(said(wait, wait.now + 16_000), words.pin.wrong)
})

test('what is about a door or ends a try is spoken unasked', () => {
	for (const id of [
		'open',
		'opening',
		'not-opened',
		'no-change',
		'confirm',
		'needs-help',
		'done',
		'denied-unknown-credential',
		'bank-full',
		'parcels-strange',
	])
		assert.ok(isSpoken(view(id).screen), id)
	for (const id of ['attract', 'pin', 'choose', 'parcels', 'help']) assert.equal(isSpoken(view(id).screen), false, id)
})

test('who is offered nothing is told why, or whom to ask, and never to touch', () => {
	assert.equal(said(view('choose-denied')), 'This is not set up for you. The help desk can set it up or tell you who can.')
	assert.deepEqual(nothingOffered(view('choose-out').screen as never, view('choose-out').bank), words.refused.reasons['nothing-available'])
	assert.match(said(view('choose-denied-both')), /^Nothing can be taken or returned now\. The help desk can tell you why: \+49/, 'two reasons')
	assert.equal(said(view('choose-return')), `${words.choose.title} Return LT\u20110418.`, 'one of two can be touched')
})

test('banners fit their screen: they name doors, nothing twice, and no way to start where nobody can', () => {
	const texts = (id: string) => noticesOn(view(id)).map(([, text]) => text)
	assert.deepEqual(texts('attract-forced'), [
		'Door 3 was opened without permission. Please tell the help desk: +49\u00a030\u00a05550\u00a0142.',
		'The badge reader does not answer. Use your PIN or code.',
	])
	assert.equal(texts('attract-unexplained')[0], 'Doors 3 and 20 stand open. Push them until they click.')
	assert.equal(texts('attract-left-open')[0], 'Door 12 is still open. Push it until it clicks.')
	const { screen } = view('open')
	assert.deepEqual(noticesOn({ ...view('attract-forced'), screen, notices: ['reader-lost'] }), [['reader-lost', 'The badge reader does not answer.']])
	assert.deepEqual(texts('out-of-service'), [], 'all doors are lost, not some')
	assert.deepEqual(texts('open-alarm'), [], 'the screen is about that door')
	const two = { ...view('open-alarm'), standing: [{ number: 12, why: 'left-open' } as const, { number: 7, why: 'left-open' } as const] }
	assert.deepEqual(noticesOn(two), [['door-left-open', 'Door 7 is still open. Push it until it clicks.']], 'another door is')
	const three = { ...view('attract-unexplained'), standing: [3, 7, 20].map((number) => ({ number, why: 'unexplained' as const })) }
	assert.match(noticesOn(three)[0]?.[1] ?? '', /^Doors 3, 7 and 20 stand open/)
	assert.equal(noticesOn({ ...two, screen: view('attract').screen, standing: [] })[0]?.[1], 'A door is still open. Push it until it clicks.')
})

test('the sentence of the timer follows the ladder, and claims no sound that the page does not make', () => {
	assert.equal(words.door.calm('12 s', '30 s'), 'Open for 12 s. No hurry, we remind you at 30 s.')
	assert.equal(words.door.prompt('45 s', '2 min'), 'Open for 45 s. From 2 min on it is noted for staff.')
	assert.equal(words.door.prompt('45 s', undefined), 'Open for 45 s. It is soon noted for staff.')
	assert.doesNotMatch(words.door.staff('3 min', '5 min') + words.door.alarm('6 min'), /alarm/)
})

/** Whoever only listens, from the badge to the receipt: the sentences in their order, and nothing else. */
test('the script of a whole loan can be followed by ear', () => {
	const loan = ['attract', 'choose', 'opening', 'open', 'open-taken', 'done'].map((id) =>
		said(view(id)).replaceAll('\u00a0', ' ').replaceAll('\u2011', '-'),
	)
	assert.deepEqual(loan, [
		'How do you want to start? Hold your badge to the reader next to this screen, show your QR code, or choose PIN.',
		'What would you like to do? Borrow a laptop.',
		'Door 12 is opening. Second column from the left, second door from the bottom.',
		'Door 12 is open. Second column from the left, second door from the bottom. Take laptop LT-0418 and its charger. Then push the door until it clicks.',
		'Laptop LT-0418 is out. Push the door until it clicks.',
		'You have laptop LT-0418. Bring it back by today 18:00.',
	])
})

test('a drop-off and a pick-up can be followed by ear, and where the parcels of an order differ is said', () => {
	const heard = (...ids: string[]) => ids.map((id) => said(view(id)).replaceAll('\u00a0', ' ').replaceAll('\u2011', '-'))
	const place = 'Second column from the left, second door from the bottom.'
	assert.deepEqual(
		heard(
			'choose-parcels',
			'parcels-one',
			'parcels-strange',
			'opening-parcel',
			'open-drop-off',
			'open-too-small',
			'no-change-drop-off',
			'done-drop-off',
		),
		[
			'What would you like to do? Collect order 1042. Drop off. Take out overdue parcels. Borrow a laptop.',
			'Which parcel do you put in? Touch it, or hold its label to the scanner. Order 1042.',
			'This label is of no parcel that is expected here. Try another label, or touch the parcel.',
			`Door 12 is opening. ${place}`,
			`Door 12 is open. ${place} Put in order 1042. Then push the door until it clicks.`,
			'Noted: it does not fit. Keep it with you. Push the door until it clicks. A larger door opens then.',
			'Nothing was put in. Door 12 was opened and shut, and it is still empty.',
			'Order 1042 is in. 6 more are expected.',
		],
	)
	assert.deepEqual(heard('attract-codes', 'pin-code', 'open-pick-up', 'done-pick-up', 'denied-not-ready'), [
		'How do you want to start? Hold your badge to the reader next to this screen, show your QR code, or type your PIN or pick-up code.',
		'Type your PIN or pick-up code. A pick-up code has eight digits. You can also show its QR code to the scanner.',
		`Door 12 is open. ${place} Take order 1043, 2 of 3. Then push the door until it clicks.`,
		'You have order 1043, 2 of 3. One more door holds something for you.',
		'Your order is not here yet. Your code is right. It works as soon as the order has been put in.',
	])
})
