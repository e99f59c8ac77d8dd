import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Id } from '@latchwork/core/base'
import type { Page } from 'playwright-core'
import { problemsOf, sidewaysOf, violationsOf } from './accessibility.ts'
import { type ConsoleSite, signIn, startConsole, visit } from './console-pages.ts'

describe('the console', () => {
	let site: ConsoleSite
	let { api, tenant, edge, openAs } = {} as ConsoleSite
	let page: Page

	const door = (number: number): Id<'compartment'> => {
		const found = edge.doors.get(number)
		assert.ok(found, `door ${number}`)
		return found
	}
	const heading = (name: string | RegExp, on = page) => on.getByRole('heading', { level: 1, name }).waitFor()
	const go = (path: string, on = page) => visit(on, api.url + path)
	const bookDelivery = async (label: string) => {
		const body = { bank: tenant.bank, label, lines: [{ size: 'S', tag: 'PX-1' }] }
		const { body: made } = await api.ask('POST', '/v1/deliveries', { token: tenant.owner.token, body })
		await api.sign(tenant.id)
		return made.delivery as { id: string; number: string }
	}

	before(async () => {
		site = await startConsole()
		;({ api, tenant, edge, openAs } = site)
		await edge.tell(
			...[...edge.doors.values()].flatMap((subject) => [
				{ type: 'door.closed' as const, subject, data: {} },
				{ type: 'compartment.returned-to-service' as const, subject, data: { content: 'empty' } },
			]),
		)
		page = await openAs(tenant.owner)
	})
	after(() => site?.close())

	test('whoever can sign in, without any role, finds their own badges and reports one as lost', async () => {
		const person = await api.person(tenant)
		const given = { kind: 'badge', user: person.id, number: '88-1234' }
		const { body: badge } = await api.ask('POST', '/v1/credentials', { token: tenant.owner.token, body: given })
		const own = await openAs(person)
		await heading('Your badges and PINs', own)
		assert.deepEqual(await problemsOf(own), [])
		await own.getByRole('button', { name: 'I have lost it…' }).click()
		const dialog = own.getByRole('dialog')
		assert.deepEqual(await problemsOf(own), [], 'the dialog')
		await dialog.getByRole('button', { name: 'Report it' }).click()
		await own.getByText('Reported lost').waitFor()
		assert.equal(await own.getByRole('button', { name: 'I have lost it…' }).count(), 0)
		const after = await api.ask('GET', `/v1/credentials/${badge.id}`, { token: tenant.owner.token })
		assert.ok(after.body.lostAt && after.body.revokedAt)
		await own.context().close()
		await page.getByRole('link', { name: /Signed in as/ }).click()
		await heading('Your badges and PINs')
		await page.getByText('You have no badge and no PIN.').waitFor()
	})

	test('a wrong password is refused in words; a session that ends leads back to the place where one was', async () => {
		const stranger = await site.browser.newContext()
		const other = await stranger.newPage()
		await other.goto(`${api.url}/banks/${tenant.bank}?door=14`)
		assert.equal(await other.getByLabel('Organisation').count(), 0)
		await signIn(other, { ...tenant.owner, password: 'not the password' })
		assert.match((await other.getByRole('alert').textContent()) ?? '', /name the one that you mean/)
		await other.getByLabel('Organisation').fill('fernholt group')
		const sent = other.waitForRequest('**/v1/sign-ins')
		await signIn(other, tenant.owner)
		assert.equal((await sent).postDataJSON().tenant, 'fernholt group')
		await heading('Lobby', other)
		await stranger.clearCookies()
		await other.getByRole('link', { name: 'Events' }).click()
		await heading('Sign in', other)
		await other.getByText('Your session has ended.').waitFor()
		await signIn(other, tenant.owner)
		await heading('Events', other)
		await other.getByRole('button', { name: 'Sign out' }).click()
		await heading('Sign in', other)
		assert.equal(await other.getByText('Your session has ended.').count(), 0)
		await stranger.close()
	})

	test('the title of the overview says what needs a person, and a task is settled with a reason', async () => {
		await go('/')
		await heading('Nothing needs a person')
		await edge.tell({ type: 'task.created', subject: door(9), data: { kind: 'check-compartment', why: 'ambiguous' } })
		await heading('One thing needs a person')
		await page.getByText('Door 9, Lobby: look inside').waitFor()
		await page.getByRole('button', { name: 'Done…' }).click()
		await page.getByText('Door 9, Lobby: look inside. What you choose is recorded with your name.').waitFor()
		await page.getByRole('button', { name: 'Record it' }).click()
		assert.ok(await page.getByRole('dialog').isVisible(), 'nothing is recorded that nobody chose')
		await page.getByLabel('I looked. All is in order.').check()
		await page.getByRole('button', { name: 'Record it' }).click()
		await heading('Nothing needs a person')
	})

	test('the map follows the bank without a reload: colour, word, list and panel say the same', async () => {
		await go(`/banks/${tenant.bank}`)
		const button = page.locator('[data-door="14"]')
		await page.getByRole('button', { name: /^Door 14 Free ?, medium, third column from the left/ }).waitFor()
		await button.click()
		const panel = page.getByRole('complementary', { name: 'Door 14' })
		assert.match((await panel.textContent()) ?? '', /DoorClosed/)
		await edge.tell(
			{ type: 'door-session.releasing', subject: 'ses_test', data: { compartment: door(14), act: 'collect' } },
			{ type: 'door-session.opened', subject: 'ses_test', data: { compartment: door(14) } },
		)
		await page.locator('[data-door="14"].st-open').waitFor()
		await page.getByRole('button', { name: /^Door 14 Open/ }).waitFor()
		await panel.getByText(/^Open for/).waitFor()
		await panel.getByText('Door opened').waitFor()
		await page.getByRole('button', { name: /^Open 1$/ }).click()
		assert.ok(await page.locator('[data-door="14"].fade').count(), 'what is switched off in the legend fades')
		await page.getByRole('button', { name: /^Open 1$/ }).click()
		await button.focus()
		await page.keyboard.press('ArrowRight')
		const next = await page.evaluate(() => document.activeElement?.getAttribute('data-door'))
		assert.ok(next !== null && next !== '14', 'an arrow walks to another door')
		assert.equal(await page.locator('[data-door][tabindex="0"]').count(), 1, 'the drawing is one stop of the Tab key')
		await page.keyboard.press('l')
		await page.getByRole('row', { name: /^14 Open/ }).waitFor()
	})

	test('a door is opened from afar with a reason, and the steps are shown until the bank says how it ended', async () => {
		await go(`/banks/${tenant.bank}?door=12`)
		await page.locator('[data-door="12"]').focus()
		await page.keyboard.press('o')
		const dialog = page.getByRole('dialog', { name: 'Open door 12, Lobby' })
		await dialog.waitFor()
		assert.equal(await dialog.locator('input:checked').count(), 0, 'no reason is chosen for anybody')
		let orders = 0
		page.on('request', (request) => void (request.url().endsWith('/v1/door-sessions') && orders++))
		await page.keyboard.press('Enter')
		await dialog.locator('input:invalid').first().waitFor()
		assert.equal(orders, 0, 'a door is not opened without a reason')
		await dialog.getByLabel('I want to see what is inside.').check()
		const asked = page.waitForResponse((answer) => answer.url().endsWith('/v1/door-sessions'))
		await dialog.getByRole('button', { name: 'Open the door' }).click()
		const command = (await (await asked).json()) as { id: Id<'command'>; reason: string }
		assert.equal(command.reason, 'check-content')
		await dialog.getByText('Waiting for the bank…').waitFor()
		await edge.answer(command.id, 'sent')
		await edge.answer(command.id, 'accepted')
		await dialog.getByText('The door has not been seen to open yet.').waitFor()
		await edge.tell(
			{ type: 'door-session.releasing', subject: 'ses_twelve', data: { compartment: door(12), act: 'inspect' } },
			{ type: 'door-session.opened', subject: 'ses_twelve', data: { compartment: door(12) } },
		)
		await dialog.getByText('The door is open.').waitFor()
		await edge.tell(
			{ type: 'door-session.closed', subject: 'ses_twelve', data: { compartment: door(12) } },
			{ type: 'door-session.no-change', subject: 'ses_twelve', data: { compartment: door(12) } },
		)
		await edge.answer(command.id, 'done', 'no-change')
		await dialog.getByText('Done: nothing changed inside.').waitFor()
		assert.equal(await dialog.locator('.progress .done').count(), 4)
		await dialog.getByText('Recorded as').getByRole('link').waitFor()
		await page.keyboard.press('Escape')
		await dialog.waitFor({ state: 'hidden' })
	})

	test('a door that does not open is never called open, and no step that happened is taken back', async () => {
		await go(`/banks/${tenant.bank}?door=11&open=true`)
		const dialog = page.getByRole('dialog')
		await dialog.getByLabel('I want to see what is inside.').check()
		const asked = page.waitForResponse((answer) => answer.url().endsWith('/v1/door-sessions'))
		await dialog.getByRole('button', { name: 'Open the door' }).click()
		const { id } = (await (await asked).json()) as { id: Id<'command'> }
		await edge.answer(id, 'sent')
		await edge.answer(id, 'accepted')
		await dialog.getByText('The door has not been seen to open yet.').waitFor()
		await edge.answer(id, 'failed', 'not-opened')
		await dialog.getByText('The door did not open.').waitFor()
		assert.equal(await dialog.locator('.progress .done').count(), 4)
		await page.keyboard.press('Escape')
	})

	test('a forced door is drawn open and called forced; the overview says so', async () => {
		await go(`/banks/${tenant.bank}?door=16`)
		await edge.tell(
			{ type: 'door.forced', subject: door(16), data: { severity: 'high' } },
			{ type: 'compartment.quarantined', subject: door(16), data: { why: 'forced' } },
			{ type: 'task.created', subject: door(16), data: { kind: 'check-compartment', why: 'forced' } },
		)
		await page.locator('[data-door="16"].st-alarm .swing').waitFor()
		await page.getByRole('button', { name: /^Door 16 Forced, open/ }).waitFor()
		await page.getByText(/1 forced, open/).waitFor()
		await go('/')
		await page.getByText('Door 16, Lobby was forced open').waitFor()
		await page.getByRole('button', { name: 'Done…' }).click()
		await page.getByLabel('There was nothing to do.').check()
		await page.getByRole('button', { name: 'Record it' }).click()
		await page.getByText('Door 16, Lobby was forced and stands open').waitFor()
		await heading('One thing needs a person')
	})

	test('a lock board that falls silent needs a person, and its doors are not free', async () => {
		await edge.tell({ type: 'board.returned', subject: 'bus-a/0', data: { compartments: [door(1), door(2)] } })
		const free = page.locator('.kpi .v').first()
		const before = Number.parseInt((await free.textContent()) ?? '', 10)
		await edge.tell({ type: 'board.lost', subject: 'bus-a/0', data: { compartments: [door(1), door(2)] } })
		await page.getByText('Lobby: 1 lock board does not answer').waitFor()
		await page.getByText('2 doors cannot be seen, and none of them opens.').waitFor()
		assert.equal(Number.parseInt((await free.textContent()) ?? '', 10), before - 2)
		await heading('Two things need a person')
		await edge.tell({ type: 'board.returned', subject: 'bus-a/0', data: { compartments: [door(1), door(2)] } })
		await heading('One thing needs a person')
	})

	test('a server that keeps the connection and says nothing is noticed: nothing old looks present', async () => {
		const beats = page.evaluate(
			() => new Promise<string>((resolve) => new EventSource('/v1/events/stream').addEventListener('beat', ({ type }) => resolve(type))),
		)
		const came = beats.then(() => true)
		// The feed begins some time after it was asked for.
		while (!(await Promise.race([came, api.clock.advance(5_000).then(() => page.evaluate(() => false))])));
		const theirs = await openAs(tenant.owner)
		await theirs.clock.install()
		await go(`/banks/${tenant.bank}`, theirs)
		await theirs.locator('.chip').getByText('Online').waitFor()
		await theirs.route('**/v1/events/stream**', () => {})
		await theirs.clock.fastForward(20_000)
		await theirs.getByText('Nothing is heard from the server.').waitFor()
		await theirs.locator('.chip').getByText('Not known now').waitFor()
		await theirs.unrouteAll({ behavior: 'ignoreErrors' })
		await theirs.clock.fastForward(20_000)
		await theirs.locator('.chip').getByText('Online').waitFor()
		await theirs.context().close()
	})

	test('a controller’s machine is let in by a token, or the refusal is said in words; who may not do it is not offered it', async () => {
		await go(`/banks/${tenant.bank}`)
		const row = page.getByRole('row', { name: /^Lobby controller/ })
		await row.getByText('Connected', { exact: true }).waitFor()
		await row.getByRole('button', { name: 'Claim token…' }).click()
		await page.getByRole('button', { name: 'Make a token' }).click()
		// This server has no device port.
		assert.match((await page.getByRole('dialog').getByRole('alert').textContent()) ?? '', /device port/)
		await page.keyboard.press('Escape')
		await page.getByRole('dialog').waitFor({ state: 'hidden' })
		// A machine that is there needs no code.
		assert.equal(await row.getByRole('button', { name: 'Claim code…' }).count(), 0)
		await edge.heard(false)
		await go(`/banks/${tenant.bank}`)
		await row.getByRole('button', { name: 'Claim code…' }).click()
		await page.getByRole('button', { name: 'Make a code' }).click()
		await page.getByText(/^[0-9]{5} [0-9]{5}$/).waitFor()
		assert.deepEqual(await problemsOf(page), [], 'the dialog')
		await page.keyboard.press('Escape')
		await page.getByRole('dialog').waitFor({ state: 'hidden' })
		await edge.heard(true)
	})

	test('a site gets another key: it is said what ends and who gets it when, and seen to arrive; where controllers keep it is chosen with what it costs', async () => {
		const person = await api.person(tenant)
		const given = await api.ask('POST', '/v1/credentials', { token: tenant.owner.token, body: { kind: 'pin', user: person.id, site: tenant.site } })
		assert.equal(given.status, 201, given.text)
		await edge.heard(true, 'L0')
		await go('/banks')
		await page.getByRole('link', { name: 'Key of HQ' }).press('Enter')
		await heading('HQ')
		const row = page.getByRole('row', { name: /^Lobby/ })
		await row.getByText('Not yet').waitFor()
		await page.getByText('0 of 1 bank has its present key. Waiting for Lobby.').waitFor()
		await edge.obeys()
		await row.getByText('Has it').waitFor()
		await row.getByText('On its disk (L0)').waitFor()

		await page.getByRole('button', { name: 'Give it another key…' }).press('Enter')
		const dialog = page.getByRole('dialog')
		await dialog.getByText('Badges and pick-up codes go on. Nobody enrols again.').waitFor()
		await dialog.getByText('1 PIN of this site ends.').waitFor()
		assert.deepEqual(await problemsOf(page), [], 'the dialog of the key')
		await page.keyboard.press('Escape')
		await dialog.waitFor({ state: 'hidden' })
		await edge.heard(false)
		await go(`/sites/${tenant.site}`)
		await page.getByRole('button', { name: 'Give it another key…' }).press('Enter')
		await dialog.getByText('Lobby is away, and goes on by the present key until back.').waitFor()
		await dialog.getByRole('button', { name: 'Give it another key' }).press('Enter')
		await page.getByText('The site has another key. 1 PIN has ended: give new ones where they are needed.').waitFor()
		await row.getByText('It is away, and goes on by the key before until it is back.').waitFor()
		await edge.heard(true, 'L0')
		await edge.obeys()
		await row.getByText('Has it').waitFor()
		await page.getByText('Its bank has the present key.').waitFor()

		await page.getByRole('button', { name: 'Change…' }).press('Enter')
		await dialog.getByLabel(/^In memory alone/).check()
		await dialog.getByText('The site gets another key, which is on no disk. Badges and codes go on.').waitFor()
		assert.deepEqual(await problemsOf(page), [], 'the dialog of the level')
		await dialog.getByRole('button', { name: 'Choose it' }).press('Enter')
		await page.getByText('A box that starts without its network stays shut, for returns, too').waitFor()
		await page.getByText('Chosen for this site.').waitFor()
		// What was asked for is not yet what the box does.
		await row.getByText('On its disk (L0)').waitFor()
		await edge.heard(true, 'L1')
		await edge.obeys()
		await row.getByText('In memory (L1)').waitFor()
		await page.getByRole('link', { name: 'Lobby' }).first().click()
		await page.getByRole('link', { name: 'In memory (L1)' }).click()
		await heading('HQ')
		const settings = `/v1/settings?site=${tenant.site}`
		const { body } = await api.ask('GET', settings, { token: tenant.owner.token })
		await api.ask('PATCH', settings, { token: tenant.owner.token, version: body.version, body: { siteKeyInMemory: null } })

		const technician = await api.person(tenant)
		const role = { user: technician.id, role: 'technician', scope: { kind: 'site', id: tenant.site } }
		assert.equal((await api.ask('POST', '/v1/role-assignments', { token: tenant.owner.token, body: role })).status, 201)
		const theirs = await openAs(technician)
		await go(`/sites/${tenant.site}`, theirs)
		await theirs.getByRole('button', { name: 'Give it another key…' }).waitFor()
		await theirs.getByText('Nobody chose otherwise.').waitFor()
		assert.equal(await theirs.getByRole('button', { name: 'Change…' }).count(), 0, 'who may not choose is not offered it')
		await theirs.context().close()
	})

	test('a compartment goes out of use with a reason and comes back', async () => {
		await go(`/banks/${tenant.bank}?door=3`)
		await page.getByRole('button', { name: 'Out of use…' }).click()
		await page.getByLabel('It must be cleaned.').check()
		await page.getByRole('button', { name: 'Take out of use' }).click()
		await page.locator('[data-door="3"].st-out-of-use').waitFor()
		await page.getByText('Out of use: dirty.').waitFor()
		await page.getByRole('button', { name: 'Back in use' }).click()
		await page.locator('[data-door="3"]:not(.st-out-of-use)').waitFor()
	})

	test('a delivery is booked, its code is shown once, and it is found by its number', async () => {
		await go('/cases/new')
		await page.getByLabel('What is it?').fill('Order 4711')
		await page.getByLabel('Somebody without an account').check()
		await page.getByRole('button', { name: 'Book it' }).click()
		await heading(/is booked/)
		assert.match((await page.locator('.secret-text').textContent()) ?? '', /^\d{4} \d{4}/)
		await page.getByRole('link', { name: 'See the delivery' }).click()
		await heading('Order 4711')
		await page.keyboard.press('Control+k')
		await page.getByRole('combobox').fill('DL-')
		await page.getByRole('option', { name: /Order 4711/ }).click()
		await heading('Order 4711')
		await page.getByRole('button', { name: 'Recall…' }).click()
		await page.getByLabel('The sender asks for it.').check()
		await page.getByRole('button', { name: 'Recall it' }).click()
		await page.getByRole('button', { name: 'Recall…' }).waitFor({ state: 'hidden' })
		await api.sign(tenant.id)
		const list = page.locator('.steps')
		for (const step of ['Space kept', 'Cancelled']) await list.getByText(step).waitFor()
		const steps = await list.locator('li').allInnerTexts()
		assert.deepEqual(
			steps.map((text) => text.split('\n').at(-2)),
			['Booked', 'Space kept', 'Cancelled'],
			'no step is shown that never happened',
		)
	})

	test('one clock: wherever the reader is, times are those of the site, and more time is given in them', async () => {
		const { id } = await bookDelivery('Order 1043')
		const abroad = await openAs(tenant.owner, { timezoneId: 'America/New_York', locale: 'en-US' })
		const format = new Intl.DateTimeFormat('en-GB', { timeZone: 'Europe/Berlin', hour: '2-digit', minute: '2-digit' })
		const berlin = format.format(api.clock.now())
		for (const path of ['/events', '/cases', `/cases/${id}`, `/people/${tenant.owner.id}`]) await go(path, abroad)
		await go('/events', abroad)
		await abroad.getByText('Times of Berlin.').waitFor()
		assert.match(
			(await abroad
				.getByRole('row', { name: /Delivery booked/ })
				.first()
				.locator('time')
				.textContent()) ?? '',
			new RegExp(berlin),
		)
		await go('/', abroad)
		await abroad.getByText('(Times of Berlin)').waitFor()
		assert.match((await abroad.locator('.title .lead').textContent()) ?? '', new RegExp(`${berlin} \\(Times of Berlin\\)`))

		await go(`/cases/${id}`, abroad)
		await abroad.getByRole('button', { name: 'Recall…' }).waitFor()
		assert.equal(await abroad.getByRole('button', { name: 'Extend…' }).count(), 0, 'before it has come there is no time to extend')
		// As if it had been put in.
		const until = new Date(Date.now() + 2 * 86_400_000).toISOString()
		await abroad.route(`**/v1/cases/${id}`, async (route) => {
			const answer = await route.fetch()
			const body = await answer.json()
			await route.fulfill({ response: answer, json: { ...body, state: 'ready', dueAt: until, deadlines: { 'collect-by': until } } })
		})
		const sent = abroad.waitForRequest('**/extensions')
		await go(`/cases/${id}`, abroad)
		await abroad.getByRole('button', { name: 'Extend…' }).click()
		await abroad.getByText(/Times at HQ\.$/).waitFor()
		assert.equal(await abroad.getByLabel('Until what time?').inputValue(), format.format(Date.parse(until)))
		await abroad.getByLabel('Until what time?').fill('18:00')
		await abroad.getByRole('button', { name: 'Extend', exact: true }).click()
		const asked = new Date((await sent).postDataJSON().until)
		assert.equal(asked.toLocaleString('sv', { timeZone: 'Europe/Berlin' }).slice(11, 16), '18:00')
		assert.equal(
			asked.toLocaleDateString('sv', { timeZone: 'Europe/Berlin' }),
			new Date(Date.parse(until) + 86_400_000).toLocaleDateString('sv', { timeZone: 'Europe/Berlin' }),
			'a day later is proposed',
		)
		await abroad.context().close()
	})

	test('the records of a case are proven in the browser; a damaged proof, entry or checkpoint is refused', async () => {
		const { id } = await bookDelivery('Order 1042')
		const verify = async (how: (proof: { entry: string; proof: string[]; checkpoint: string }) => void) => {
			await page.route('**/proof', async (route) => {
				const answer = await route.fetch()
				const proof = await answer.json()
				how(proof)
				await route.fulfill({ response: answer, json: proof })
			})
			await go(`/cases/${id}`)
			await page
				.getByRole('link', { name: /^Record / })
				.first()
				.waitFor()
			await page.getByRole('button', { name: /^Verify \d/ }).click()
			const chip = page.locator('.chip').filter({ hasText: /proven|refused/ })
			await chip.waitFor()
			await page.unrouteAll({ behavior: 'wait' })
			return (await chip.textContent()) ?? ''
		}
		const flipped = (text: string) => (text.startsWith('A') ? 'B' : 'A') + text.slice(1)
		assert.match(await verify(() => {}), /^(\d+) of \1 proven$/)
		const picture = page.getByRole('img', { name: /^Record [\d ]+ and \d+ hashes lead to the signed root/ })
		const told = Number(/(\d+) hashes/.exec((await picture.getAttribute('aria-label')) ?? '')?.[1])
		assert.equal(await picture.locator('circle.tree-rest').count(), told, 'the picture has as many hashes as the proof')
		assert.deepEqual(await violationsOf(page), [])
		assert.match(await verify((one) => one.proof.splice(0, 1, flipped(one.proof[0] ?? ''))), /refused/)
		await page.getByText('The record is not in the signed log.').waitFor()
		assert.match(await verify((one) => Object.assign(one, { checkpoint: one.checkpoint.replace(/^(\S+\n)(\d+)/, '$19$2') })), /refused/)
		await page.getByText('The checkpoint is not signed by the log’s key.').waitFor()
		const forged = Buffer.from(JSON.stringify({ type: 'delivery.booked', subject: id, data: {} })).toString('base64')
		assert.match(await verify((one) => Object.assign(one, { entry: forged })), /refused/)
		await page.getByText('The proof is about another record than the one shown.').waitFor()
		assert.match(await verify(() => {}), /^(\d+) of \1 proven$/)
	})

	test('a code is shown again after a question, and the timeline says who looked', async () => {
		const { id } = await bookDelivery('Order 1044')
		await go(`/cases/${id}`)
		await page.getByRole('button', { name: 'Show the code…' }).click()
		await page.getByText('That you looked will stand in the timeline.').waitFor()
		await page.getByRole('button', { name: 'Show it' }).click()
		assert.match((await page.locator('.secret-text').textContent()) ?? '', /^\d{4} \d{4}/)
		await page.keyboard.press('Escape')
		await api.sign(tenant.id)
		await page.getByRole('heading', { name: 'Pick-up code shown' }).waitFor()
	})

	test('the commands that export the log can be typed as they stand, with a token that does nothing else', async () => {
		await go('/events')
		await page.getByRole('button', { name: 'Make a token for it' }).click()
		const commands = page.locator('pre.code')
		await commands.getByText(/LATCHWORK_TOKEN=lw_[\w-]{20}/).waitFor()
		const token = /LATCHWORK_TOKEN=(\S+)/.exec((await commands.textContent()) ?? '')?.[1]
		assert.equal((await api.ask('GET', '/v1/audit/checkpoints', { token })).status, 200)
		assert.equal((await api.ask('GET', '/v1/cases', { token })).status, 403)
	})

	test('a log that shows another key than before is refused', async () => {
		await page.route('**/log.vkey', (route) => route.fulfill({ body: 'log.example+00000000+AAAA' }))
		await go('/events')
		await page
			.getByRole('button', { name: /^Verify record/ })
			.first()
			.click()
		await page.getByText('The log shows another key than before. Tell an auditor.').waitFor()
		await page.unrouteAll({ behavior: 'wait' })
	})

	test('a person is added and found; a badge is added, a PIN is shown once, a badge is revoked after a question', async () => {
		await go('/people')
		await page.getByRole('button', { name: 'Add a person' }).click()
		await page.getByRole('dialog').getByLabel('Name').fill('Ada Berg')
		await page.getByRole('dialog').getByRole('button', { name: 'Add' }).click()
		await heading('Ada Berg')
		await go('/people')
		await page.getByPlaceholder('Name or e-mail address').fill('ada')
		await page.getByRole('link', { name: 'Ada Berg' }).click()
		await heading('Ada Berg')
		await page.getByRole('button', { name: 'Add a badge…' }).click()
		await page.getByLabel('Number on the badge').fill('1048576')
		await page.getByRole('button', { name: 'Add it' }).click()
		await page.getByRole('row', { name: /^Badge/ }).waitFor()
		// The card was lost: the next one ends it, and ends by itself.
		await page.getByRole('button', { name: 'Add a badge…' }).click()
		await page.getByLabel('Number on the badge').fill('1048577')
		await page.getByLabel('Does it take the place of another badge?').selectOption({ index: 1 })
		await page.getByLabel('How hard is it to copy?').selectOption('high')
		await page.getByLabel('Until').fill('2099-06-01T18:00')
		await page.getByRole('button', { name: 'Add it' }).click()
		await page.getByRole('row', { name: /^Badge.*Revoked/ }).waitFor()
		await page.getByRole('row', { name: /^Badge proven at each tap.*2099.*Valid/ }).waitFor()
		await page.getByRole('button', { name: 'New PIN…' }).click()
		await page.getByRole('button', { name: 'Draw a PIN' }).click()
		assert.match((await page.locator('.secret-text').textContent()) ?? '', /^[\d ]{4,}$/)
		await page.keyboard.press('Escape')
		await page.getByRole('row', { name: /^PIN/ }).waitFor()
		await page
			.getByRole('row', { name: /^Badge/ })
			.getByRole('button', { name: 'Revoke…' })
			.click()
		await page.getByRole('button', { name: 'Revoke it' }).click()
		await page.getByRole('row', { name: /^Badge proven at each tap.*2099.*Revoked/ }).waitFor()
	})

	test('a one-time code is given for a bank and some hours, shown once with its picture, and taken back', async () => {
		await go(`/people/${tenant.owner.id}`)
		const codes = page.getByRole('region', { name: 'One-time codes' })
		await codes.getByText('For somebody who has no badge with them').waitFor()
		await codes.getByRole('button', { name: 'Give a code…' }).click()
		const dialog = page.getByRole('dialog')
		await dialog.getByLabel('For how long?').selectOption('2')
		await dialog.getByRole('button', { name: 'Make the code' }).click()
		assert.match((await page.locator('.secret-text').textContent()) ?? '', /^\d{4} \d{4} \d{4} \d{4}$/)
		await dialog.getByRole('img', { name: 'The same code as a QR picture' }).waitFor()
		assert.deepEqual(await violationsOf(page), [])
		await page.keyboard.press('Escape')
		await codes.getByRole('row', { name: /Valid/ }).waitFor()
		await codes.getByRole('button', { name: 'Take back…' }).click()
		assert.deepEqual(await violationsOf(page), [])
		await dialog.getByRole('button', { name: 'Take it back' }).click()
		await codes.getByRole('row', { name: /Taken back/ }).waitFor()
	})

	test('what is known of a person is changed field by field, and a limit is taken away again', async () => {
		const staff = await api.person(tenant)
		const read = async () => (await api.ask('GET', `/v1/users/${staff.id}`, { token: tenant.owner.token })).body
		await go(`/people/${staff.id}`)
		const save = async (fields: Record<string, string>) => {
			await page.getByRole('button', { name: 'Edit…' }).click()
			for (const [label, text] of Object.entries(fields)) await page.getByRole('dialog').getByLabel(label).fill(text)
			await page.getByRole('button', { name: 'Save' }).click()
			await page.getByRole('dialog').waitFor({ state: 'detached' })
		}
		const before = await read()
		await save({ Name: 'Grace Lund', Telephone: '+49 30 1234', 'Loans at a time': '2', 'Without the server, minutes': '15' })
		await heading('Grace Lund')
		await page.getByText('At most 15 minutes').waitFor()
		const { name, email, phone, maxLoans, offlineMinutes, version } = await read()
		assert.deepEqual([name, email, phone, maxLoans, offlineMinutes], ['Grace Lund', before.email, '+49 30 1234', 2, 15])
		await save({ 'Loans at a time': '', 'Without the server, minutes': '', Telephone: '' })
		await page.getByText('As the settings say').waitFor()
		const after = await read()
		assert.deepEqual([after.maxLoans, after.offlineMinutes, after.phone], [undefined, undefined, undefined])
		// Nothing was changed, so nothing is sent.
		await save({})
		assert.equal((await read()).version, version + 1)
		await page.getByRole('button', { name: 'Edit…' }).click()
		await page.getByRole('dialog').getByLabel('Telephone').fill('call me')
		await page.getByRole('button', { name: 'Save' }).click()
		await page.getByRole('dialog').getByText('must be a telephone number').waitFor()
		await page.keyboard.press('Escape')
	})

	test('events come by themselves, and wait while the list is paused', async () => {
		await go('/events')
		await page.getByRole('button', { name: 'Pause' }).click()
		await edge.tell({ type: 'door.closed', subject: door(14), data: {} })
		await page.getByText(/new events? waits?/).waitFor()
		await page.getByRole('button', { name: 'Go on' }).click()
		await page
			.getByRole('row', { name: /Door closed by itself/ })
			.first()
			.waitFor()
		await edge.tell({ type: 'door.stuck', subject: door(2), data: { failures: 3 } })
		await page.getByRole('row', { name: /Door stuck/ }).waitFor()
	})

	test('the roles of a person are shown to those who may see them, also those that come by a group', async () => {
		const clerk = await api.person(tenant, { role: 'desk-staff', scope: { kind: 'site', id: tenant.site } })
		const ask = async (method: string, path: string, body?: unknown) => (await api.ask(method, path, { token: tenant.owner.token, body })).body
		const group = await ask('POST', '/v1/groups', { code: 'night-shift', name: 'Night shift' })
		await ask('PUT', `/v1/groups/${group.id}/members/${clerk.id}`)
		await ask('POST', '/v1/role-assignments', { role: 'auditor', group: group.id, scope: { kind: 'tenant' } })
		await go(`/people/${clerk.id}`)
		const roles = page.getByRole('region', { name: 'Roles' })
		await roles.getByText('Auditor').waitFor()
		assert.deepEqual(await roles.getByRole('listitem').allTextContents(), ['Desk staffHQ', 'AuditorEverywhere · by the group Night shift'])
		const theirs = await openAs(await api.person(tenant, { role: 'desk-staff' }))
		await go(`/people/${clerk.id}`, theirs)
		await theirs.getByRole('region', { name: 'Groups' }).waitFor()
		assert.equal(await theirs.getByRole('region', { name: 'Roles' }).count(), 0)
		await theirs.context().close()
	})

	test('who may see little is offered little: no rooms, no buttons, no names', async () => {
		const technician = await api.person(tenant, { role: 'technician' })
		const theirs = await openAs(technician)
		await go(`/banks/${tenant.bank}?door=12`, theirs)
		const side = theirs.getByRole('navigation', { name: 'Console' })
		assert.deepEqual(await side.getByRole('listitem').allTextContents(), ['Banks', 'Events'])
		assert.equal(await theirs.getByRole('button', { name: 'Out of use…' }).count(), 0)
		await theirs.getByRole('button', { name: 'Open…' }).waitFor()
		await go('/people', theirs)
		await theirs.getByText('You may not see this.').first().waitFor()
		await theirs.context().close()
	})

	test('the first stop of the Tab key skips to the page', async () => {
		await go('/cases')
		await page.keyboard.press('Tab')
		assert.equal(await page.evaluate(() => document.activeElement?.textContent), 'Skip to the page')
		await page.keyboard.press('Enter')
		assert.equal(await page.evaluate(() => document.activeElement?.id), 'page-content')
	})

	test('somebody else collects: a code of their own is shown once, and taken back', async () => {
		const { id } = await bookDelivery('Order 3000')
		await go(`/cases/${id}`)
		await page.getByRole('button', { name: 'Somebody else collects…' }).click()
		const dialog = page.getByRole('dialog')
		await dialog.getByLabel('Who is that?').fill('M… K…')
		await dialog.getByRole('button', { name: 'Make their code' }).click()
		await dialog.getByText(/^\d{4} \d{4}/).waitFor()
		assert.deepEqual(await violationsOf(page), [])
		await page.keyboard.press('Escape')
		await page.getByText('M… K… may collect it.').waitFor()
		await page.getByRole('button', { name: 'Take the code of M… K… back' }).click()
		await page.getByText('M… K… may collect it.').waitFor({ state: 'detached' })
	})

	test('an address that is no room says so, and one of a program gets a problem document', async () => {
		await go('/nowhere/at/all')
		await heading('There is no such page.')
		await go('/cases/cas_019b8d62-7a80-7fd9-b653-59d58b87641e')
		await heading('There is no such case')
		for (const [path, words] of [
			['/banks/bnk_nope', 'There is no such bank'],
			['/sites/sit_nope', 'There is no such site'],
			[`/banks/${'x'.repeat(200)}`, 'There is no such bank'],
			['/roles/rol_nope', 'There is no such role'],
			['/policies/pol_nope', 'There is no such policy'],
			['/people/nobody', 'There is no such person'],
		] as const) {
			await go(path)
			await heading(words)
			assert.deepEqual(await problemsOf(page), [], words)
		}
		await go('/cases?bank=nope')
		await page.getByText('There is nothing here. The address may be mistyped').waitFor()
		await go('/people/nobody')
		await page.getByRole('link', { name: 'All people' }).click()
		await heading('People')
		const { status, body } = await api.ask('GET', '/v1/nowhere', { token: tenant.owner.token, headers: { accept: 'text/html' } })
		assert.deepEqual([status, body.code], [404, 'not-found'])
	})

	test('no page has a finding of axe, in light and dark, or scrolls sideways at 320 px', async () => {
		const { id } = await bookDelivery('Order 2000')
		const paths = [
			'/',
			'/banks',
			`/sites/${tenant.site}`,
			`/banks/${tenant.bank}?door=14`,
			`/banks/${tenant.bank}?door=14&view=list`,
			'/cases',
			`/cases/${id}`,
			'/cases/new',
		]
		for (const path of [...paths, '/people', `/people/${tenant.owner.id}`, '/events', `/banks/${tenant.bank}?door=12&open=true`]) {
			await go(path)
			await page.getByText('Loading…').first().waitFor({ state: 'hidden' })
			assert.deepEqual(await problemsOf(page), [], path)
		}
	})

	test('on a phone no table hides a column: a row is a card, and each value stands beside its word', async () => {
		const { id } = await bookDelivery('Order 2001')
		await page.setViewportSize({ width: 320, height: 640 })
		for (const path of ['/cases', `/cases/${id}`, `/sites/${tenant.site}`, '/people', `/people/${tenant.owner.id}`, '/events']) {
			await go(path)
			await page.getByText('Loading…').first().waitFor({ state: 'hidden' })
			const hidden = await page.evaluate(() =>
				[...document.querySelectorAll('table :is(td, tbody th)')]
					.filter((cell) => cell.getBoundingClientRect().right > innerWidth)
					.map((cell) => cell.outerHTML),
			)
			assert.deepEqual(hidden, [], path)
		}
		await go('/cases')
		const bank = page.locator('td', { hasText: /^Lobby$/ }).first()
		assert.equal(await bank.evaluate((cell) => getComputedStyle(cell, '::before').content), '"Bank"')
		await page.setViewportSize({ width: 1440, height: 900 })
	})

	test('letters of twice the size: nothing scrolls sideways, and the map keeps the room that it needs', async () => {
		await page.setViewportSize({ width: 1280, height: 800 })
		for (const path of ['/', '/banks', `/banks/${tenant.bank}?door=14`]) {
			await go(path)
			await page.evaluate(() => {
				document.documentElement.style.fontSize = '200%'
			})
			assert.equal(await sidewaysOf(page), 0, path)
		}
		const [card, crumb] = [await page.locator('.bank-cols > .card').first().boundingBox(), await page.locator('.crumbs li').last().boundingBox()]
		assert.ok(card && card.width > 700, `the drawing’s card is ${card?.width} px wide`)
		assert.ok(crumb && crumb.width >= 64, 'where one is can be read')
	})

	test('a bank of 200 doors with a long name is drawn whole at 1280 px, and no crumb lies over another', async () => {
		const cell = (number: number) => ({ kind: 'door', number, size: 'M', accessible: false, heightMm: 90 })
		const columns = Array.from({ length: 10 }, (_, c) => ({ widthMm: 300, cells: Array.from({ length: 20 }, (_, r) => cell(c * 20 + r + 1)) }))
		const name = 'A bank whose name somebody typed without thinking about the width of any screen at all, and then some more of it'
		const body = { site: tenant.site, helpPhone: '110', name, layout: { columns } }
		const made = await api.ask('POST', '/v1/banks', { token: tenant.owner.token, body })
		assert.equal(made.status, 201, made.text)
		await page.setViewportSize({ width: 1280, height: 800 })
		await go(`/banks/${made.body.id}?door=37`)
		await page.locator('[data-door="200"]').waitFor()
		const hidden = await page
			.locator('.cabinet')
			.evaluate(({ parentElement }) => (parentElement?.scrollWidth ?? 0) - (parentElement?.clientWidth ?? 0))
		assert.ok(hidden <= 0, `${hidden} px of the drawing are out of sight`)
		await page.getByRole('navigation', { name: 'You are here' }).getByText(name).waitFor()
		const crumbs = await page
			.locator('.crumb')
			.evaluateAll((all) => all.map((one) => one.getBoundingClientRect()).map(({ left, right }) => [left, right]))
		for (const [i, [left = 0]] of crumbs.entries()) assert.ok(i === 0 || left >= (crumbs[i - 1]?.[1] ?? 0), `crumb ${i} lies over the one before`)
	})

	test('at 320 px a door that is chosen shows its panel, and the open menu makes nothing scroll sideways', async () => {
		await page.setViewportSize({ width: 320, height: 640 })
		await go(`/banks/${tenant.bank}`)
		await page.locator('[data-door="14"]').click()
		await page.getByRole('heading', { name: 'Door 14' }).waitFor()
		const box = await page.getByRole('heading', { name: 'Door 14' }).boundingBox()
		assert.ok(box && box.y >= 0 && box.y < 640, `its panel begins at ${box?.y} px`)
		assert.equal(await page.locator('p.keys').isVisible(), false, 'no keys on a phone')
		await page.getByRole('button', { name: 'Menu' }).click()
		await page.locator('.side.open').waitFor()
		assert.equal(await sidewaysOf(page), 0)
		await page.keyboard.press('Escape')
		await page.setViewportSize({ width: 1440, height: 900 })
	})

	test('a held door says why, what to do and where; a stuck one says it once', async () => {
		await edge.tell(
			{ type: 'door.stuck', subject: door(20), data: { failures: 2 } },
			{ type: 'compartment.taken-out-of-service', subject: door(20), data: { why: 'stuck' } },
		)
		await go(`/banks/${tenant.bank}?door=20`)
		const panel = page.getByRole('complementary', { name: 'Door 20' })
		await panel.getByText('The lock was pulsed more than once, and the door did not move.').waitFor()
		await panel.getByText('latchwork edge settle 20 nothing').waitFor()
		assert.equal(await panel.getByText('Stuck', { exact: true }).count(), 1)
		assert.equal(await panel.getByText('Stuck.', { exact: true }).count(), 0)
	})

	test('axe does find what is wrong: the control', async () => {
		await go('/')
		await page.evaluate(() => document.querySelector('#page-content')?.insertAdjacentHTML('beforeend', '<button></button>'))
		const [found, ...more] = await violationsOf(page)
		assert.match(found ?? '', /^button-name: /)
		assert.deepEqual(more, [])
	})
})
