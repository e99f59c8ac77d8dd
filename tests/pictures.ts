import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { startBrowser } from './browser/browser.ts'
import { buildWebIfStale } from './house/web-build.ts'
import { openFor } from './scenarios/hands.ts'
import { type Site, startSite } from './scenarios/site.ts'

/** `npm run pictures`: takes the pictures of the documents from the product as it is now. Look at them before they are committed. */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

interface Picture {
	readonly viewport: { readonly width: number; readonly height: number }
	/** Pixels of the file for one of the page: a kiosk's screen is larger than a page of text is wide. */
	readonly scale: number
	/** Shows the moment: `door` is the one that has just swung open. */
	readonly show: (page: Page, site: Site, door: number) => Promise<void>
}

const heading = (page: Page, name: string) => page.getByRole('heading', { name, exact: true }).waitFor()

const PICTURES: Readonly<Record<string, Picture>> = {
	'kiosk-door-open.png': {
		viewport: { width: 1920, height: 1080 },
		scale: 2 / 3,
		async show(page, { ready }, door) {
			await page.goto(ready.kiosk)
			await heading(page, `Door ${door} is open`)
		},
	},
	'virtual-bank.png': {
		viewport: { width: 1440, height: 900 },
		scale: 1,
		async show(page, { ready }, door) {
			await page.goto(ready.virtual)
			await heading(page, `Door ${door}`)
		},
	},
	'console-bank-map.png': {
		viewport: { width: 1440, height: 1000 },
		scale: 1,
		async show(page, { ready, bank }, door) {
			await page.goto(`${ready.console}banks/${bank}?door=${door}`)
			await page.getByLabel('E-mail address').fill(ready.admin?.email ?? '')
			await page.getByLabel('Password').fill(ready.admin?.password ?? '')
			await page.keyboard.press('Enter')
			await heading(page, `Door ${door}`)
			// Names of people come a moment after the records that speak of them.
			await page.waitForTimeout(1_500)
		},
	},
}

/** One moment for all of them: a laptop is being borrowed, its door has just swung open. */
async function borrow(site: Site): Promise<number> {
	const { door } = await openFor(site, 0, 'borrow')
	await site.fault({ compartment: door.number === 16 ? 17 : 16, stuckLock: true })
	for (const end = Date.now() + 10_000; Date.now() < end; ) {
		const { items } = await site.api<{ items: { number: number; live: { door: string } }[] }>('GET', `/v1/compartments?bank=${site.bank}&limit=200`)
		if (items.some((one) => one.number === door.number && one.live.door === 'open')) break
		await new Promise((later) => setTimeout(later, 50))
	}
	await site.freeze()
	return door.number
}

async function take(browser: Browser, site: Site, name: string, { viewport, scale, show }: Picture, door: number): Promise<void> {
	const page = await browser.newPage({ viewport, deviceScaleFactor: scale, colorScheme: 'light', reducedMotion: 'reduce' })
	await show(page, site, door)
	await page.screenshot({ path: `${ROOT}docs/images/${name}` })
	process.stdout.write(`docs/images/${name}\n`)
	await page.close()
}

async function main(): Promise<void> {
	const wrong = buildWebIfStale(ROOT, (text) => process.stdout.write(`${text}\n`))
	if (wrong !== undefined) throw new Error(wrong)
	const site = await startSite({ server: true, args: ['--virtual-clock'] })
	const browser = await startBrowser()
	try {
		const door = await borrow(site)
		for (const [name, picture] of Object.entries(PICTURES)) await take(browser, site, name, picture, door)
	} finally {
		await browser.close()
		await site.stop()
	}
}

await main()
