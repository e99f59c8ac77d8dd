import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { cedarEngine } from '@latchwork/edge/policy-engine'
import { sql } from '@latchwork/server/store'
import type { Page } from 'playwright-core'
import { problemsOf, violationsOf } from './accessibility.ts'
import { type ConsoleSite, startConsole, visit } from './console-pages.ts'

/** The rooms about who may open what, on the real API with the engine that banks decide with. */
describe('policies and decisions in the console', () => {
	let site: ConsoleSite
	let { api, tenant, edge, openAs } = {} as ConsoleSite
	let page: Page
	let ada: string
	const ask = async (method: string, path: string, body?: unknown) => {
		const answer = await api.ask(method, path, { token: tenant.owner.token, body })
		assert.ok(answer.status < 300, `${method} ${path}: ${answer.status} ${answer.text}`)
		return answer.body
	}
	const go = (path: string, on = page) => visit(on, api.url + path)
	const dialog = () => page.getByRole('dialog')
	const heading = (name: string) => page.getByRole('heading', { level: 1, name }).waitFor()

	before(async () => {
		site = await startConsole({ engine: cedarEngine })
		;({ api, tenant, edge, openAs } = site)
		const staff = await ask('POST', '/v1/groups', { code: 'staff', name: 'Staff' })
		ada = (await ask('POST', '/v1/users', { name: 'Ada Berg', offlineMinutes: 15 })).id
		await ask('POST', '/v1/credentials', { kind: 'badge', user: ada, number: '41001' })
		await ask('PUT', `/v1/groups/${staff.id}/members/${ada}`)
		const type = await ask('POST', '/v1/asset-types', { code: 'laptop-14', name: 'Laptop' })
		const asset = await ask('POST', '/v1/assets', { type: type.id, tag: 'LT-1', bank: tenant.bank, compartment: edge.doors.get(5) })
		await edge.tell(
			{ type: 'compartment.occupied', subject: edge.doors.get(5) ?? '', data: { item: asset.id } },
			{
				type: 'decision.allowed',
				subject: 'dec_019b8d62-7a80-7fd9-b653-59d58b87641e',
				actor: ada as `sub_${string}`,
				data: {
					rules: ['laptops/s1:staff:laptop-14'],
					policyVersion: 1,
					bundleVersion: 1,
					inputsDigest: '0'.repeat(64),
					method: 'badge',
					assurance: 'low',
					offline: false,
					stale: false,
					action: 'collect',
					asset: asset.id,
					workflow: 'loan',
					openLoans: 0,
					overdue: false,
				},
			},
		)
		await api.sign(tenant.id)
		page = await openAs(tenant.owner)
	})
	after(() => site?.close())

	test('a policy begins as a sentence, is checked at once, and holds when it is published', async () => {
		await go('/policies')
		await page.getByText('There is no policy yet.').waitFor()
		await page.getByRole('button', { name: 'New policy…' }).click()
		await dialog().getByLabel('Name').fill('Laptops')
		await dialog().getByRole('checkbox', { name: 'Staff' }).check()
		await dialog().getByRole('checkbox', { name: 'Laptop' }).check()
		await dialog().getByRole('button', { name: 'Make the draft' }).click()
		await heading('Laptops')
		await page.getByText('People in Staff may take a Laptop.').waitFor()
		await page.getByText('It can be read, and each of its rules is about somebody').waitFor()
		assert.match(
			(await page.getByRole('region', { name: 'Cedar text' }).last().textContent()) ?? '',
			/permit \(\s*principal in Latchwork::Group::"staff"/,
		)
		await page.getByRole('button', { name: 'Publish…' }).click()
		await dialog().getByRole('button', { name: 'Publish', exact: true }).click()
		await page.getByText(/^Version 1 is in force since/).waitFor()
		assert.equal(await page.getByRole('button', { name: 'Publish…' }).count(), 0)
	})

	test('what-if says who is refused, by what, and when it would be allowed; replay what would have changed', async () => {
		await go('/policies')
		await page.getByRole('button', { name: 'Sentence 1: Change…' }).click()
		await dialog().getByLabel('Only at certain times').check()
		for (const day of ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday']) await dialog().getByRole('checkbox', { name: day }).uncheck()
		await dialog().getByRole('checkbox', { name: 'Sunday' }).check()
		await dialog().getByRole('button', { name: 'Put it into the draft' }).click()
		await page.getByText('People in Staff may take a Laptop, Sunday, 08:00 to 18:00 at the site.').waitFor()
		const card = page.getByRole('region', { name: 'What if?' })
		await card.getByRole('button', { name: 'Decide' }).click()
		await card.getByText('Choose a person first.').waitFor()
		await card.getByLabel('Find the person by name').fill('ada')
		await card.getByLabel('Ada Berg').check()
		await card.getByLabel('When, at the site').fill('2026-01-12T10:00')
		await card.getByRole('button', { name: 'Decide' }).click()
		await card.getByRole('region', { name: 'By what is in force' }).getByText('sentence 1 of Laptops').waitFor()
		const draft = card.getByRole('region', { name: 'By the draft' })
		await draft.getByText('No rule allows it.').first().waitFor()
		await draft.getByText('from Sunday 18 January, 08:00').waitFor()
		await card.getByLabel('The bank has no network').check()
		await card.getByLabel('For how many minutes already?').fill('15')
		await card.getByRole('button', { name: 'Decide' }).click()
		const force = card.getByRole('region', { name: 'By what is in force' })
		await force.getByText('this person may not be let in for so long without the server').waitFor()
		await force.getByText('once the bank has its network again').waitFor()
		await card.getByLabel('For how many minutes already?').fill('14')
		await card.getByRole('button', { name: 'Decide' }).click()
		await force.getByRole('heading', { name: /^Allowed/ }).waitFor()
		await page.getByRole('button', { name: 'Replay' }).click()
		await page.getByRole('row', { name: /Allowed, then refused 1 1/ }).waitFor()
	})

	test('a draft that would lock everybody out is published only by somebody who says that it is meant', async () => {
		await go('/policies')
		await page.getByRole('button', { name: 'Edit the text…' }).click()
		await dialog().getByText('This draft was made in plain words.').waitFor()
		await dialog().getByLabel('Cedar text').fill('forbid (principal, action, resource')
		await dialog().getByRole('button', { name: 'Keep as draft' }).click()
		await page.getByText('Cannot be published').waitFor()
		await page.getByText('This draft is written in Cedar.').waitFor()
		await page.getByRole('button', { name: 'Edit the text…' }).click()
		await dialog().getByLabel('Cedar text').fill('forbid (principal, action, resource);')
		await dialog().getByRole('button', { name: 'Keep as draft' }).click()
		await page.getByText('Denies everybody').waitFor()
		await page.getByRole('button', { name: 'Publish…' }).click()
		await dialog().getByRole('button', { name: 'Publish', exact: true }).click()
		await dialog().getByText('nobody could take anything any more').last().waitFor()
		await dialog().getByLabel('The warnings are meant so.').check()
		await dialog().getByRole('button', { name: 'Publish', exact: true }).click()
		await page.getByText(/^Version 2 is in force since/).waitFor()
	})

	test('an earlier version comes back', async () => {
		await go('/policies')
		await page.getByRole('button', { name: 'Versions…' }).click()
		await dialog().getByRole('row', { name: /^1 / }).getByRole('button', { name: 'Bring back…' }).click()
		await dialog().getByText('@id("s1:staff:laptop-14")').waitFor()
		await dialog().getByText('It can be read, and each of its rules is about somebody').waitFor()
		await dialog().getByRole('button', { name: 'Bring it back' }).click()
		await page.getByText(/^Version 3 is in force since/).waitFor()
	})

	test('one that would lock everybody out comes back, or a policy goes, only when somebody says that it is meant', async () => {
		await go('/policies')
		await page.getByRole('button', { name: 'Versions…' }).click()
		await dialog().getByRole('row', { name: /^2 / }).getByRole('button', { name: 'Bring back…' }).click()
		await dialog().getByText('Denies everybody').waitFor()
		assert.deepEqual(await violationsOf(page), [])
		await dialog().getByRole('button', { name: 'Bring it back' }).click()
		await dialog().getByText('With acceptWarnings it is done all the same.').waitFor()
		await page.keyboard.press('Escape')
		await page.getByText(/^Version 3 is in force since/).waitFor()

		await page.getByRole('button', { name: 'Take out of force…' }).click()
		await dialog().getByText('Denies everybody').waitFor()
		await dialog().getByRole('button', { name: 'Take it out of force' }).click()
		await dialog().getByText('With acceptWarnings it is done all the same.').waitFor()
		assert.deepEqual(await violationsOf(page), [])
		await dialog().getByLabel('The warnings are meant so.').check()
		await dialog().getByRole('button', { name: 'Take it out of force' }).click()
		await page.getByText('Nothing of it is in force.').waitFor()
		// What the tests after this one need is in force again.
		await page.getByRole('button', { name: 'Versions…' }).click()
		await dialog().getByRole('row', { name: /^3 / }).getByRole('button', { name: 'Bring back…' }).click()
		await dialog().getByRole('button', { name: 'Bring it back' }).click()
		await page.getByText(/^Version 4 is in force since/).waitFor()
	})

	test('a second person approves what somebody else wrote; nobody approves their own', async () => {
		assert.equal(await page.getByRole('button', { name: 'Approve' }).count(), 0)
		const other = await openAs(await api.person(tenant, { role: 'tenant-administrator' }))
		await go('/policies', other)
		await other.getByRole('button', { name: 'Reject' }).click()
		await other.getByText('Draft, rejected').waitFor()
		await other.getByRole('button', { name: 'Approve' }).click()
		await other.getByText('Draft, approved').waitFor()
		await other.context().close()
		const reader = await openAs(await api.person(tenant, { role: 'auditor' }))
		await go('/policies', reader)
		for (const name of ['Publish…', 'Approve', 'Edit the text…', 'New policy…'])
			assert.equal(await reader.getByRole('button', { name }).count(), 0, name)
		await reader.context().close()
	})

	test('who manages one site drafts for that site, sees what is in force around it, and is offered nothing else', async () => {
		const secret = 'permit (principal in Latchwork::Group::"staff", action, resource);'
		const depot = await ask('POST', '/v1/policies', { name: 'Of the depot', code: 'depot', site: tenant.otherSite, draft: secret })
		const lead = await openAs(await api.person(tenant, { role: 'site-manager', scope: { kind: 'site', id: tenant.site } }))
		await go('/policies', lead)
		await lead.getByRole('heading', { level: 1, name: 'Laptops' }).waitFor()
		assert.equal(await lead.getByText('Of the depot').count(), 0)
		for (const name of ['Publish…', 'Approve', 'Edit the text…', 'Replay', 'Take out of force…'])
			assert.equal(await lead.getByRole('button', { name }).count(), 0, name)
		await lead.getByRole('button', { name: 'New policy…' }).click()
		const where = lead.getByRole('dialog').getByLabel('Where')
		assert.deepEqual(await where.locator('option').allTextContents(), ['HQ', 'Lobby'])
		assert.deepEqual(await violationsOf(lead), [])
		await lead.getByRole('dialog').getByLabel('Name').fill('Of HQ')
		await lead.getByRole('dialog').getByRole('checkbox', { name: 'Staff' }).check()
		await lead.getByRole('dialog').getByRole('checkbox', { name: 'Laptop' }).check()
		await lead.getByRole('dialog').getByRole('button', { name: 'Make the draft' }).click()
		await lead.getByRole('heading', { level: 1, name: 'Of HQ' }).waitFor()
		await lead.getByRole('button', { name: 'Edit the text…' }).waitFor()
		await lead.getByRole('button', { name: 'Replay' }).waitFor()
		await go(`/policies/${depot.id}`, lead)
		await lead.getByText('There is no such policy').waitFor()
		await lead.context().close()
	})

	test('a door tells who can open it, a person what they can open, and the decisions who was let in by which rule', async () => {
		await go(`/banks/${tenant.bank}?door=5`)
		await page.getByRole('button', { name: 'Who can open this?' }).click()
		await dialog()
			.getByRole('row', { name: /Ada Berg.*take something out.*a badge.*Laptops/ })
			.waitFor()
		await go(`/people/${ada}`)
		await page.getByRole('row', { name: /take a Laptop.*Lobby.*a badge.*Laptops/ }).waitFor()
		await page.getByRole('row', { name: /open from afar.*No rule allows it/ }).waitFor()
		await go('/decisions')
		await page.getByRole('row', { name: /Ada Berg.*take LT-1.*Allowed.*Laptops/ }).waitFor()
		await page.getByRole('button', { name: 'Refused' }).click()
		await page.getByText('No decision fits.').waitFor()
		assert.match(page.url(), /effect=deny/)
	})

	test('somebody without any role reads what banks said to them, why not and what would help, and who opened a door of theirs from afar', async () => {
		const person = await api.person(tenant)
		const [{ id: staff }] = (await ask('GET', '/v1/groups')).items
		await ask('PUT', `/v1/groups/${staff}/members/${person.id}`)
		const [{ id: laptop }] = (await ask('GET', '/v1/assets')).items
		const said = (n: number, more: object) => ({
			subject: `dec_019b8d62-7a80-7fd9-b653-00000000000${n}`,
			actor: person.id,
			data: {
				...{ rules: [], policyVersion: 1, bundleVersion: 1, inputsDigest: '0'.repeat(64), method: 'badge', assurance: 'low' },
				...{ offline: false, stale: false, action: 'collect', asset: laptop, workflow: 'loan', openLoans: 0, overdue: false },
				...more,
			},
		})
		await edge.tell(
			{ type: 'decision.denied', ...said(1, { reason: 'outside-hours' }) },
			{ type: 'decision.denied', ...said(2, { reason: 'overdue-block', asset: undefined, workflow: undefined, action: 'collect' }) },
			{ type: 'decision.allowed', ...said(3, { action: 'deposit' }) },
		)
		await edge.tell({ type: 'compartment.returned-to-service', subject: edge.doors.get(9) ?? '', data: { content: 'empty' } })
		const body = { bank: tenant.bank, label: 'Order 77', lines: [{ size: 'S' }], recipient: { user: person.id } }
		const { delivery } = await ask('POST', '/v1/deliveries', body)
		const change = (lines: string) =>
			api.store.write(tenant.id, (tx) =>
				tx.run(sql`UPDATE workflow_case SET body = jsonb_set(body, '{lines,0,compartment}', ${lines}::jsonb) WHERE case_id = ${delivery.id}`),
			)
		await change(JSON.stringify(edge.doors.get(9)))
		const asked = await ask('POST', '/v1/door-sessions', { compartment: edge.doors.get(9), reason: 'check-content' })
		const desk = await api.person(tenant, { role: 'desk-staff' })
		await api.ask('POST', `/v1/commands/${asked.id}/approvals`, { token: desk.token, body: { verdict: 'approved' } })
		await edge.answer(asked.id, 'done', 'committed')

		const own = await openAs(person)
		await own.getByRole('heading', { level: 1, name: 'Your badges and PINs' }).waitFor()
		await own.getByRole('row', { name: /^Bring Laptop LT-1 .*Lobby, HQ Allowed/ }).waitFor()
		await own
			.getByRole('row', { name: /^Take Laptop LT-1 .*Refused It was outside the hours in which you may\. Now it would be allowed\./ })
			.waitFor()
		await own.getByRole('row', { name: /^Take a parcel out .*Something that you have was overdue\. Bring it back first\./ }).waitFor()
		await own
			.getByRole('row', { name: /^Order 77 .*Door 9, Lobby, HQ To see what was inside\. Owner; a second person agreed: desk staff Opened/ })
			.waitFor()
		assert.deepEqual(await problemsOf(own), [])
		await own.context().close()
		// The control: nobody reads another person's.
		const other = await openAs(await api.person(tenant))
		await other.getByText('You have asked no bank for anything.').waitFor()
		await other.getByText('Nobody has opened a door of yours from afar.').waitFor()
		await other.context().close()
		await change('null')
	})

	test('a role is made, given at a place, changed and taken away; nobody gives more than they hold', async () => {
		await go('/roles')
		await heading('Auditor')
		await page.getByRole('button', { name: 'New role…' }).click()
		await dialog().getByLabel('Name').fill('Night desk')
		await dialog().getByLabel('See loans, deliveries and other cases.').check()
		await dialog().getByRole('button', { name: 'Make it' }).click()
		await heading('Night desk')
		await page.getByText('Nobody holds it.').waitFor()
		await page.getByRole('button', { name: 'Give it…' }).click()
		await dialog().getByRole('button', { name: 'Give it', exact: true }).click()
		await dialog().getByText('Choose a person first.').waitFor()
		await dialog().getByLabel('Find the person by name').fill('ada')
		await dialog().getByLabel('Ada Berg').check()
		await dialog().getByLabel('Where').selectOption('HQ')
		await dialog().getByLabel('Until').fill('2030-01-31T18:00')
		await dialog().getByRole('button', { name: 'Give it', exact: true }).click()
		await page.getByRole('row', { name: /Ada Berg HQ, until Thursday 31 January 2030, 18:00/ }).waitFor()
		await page.getByRole('button', { name: 'Change…' }).click()
		await dialog().getByLabel('See what banks allowed and refused').check()
		await dialog().getByRole('button', { name: 'Save' }).click()
		await page.getByText('decision.read').waitFor()
		await page.getByRole('button', { name: 'Remove…' }).click()
		await dialog().getByRole('button', { name: 'Remove it' }).click()
		await dialog().getByText('still held').waitFor()
		await page.keyboard.press('Escape')
		await go(`/people/${ada}`)
		await page.getByRole('button', { name: 'Take Night desk away' }).click()
		await dialog().getByRole('button', { name: 'Take it away' }).click()
		await page.getByText('No role: this person may do nothing here').waitFor()
		await page.getByRole('button', { name: 'Give a role…' }).click()
		await dialog().getByLabel('Role', { exact: true }).selectOption('Security')
		await dialog().getByLabel('Where').selectOption('Lobby')
		await dialog().getByRole('button', { name: 'Give it', exact: true }).click()
		const roles = page.getByRole('region', { name: 'Roles' })
		await roles.locator('b', { hasText: 'Security' }).waitFor()
		const reader = await openAs(await api.person(tenant, { role: 'auditor' }))
		await go('/roles', reader)
		for (const name of ['Give it…', 'New role…', 'Take away…']) assert.equal(await reader.getByRole('button', { name }).count(), 0, name)
		await reader.context().close()
	})

	test('a person gets a qualification that ends and the approval of another, and loses both again', async () => {
		await go(`/people/${ada}`)
		const card = page.getByRole('region', { name: 'Qualifications and approvals' })
		await card.getByRole('button', { name: 'Add a qualification…' }).click()
		await dialog().getByLabel('Code').fill('studio')
		await dialog().getByLabel('Until the end of this day').fill('2030-01-31')
		await dialog().getByRole('button', { name: 'Add it' }).click()
		await card.getByText('Friday 1 February').waitFor()
		await card.getByRole('button', { name: 'Approve…' }).click()
		await dialog().getByLabel('Until the end of this day').fill('2030-01-31')
		await dialog().getByRole('button', { name: 'Approve', exact: true }).click()
		await card.getByText('may take a').waitFor()
		await card.getByRole('button', { name: 'Take studio back' }).click()
		await card.getByRole('button', { name: 'Take Laptop back' }).click()
		await card.getByText('None. A policy may ask').waitFor()
		await api.sign(tenant.id)
		await page.getByRole('link', { name: 'All that is recorded' }).click()
		await page.getByText('All that is recorded of one person').waitFor()
		await page
			.getByRole('row', { name: /Ada Berg/ })
			.first()
			.waitFor()
		assert.deepEqual(await violationsOf(page), [])
		await page.getByRole('link', { name: 'Events of everybody' }).click()
		await page.getByText('Everything that happened').waitFor()
		const desk = await openAs(await api.person(tenant, { role: 'desk-staff' }))
		await go(`/people/${ada}`, desk)
		assert.equal(await desk.getByRole('link', { name: 'All that is recorded' }).count(), 0)
		await desk.context().close()
		await go(`/people/${tenant.owner.id}`)
		await card.getByRole('button', { name: 'Add a qualification…' }).waitFor()
		assert.equal(await card.getByRole('button', { name: 'Approve…' }).count(), 0, 'nobody approves of themselves')
	})

	test('an occupied compartment is opened from afar when a second person agrees on the overview', async () => {
		await go(`/banks/${tenant.bank}?door=5`)
		await page.getByRole('button', { name: 'Open…' }).click()
		await dialog().getByLabel('I take something out.').check()
		await dialog().getByRole('button', { name: 'Open the door' }).click()
		await dialog().getByText('a second person has to agree').waitFor()
		// X22: or its owner, on the phone.
		await dialog().getByText('The owner is on the phone').click()
		await dialog().getByRole('button', { name: 'Check, and open' }).click()
		await dialog().getByText('Ask for the number from the kiosk').waitFor()
		assert.equal(await dialog().getByLabel('Last four digits of their phone number').count(), 0, 'who may read it is not asked to hear it')
		await dialog().getByLabel('Number from the kiosk').fill('408 162')
		await dialog().getByRole('button', { name: 'Check, and open' }).click()
		await dialog().getByText('No case is known of what lies there').waitFor()
		await dialog().getByText('In an emergency').click()
		await dialog().getByLabel('There is fire or water.').check()
		assert.deepEqual(await violationsOf(page), [])
		const desk = await openAs(await api.person(tenant, { role: 'desk-staff' }))
		await desk.getByText('Door 5, Lobby: a second person has to agree').waitFor()
		assert.deepEqual(await violationsOf(desk), [])
		await desk.getByRole('button', { name: 'Agree' }).click()
		await desk.getByText('Door 5, Lobby: a second person has to agree').waitFor({ state: 'detached' })
		await desk.context().close()
		await dialog().getByText('Waiting for the bank…').waitFor()
		await page.keyboard.press('Escape')
		await go('/')
		assert.equal(await page.getByRole('button', { name: 'Agree' }).count(), 0)
	})

	test('all badges and PINs have a room, with what a guesser would gain; a PIN that is too short is refused with what would do', async () => {
		const made = await api.ask('POST', '/v1/users', { token: tenant.owner.token, body: { name: 'Gus' } })
		for (let n = 0; n < 3; n++) {
			const { id } = n === 0 ? made.body : (await api.ask('POST', '/v1/users', { token: tenant.owner.token, body: { name: `Gus ${n}` } })).body
			await api.ask('POST', '/v1/credentials', { token: tenant.owner.token, body: { kind: 'pin', user: id, site: tenant.site } })
		}
		await go('/credentials')
		await page.getByText('All kiosks together').waitFor()
		await page
			.getByRole('row', { name: /^Gus .*PIN/ })
			.first()
			.waitFor()
		assert.deepEqual(await violationsOf(page), [])
		await page.getByRole('button', { name: 'Change…' }).click()
		await dialog().getByLabel('Digits of a new PIN').fill('5')
		assert.deepEqual(await violationsOf(page), [])
		await dialog().getByRole('button', { name: 'Change it' }).click()
		await dialog()
			.getByText(/1 % is allowed\. Use 8 digits/)
			.waitFor()
		await dialog().getByLabel('Digits of a new PIN').fill('9')
		await dialog().getByLabel('Highest chance in a year in all, in percent').fill('1')
		await dialog().getByRole('button', { name: 'Change it' }).click()
		await dialog().waitFor({ state: 'detached' })
		await page.getByText('of 9 digits').first().waitFor()
		await page.getByText('at most 3 % at a site and 1 % in all').waitFor()
		assert.deepEqual(await problemsOf(page), [])
	})

	test('in an emergency nobody else is asked, and everybody sees it', async () => {
		await go(`/banks/${tenant.bank}?door=5`)
		await page.getByRole('button', { name: 'Open…' }).click()
		await dialog().getByLabel('Somebody stands at the door').check()
		await dialog().getByRole('button', { name: 'Open the door' }).click()
		await dialog().getByText('a second person has to agree').waitFor()
		await dialog().getByText('In an emergency').click()
		await dialog().getByLabel('A person or an animal is locked in.').check()
		await dialog().getByRole('button', { name: 'Break the glass, and open' }).click()
		await dialog().getByText('Waiting for the bank…').waitFor()
		await page.keyboard.press('Escape')
		await go('/')
		await page.getByText('Lobby: somebody opens doors alone, in an emergency').waitFor()
	})

	test('what comes from two truths stands in one inbox, says what stands of itself, and is settled with a reason', async () => {
		await go('/conflicts')
		await page.getByText('Nothing contradicts itself.').waitFor()
		await edge.tell({ type: 'task.created', subject: edge.doors.get(7) ?? '', data: { kind: 'conflict', why: 'other-moves' } })
		await go('/conflicts')
		await page.getByText('Door 7, Lobby: two truths').waitFor()
		await page.getByText('What the bank did counts').waitFor()
		assert.deepEqual(await violationsOf(page), [])
		await page.getByRole('button', { name: 'Settle…' }).click()
		await dialog().getByRole('radio').first().check()
		await dialog().getByRole('button', { name: 'Record it' }).click()
		await page.getByText('Nothing contradicts itself.').waitFor()
		await page.getByRole('button', { name: 'Settled' }).click()
		await page.getByText('Door 7, Lobby: two truths').waitFor()
	})

	test('no page has a finding of axe, in light and dark, or scrolls sideways at 320 px', async () => {
		const { id } = (await ask('GET', '/v1/policies')).items.find(({ code }: { code: string }) => code === 'laptops')
		const { id: plain } = await ask('POST', '/v1/policies', {
			code: 'parcels',
			statements: [{ kind: 'carry', groups: ['staff'], acts: ['deposit'] }, { kind: 'hours' }],
		})
		for (const path of [`/policies/${id}`, `/policies/${plain}`, '/decisions', `/people/${ada}`, '/roles/site-manager']) {
			await go(path)
			await page.getByText('Loading…').first().waitFor({ state: 'hidden' })
			await page.getByText(/^Trying the draft/).waitFor({ state: 'hidden' })
			assert.deepEqual(await problemsOf(page), [], path)
		}
		await go(`/policies/${plain}`)
		await page.getByRole('button', { name: 'Add a sentence…' }).click()
		assert.deepEqual(await violationsOf(page), [], 'the dialog of a sentence')
		await dialog().getByLabel('What it says').selectOption('storage-level')
		await dialog().getByLabel('How well the controller keeps the key of its site, at least').selectOption('2')
		assert.deepEqual(await problemsOf(page), [], 'that of a storage level')
		await dialog().getByRole('button', { name: 'Put it into the draft' }).click()
		await page.getByText('level 2 or above').waitFor()
		const { statements } = await ask('GET', `/v1/policies/${plain}`)
		assert.deepEqual(statements[2], { kind: 'storage-level', level: 2, about: { valueClass: 'high' } })
	})

	test('a box that is gone is out, and it is said what ended with it', async () => {
		await go(`/banks/${tenant.bank}`)
		const card = page.getByRole('region', { name: 'Controllers' })
		await card.getByRole('button', { name: 'Revoke…' }).click()
		await dialog()
			.getByLabel(/^The box is gone/)
			.check()
		await dialog().getByText('The site gets another key at once').waitFor()
		assert.deepEqual(await violationsOf(page), [])
		await dialog().getByRole('button', { name: 'Revoke it' }).click()
		await dialog().getByText('The site has another key. 3 PINs have ended').waitFor()
		await dialog().getByRole('button', { name: 'Close' }).last().click()
		await card.getByText('Revoked').waitFor()
	})
})
