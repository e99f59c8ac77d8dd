import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { leave } from '../scenarios/hands.ts'
import { eventually, type Site, startSite } from '../scenarios/site.ts'
import { problemsOf } from './accessibility.ts'
import { startBrowser } from './browser.ts'
import { signIn, visit } from './console-pages.ts'

/** A site as a user starts it, with its console in a browser and badges held to its reader. */
describe('badges, given in the console', () => {
	let site: Site
	let browser: Browser
	let page: Page
	before(async () => {
		const [started, launched] = await Promise.all([startSite({ server: true }), startBrowser()])
		site = started
		browser = launched
		page = await (await browser.newContext({ viewport: { width: 1280, height: 900 }, reducedMotion: 'reduce' })).newPage()
		await page.goto(site.ready.console ?? assert.fail('no console'))
		await signIn(page, site.ready.admin ?? assert.fail('nobody to sign in as'))
		await page.locator('#page-content').waitFor()
	})
	after(async () => {
		await browser?.close()
		await site?.stop()
	})
	const go = (path: string) => visit(page, new URL(path, site.ready.console).href)
	const newPerson = async (name: string, email: string) => {
		const { id } = await site.api<{ id: string }>('POST', '/v1/users', { name, email })
		const { items } = await site.api<{ items: { id: string; code: string }[] }>('GET', '/v1/groups')
		await site.api('PUT', `/v1/groups/${items.find(({ code }) => code === 'staff')?.id}/members/${id}`)
		return id
	}
	/** A badge is known as soon as its bundle is there, or by asking the server. */
	const isKnown = (number: string) =>
		eventually(
			async () => {
				await site.badge(number)
				const { screen } = await site.until((v) => v.screen.name === 'choose' || v.screen.name === 'denied', 'an answer to the badge')
				if (screen.name === 'choose') await leave(site)
				else {
					await site.act({ kind: 'back' })
					await site.screen('attract')
				}
				return screen.name
			},
			(name) => name === 'choose',
			`the badge ${number} to be known`,
		)

	test('a badge is read at the kiosk, compared, given, and opens the choices there', async () => {
		const id = await newPerson('Nora Feld', 'nora@example.org')
		await go(`/people/${id}`)
		await page.getByRole('button', { name: 'Add a badge…' }).click()
		const dialog = page.getByRole('dialog')
		const bank = await site.api<{ name: string }>('GET', `/v1/banks/${site.bank}`)
		await dialog.getByLabel('At which kiosk?').selectOption(bank.name)
		await dialog.getByRole('button', { name: 'Read at a kiosk' }).click()
		await dialog.getByText(`Hold the badge to the reader of ${bank.name}`).waitFor()
		assert.equal((await site.screen('badge-reading')).state, 'waiting')
		await site.badge('211-4711')
		await dialog.getByText('reported 26 bits').waitFor()
		assert.equal((await site.screen('badge-reading')).state, 'read')
		await dialog.getByRole('button', { name: 'Read at a kiosk' }).click()
		await site.until(({ screen }) => screen.name === 'badge-reading' && screen.state === 'waiting', 'another badge asked for')
		await site.badge('211-4711')
		await site.until(({ screen }) => screen.name === 'badge-reading' && screen.state === 'read', 'the badge read')
		await dialog.getByText('reported 26 bits').waitFor()
		await site.act({ kind: 'finish' })
		await dialog.getByText('The same card elsewhere').click()
		await dialog.getByText('211-4711', { exact: true }).waitFor()
		assert.deepEqual(await problemsOf(page), [], 'the dialog')
		await dialog.getByRole('button', { name: 'Add it' }).click()
		await dialog.waitFor({ state: 'detached' })
		await isKnown('211-4711')
	})

	test('nobody holds a badge there, or somebody is at the kiosk: the dialog says so', async () => {
		const id = await newPerson('Ole Krog', 'ole@example.org')
		await go(`/people/${id}`)
		await page.getByRole('button', { name: 'Add a badge…' }).click()
		const dialog = page.getByRole('dialog')
		const bank = await site.api<{ name: string }>('GET', `/v1/banks/${site.bank}`)
		await dialog.getByLabel('At which kiosk?').selectOption(bank.name)
		await dialog.getByRole('button', { name: 'Read at a kiosk' }).click()
		await site.screen('badge-reading')
		await site.act({ kind: 'finish' })
		await dialog.getByText('No badge was held to the reader.').waitFor()
		await site.badge('211-4711')
		await site.screen('choose')
		await dialog.getByRole('button', { name: 'Read at a kiosk' }).click()
		await dialog.getByText('Somebody is at that kiosk.').waitFor()
		await leave(site)
		await page.keyboard.press('Escape')
	})

	test('a badge that is lost: reported at the kiosk by PIN it opens nothing anywhere within seconds, and whoever shows it is a task for staff', async () => {
		const { items: people } = await site.api<{ items: { id: string; name: string }[] }>('GET', '/v1/users?search=nora')
		const [{ id = '' } = {}] = people
		const { site: at } = await site.api<{ site: string }>('GET', `/v1/banks/${site.bank}`)
		const { pin } = await site.api<{ pin: string }>('POST', '/v1/credentials', { kind: 'pin', user: id, site: at })
		await eventually(
			async () => {
				if ((await site.view()).screen.name === 'attract') await site.act({ kind: 'start-pin' })
				await site.act({ kind: 'keys', keys: pin })
				return (await site.until(({ screen }) => screen.name !== 'asking' && (screen.name !== 'pin' || screen.wrong), 'an answer to the PIN')).screen
			},
			({ name }) => name === 'choose',
			'the PIN to be known',
		)
		await site.act({ kind: 'choose', id: 'badge-lost' })
		assert.deepEqual(await site.screen('badge-lost'), { name: 'badge-lost', badges: 1, reported: false })
		await site.act({ kind: 'confirm', done: true })
		await site.until(({ screen }) => screen.name === 'badge-lost' && screen.reported, 'the report')
		await leave(site)
		const ofNora = () => site.api<{ items: { kind: string; lostAt?: string; revokedAt?: string }[] }>('GET', `/v1/credentials?user=${id}`)
		await eventually(
			ofNora,
			({ items }) => items.some(({ kind, lostAt, revokedAt }) => kind === 'badge' && lostAt && revokedAt),
			'the server to know',
			5_000,
		)
		for (const bank of [site, site.elsewhere]) {
			const refusal = async () => {
				await bank.badge('211-4711')
				const { screen } = await bank.until((v) => v.screen.name === 'choose' || v.screen.name === 'denied', 'an answer to the badge')
				await bank.act({ kind: screen.name === 'choose' ? 'finish' : 'back' })
				await bank.screen('attract')
				return screen
			}
			// The other bank had it in its bundle for as long as the delta was on its way.
			await eventually(refusal, (screen) => screen.name === 'denied' && screen.reason === 'credential-revoked', 'the badge to be refused', 5_000)
		}
		const tasks = () => site.api<{ items: { bank: string }[] }>('GET', '/v1/tasks?kind=lost-badge-shown&open=true')
		await eventually(tasks, ({ items }) => new Set(items.map(({ bank }) => bank)).size === 2, 'a task at each bank')
		await go('/')
		await page.getByText('somebody showed a badge that is reported lost').first().waitFor()
		await go(`/people/${id}`)
		await page.getByText('Reported lost').waitFor()
	})

	test('a list of another system is taken by five cards: the preview says what is left and why, and an imported badge is known', async () => {
		await newPerson('Pia Holm', 'pia@example.org')
		await newPerson('Quin Berg', 'quin@example.org')
		await go('/people')
		await page.getByRole('link', { name: 'Badges from a list' }).click()
		await page.getByLabel('Or paste it here').fill('Who;Card\npia@example.org;20100042\nquin@example.org;20100043\nnobody@example.org;20100044')
		assert.ok(await page.getByLabel('The first line names the columns').isChecked())
		await page.getByText('3 lines.').waitFor()
		for (let n = 1; n <= 5; n++) {
			await page.getByLabel(`Card ${n}, as in the list`).fill(`201${String(n * 7).padStart(5, '0')}`)
			await page.getByRole('textbox', { name: `Card ${n}, as the reader reports it` }).fill(n === 3 ? '201-9999' : `201-${n * 7}`)
		}
		await page.getByRole('button', { name: 'What would happen?' }).click()
		await page.getByText('All cards but card 3').waitFor()
		await page.getByRole('textbox', { name: 'Card 3, as the reader reports it' }).fill('201-21')
		await page.getByRole('button', { name: 'What would happen?' }).click()
		await page.getByText('2 of 3 lines give somebody a badge.').waitFor()
		await page.getByText('facility and number in one, 26 bits').waitFor()
		await page.getByText('1 about nobody who is known here').waitFor()
		await page.getByRole('row', { name: /^4 nobody@example\.org/ }).waitFor()
		await page.getByLabel('The first line names the columns').uncheck()
		assert.equal(await page.getByRole('button', { name: 'Give 2 badges' }).count(), 0, 'what is given is what was foretold')
		await page.getByLabel('The first line names the columns').check()
		await page.getByLabel('Card 2, as in the list').fill('')
		await page.getByText('Card 2 lacks one of its two numbers.').waitFor()
		assert.ok(await page.getByRole('button', { name: 'What would happen?' }).isDisabled())
		await page.getByLabel('Card 2, as in the list').fill('20100014')
		await page.getByRole('button', { name: 'What would happen?' }).click()
		await page.getByText('2 of 3 lines give somebody a badge.').waitFor()
		assert.deepEqual(await problemsOf(page), [], 'the list')
		await page.getByRole('button', { name: 'Give 2 badges' }).click()
		await page.getByText('2 badges were given.').waitFor()
		await isKnown('201-42')
	})
})
