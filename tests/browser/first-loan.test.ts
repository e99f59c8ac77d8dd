import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { type Site, startSite } from '../scenarios/site.ts'
import { violationsOf } from './accessibility.ts'
import { startBrowser } from './browser.ts'

/** The whole product as a new user meets it: real controller, real bytes, both pages in Chromium; only the metal is emulated. */
describe('the first loan in a browser', () => {
	let site: Site
	let browser: Browser
	let context: BrowserContext
	/** The hands: the page of the virtual bank. */
	let bank: Page
	let kiosk: Page
	const refusedByPolicy: string[] = []

	before(async () => {
		const [started, launched] = await Promise.all([startSite({ args: ['--virtual-clock'] }), startBrowser()])
		site = started
		browser = launched
		context = await browser.newContext({ viewport: { width: 1920, height: 1080 }, reducedMotion: 'reduce' })
		// What would be heard, written down; no machine of ours has a voice.
		await context.addInitScript(() => {
			const said: string[] = []
			Object.assign(window, { said })
			window.speechSynthesis.speak = (utterance) => void said.push(utterance.text)
		})
		bank = await context.newPage()
		kiosk = await context.newPage()
		for (const page of [bank, kiosk]) page.on('console', (said) => /Content Security Policy/.test(said.text()) && refusedByPolicy.push(said.text()))
		await bank.goto(site.ready.virtual)
		await kiosk.goto(site.ready.kiosk)
	})
	after(async () => {
		await browser?.close()
		await site?.stop()
	})

	const heading = (name: string | RegExp) => kiosk.getByRole('heading', { level: 1, name })
	const pulses = async () => (await site.metal()).reduce((sum, d) => sum + d.pulses, 0)
	const press = (name: string | RegExp) => bank.getByRole('button', { name, exact: true }).first().click()

	async function openDoor(): Promise<string> {
		await heading(/^Door \d+ is open$/).waitFor()
		return /\d+/.exec((await heading(/^Door \d+ is open$/).textContent()) ?? '')?.[0] ?? assert.fail('no door number')
	}

	/**
	 * No finding of axe on the live screen; the kiosk that the bench shows in a frame is looked at as a page of its own. A look takes
	 * its time, and a screen that goes home by itself waits for it.
	 */
	async function accessible(page: Page, screen: string): Promise<void> {
		await site.freeze()
		assert.deepEqual(await violationsOf(page, { exclude: 'iframe' }), [], screen)
		await site.run()
	}

	test('the page of the virtual bank shows the kiosk beside the doors, and neither content policy has anything to refuse', async () => {
		await bank.frameLocator('iframe').getByRole('heading', { level: 1, name: 'How do you want to start?' }).waitFor()
		assert.deepEqual(refusedByPolicy, [])
	})

	test('the kiosk in the frame leaves the keyboard to the page around it, and says nothing that the kiosk itself says already', async () => {
		const frame = (await (await bank.waitForSelector('iframe')).contentFrame()) ?? assert.fail('no frame')
		await frame.getByRole('heading', { level: 1, name: 'How do you want to start?' }).waitFor()
		const said = (page: Pick<Page, 'evaluate'>) => page.evaluate(() => (window as unknown as { said: string[] }).said)
		const field = bank.getByLabel('Another badge')
		await bank.bringToFront()
		await field.click()
		await bank.keyboard.type('123')
		await site.badge(site.ready.people[2]?.badge ?? '')
		await frame.getByRole('heading', { level: 1, name: 'What would you like to do?' }).waitFor()
		await bank.keyboard.type('456')
		await bank.keyboard.type('789')
		assert.equal(await field.inputValue(), '123456789')
		await site.act({ kind: 'choose', id: (await site.screen('choose')).choices.find((c) => c.kind === 'borrow')?.id ?? '' })
		const { door } = await site.screen('open')
		for (const page of [frame, kiosk]) await page.getByRole('heading', { level: 1, name: `Door ${door.number} is open` }).waitFor()
		await bank.keyboard.type('0')
		assert.equal(await field.inputValue(), '1234567890')
		assert.ok(
			(await said(kiosk)).some((text) => text.includes(`Door ${door.number}`)),
			'the kiosk itself speaks',
		)
		assert.deepEqual(await said(frame), [])
		await site.door(door.number, 'closed')
		await frame.getByRole('heading', { level: 1, name: 'Nothing was taken' }).waitFor()
		// Whoever clicks into the frame uses it as a kiosk.
		await frame.locator('body').click({ position: { x: 5, y: 5 } })
		await site.act({ kind: 'finish' })
		await frame.getByRole('heading', { level: 1, name: 'How do you want to start?' }).waitFor()
		await frame.waitForFunction(() => document.activeElement?.id === 'title')
		await field.fill('')
	})

	test('by hand: tap, choose, take, push shut: one pulse and a time to bring it back; later the same badge returns it', async () => {
		await heading('How do you want to start?').waitFor()
		await accessible(kiosk, 'start')
		const before = await pulses()
		await press('Tap badge')
		await kiosk.getByRole('button', { name: /^Borrow a laptop/ }).click()
		const door = await openDoor()
		await accessible(kiosk, 'door')
		await bank.getByRole('heading', { name: `Door ${door}`, exact: true }).waitFor()
		await accessible(bank, 'virtual bank')
		await press(/^Take LT-\d+$/)
		await kiosk
			.getByText(/ is out\./)
			.first()
			.waitFor()
		await press('Push shut')
		await heading(/^You have /).waitFor()
		// On the screen a tag has a hyphen that does not break.
		const tag = /LT\u2011\d+/.exec((await heading(/^You have /).textContent()) ?? '')?.[0].replace('\u2011', '-') ?? ''
		await kiosk.getByText(/^Bring it back by .*18:00\.$/).waitFor()
		await accessible(kiosk, 'done')
		assert.equal(await pulses(), before + 1)
		await kiosk.getByRole('button', { name: 'Finish' }).click()

		await press('Tap badge')
		await kiosk.getByRole('button', { name: /^Return LT.\d/ }).click()
		const into = await openDoor()
		await bank.getByRole('heading', { name: `Door ${into}`, exact: true }).waitFor()
		await press(`Put ${tag} in`)
		await kiosk
			.getByText(/ is in\./)
			.first()
			.waitFor()
		await press('Push shut')
		await heading(/ is back$/).waitFor()
		assert.equal(await pulses(), before + 2)
		await kiosk.getByRole('button', { name: 'Finish' }).click()
		await heading('How do you want to start?').waitFor()
	})

	test('by keyboard alone: PIN, arrows and Enter borrow a laptop; a page that is loaded anew shows the open door again', async () => {
		const before = await pulses()
		await heading('How do you want to start?').waitFor()
		await kiosk.bringToFront()
		await focus(/^PIN/)
		await kiosk.keyboard.press('Enter')
		await heading('Type your PIN').waitFor()
		await kiosk.keyboard.type(site.ready.people[1]?.pin ?? '')
		await heading('What would you like to do?').waitFor()
		await accessible(kiosk, 'choices')
		await kiosk.keyboard.press('ArrowDown')
		await kiosk.keyboard.press('Enter')
		const door = await openDoor()
		await kiosk.reload()
		assert.equal(await openDoor(), door)
		await site.item(Number(door), false)
		await kiosk
			.getByText(/ is out\./)
			.first()
			.waitFor()
		await site.door(Number(door), 'closed')
		await heading(/^You have /).waitFor()
		assert.equal(await pulses(), before + 1)
		await focus(/^Finish/)
		await kiosk.keyboard.press('Enter')
		await heading('How do you want to start?').waitFor()
	})

	/** Walks with Tab until what has the focus is called so. */
	async function focus(name: RegExp): Promise<void> {
		for (let i = 0; i < 40; i++) {
			const text = await kiosk.evaluate(() => document.activeElement?.textContent?.trim() ?? '')
			if (name.test(text)) return
			await kiosk.keyboard.press('Tab')
		}
		assert.fail(`Tab never reaches ${name}`)
	}
})
