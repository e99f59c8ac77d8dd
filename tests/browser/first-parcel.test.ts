import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import type { Browser, Page } from 'playwright-core'
import { type Site, startSite } from '../scenarios/site.ts'
import { startBrowser } from './browser.ts'

/** A parcel by hand: staff bring one, its recipient types the code on the page; the other is collected by its picture. */
describe('the first parcel in a browser', () => {
	let site: Site
	let browser: Browser
	let bank: Page
	let kiosk: Page

	before(async () => {
		const [started, launched] = await Promise.all([startSite({ args: ['--virtual-clock'] }), startBrowser()])
		site = started
		browser = launched
		const context = await browser.newContext({ viewport: { width: 1920, height: 1080 }, reducedMotion: 'reduce' })
		bank = await context.newPage()
		kiosk = await context.newPage()
		await bank.goto(site.ready.virtual)
		await kiosk.goto(site.ready.kiosk)
	})
	after(async () => {
		await browser?.close()
		await site?.stop()
	})

	const heading = (name: string | RegExp) => kiosk.getByRole('heading', { level: 1, name })
	const touch = (name: string | RegExp) => kiosk.getByRole('button', { name }).first().click()
	const press = (name: string | RegExp) => bank.getByRole('button', { name, exact: true }).first().click()
	const parcel = (expected: boolean) => site.ready.parcels.find((p) => p.expected === expected) ?? assert.fail('no such demo parcel')

	async function openDoor(): Promise<void> {
		await heading(/^Door \d+ is open$/).waitFor()
		const door = /\d+/.exec((await heading(/^Door \d+ is open$/).textContent()) ?? '')?.[0]
		await bank.getByRole('heading', { name: `Door ${door}`, exact: true }).waitFor()
	}

	test('staff drop a parcel off, and the code that is typed on the page collects it', async () => {
		const { order, tag, code } = parcel(true)
		await press('Tap badge')
		await touch(/^Drop off/)
		await heading('Which parcel do you put in?').waitFor()
		await touch(new RegExp(`^${order}`))
		await openDoor()
		await press(`Put ${tag} in`)
		await kiosk
			.getByText(/ is in\./)
			.first()
			.waitFor()
		await press('Push shut')
		await heading(/^Order.1042 is in$/).waitFor()
		await touch('Finish')

		await touch(/^PIN or code/)
		await heading('Type your PIN or pick-up code').waitFor()
		for (const digit of code) await kiosk.getByRole('button', { name: digit, exact: true }).click()
		await openDoor()
		await press(`Take ${tag}`)
		await press('Push shut')
		await heading(/^You have order.1042$/).waitFor()
		await touch('Finish')
	})

	test('a code shown as a picture collects what waits; shown again it has been used', async () => {
		await heading('How do you want to start?').waitFor()
		const row = bank.getByRole('listitem').filter({ hasText: parcel(false).order })
		await row.getByRole('button', { name: 'Show QR' }).click()
		await openDoor()
		await press(`Take ${parcel(false).tag}`)
		await press('Push shut')
		await heading(/^You have order.1043$/).waitFor()
		await touch('Finish')
		await heading('How do you want to start?').waitFor()
		await row.getByRole('button', { name: 'Show QR' }).click()
		await heading('This code has been used').waitFor()
	})
})
