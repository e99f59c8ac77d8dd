import { fileURLToPath } from 'node:url'
import type { Browser, Page } from 'playwright-core'
import { startBrowser } from './browser/browser.ts'
import { buildWebIfStale } from './house/web-build.ts'
import { openFor } from './scenarios/hands.ts'
import { type Site, startSite } from './scenarios/site.ts'

/** `npm run pictures`: takes the pictures of the documents from the product as it is now. Look at them before they are committed. */
const ROOT = fileURLToPath(new URL('..', import.meta.url))

interface Picture {
	readonly page: 'kiosk' | 'virtual'
	readonly viewport: { readonly width: number; readonly height: number }
	/** Pixels of the file for one of the page: a kiosk's screen is larger than a page of text is wide. */
	readonly scale: number
}

const PICTURES: Readonly<Record<string, Picture>> = {
	'kiosk-door-open.png': { page: 'kiosk', viewport: { width: 1920, height: 1080 }, scale: 2 / 3 },
	'virtual-bank.png': { page: 'virtual', viewport: { width: 1440, height: 900 }, scale: 1 },
}

/** One moment for all of them: a laptop is being borrowed, its door has just swung open. */
async function borrow(site: Site): Promise<number> {
	await site.freeze()
	const { door } = await openFor(site, 0, 'borrow')
	await site.fault({ compartment: door.number === 16 ? 17 : 16, stuckLock: true })
	return door.number
}

async function open(browser: Browser, site: Site, { page: which, viewport, scale }: Picture, door: number): Promise<Page> {
	const page = await browser.newPage({ viewport, deviceScaleFactor: scale, colorScheme: 'light', reducedMotion: 'reduce' })
	await page.goto(which === 'kiosk' ? site.ready.kiosk : site.ready.virtual)
	await page.getByRole('heading', { name: which === 'kiosk' ? `Door ${door} is open` : `Door ${door}`, exact: true }).waitFor()
	return page
}

async function main(): Promise<void> {
	const wrong = buildWebIfStale(ROOT, (text) => process.stdout.write(`${text}\n`))
	if (wrong !== undefined) throw new Error(wrong)
	const site = await startSite({ args: ['--virtual-clock'] })
	const browser = await startBrowser()
	try {
		const door = await borrow(site)
		for (const [name, picture] of Object.entries(PICTURES)) {
			const page = await open(browser, site, picture, door)
			await page.screenshot({ path: `${ROOT}docs/images/${name}` })
			process.stdout.write(`docs/images/${name}\n`)
		}
	} finally {
		await browser.close()
		await site.stop()
	}
}

await main()
