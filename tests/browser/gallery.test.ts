import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { kioskExamples } from '@latchwork/core/wire'
import type { Browser, Page } from 'playwright-core'
import { violationsOf } from './accessibility.ts'
import { type Served, servePage, startBrowser } from './browser.ts'
import { lengthenWords, problemsOnScreen } from './screen-rules.ts'

/** Every screen of the kiosk, in every look and size a person may meet, held against the rules of visual-language.md §9. */
const SCREENS = [...kioskExamples.keys(), 'lost', 'starting']
/** Upright screens are low from the start; colours change no sizes, so they are looked at where there is the most to see. */
const UPRIGHT = ['theme=light', 'theme=dark', 'contrast=high', 'text=large', 'text=largest'] as const
const LOOKS = [...UPRIGHT, 'low=on', 'low=on&text=large'] as const
const SIZES = [
	{ width: 1920, height: 1080, looks: LOOKS },
	{ width: 1080, height: 1920, looks: UPRIGHT },
	{ width: 320, height: 640, looks: ['theme=light', 'text=large', 'text=largest'] },
	/** A small panel, and the same at 200 % zoom. */
	{ width: 1280, height: 800, looks: ['theme=light', 'text=large', 'low=on', 'low=on&text=large'] },
	{ width: 640, height: 400, looks: ['theme=light', 'text=large'] },
] as const

/** Refusals differ in their words only; two of them stand for all where a look at each costs seconds. */
const DIFFERENT = SCREENS.filter((id) => !id.startsWith('denied-') || id === 'denied-outside-hours' || id === 'denied-lease-expired')

/** The accessibility check is slow: one example a kind of screen. */
const KINDS = [
	...new Map([...kioskExamples].toReversed().map(([id, view]) => [view.screen.name, id])).values(),
	'pin-wait',
	'choose-ending',
	'open-alarm',
	'open-wrong-item',
	'attract-unexplained',
	'lost',
]

describe('kiosk gallery', () => {
	let served: Served
	let browser: Browser
	let page: Page
	const complaints: string[] = []

	before(async () => {
		served = await servePage('gallery')
		browser = await startBrowser()
		page = await browser.newPage({ reducedMotion: 'reduce' })
		page.on('pageerror', (error) => complaints.push(error.message))
		page.on('console', (message) => {
			if (message.type() === 'error') complaints.push(message.text())
		})
		await page.goto(served.url)
	})

	after(async () => {
		await browser.close()
		await served.close()
	})

	const show = (query: string) => page.evaluate(showInPage, `?${query}`)

	/** Shows one after the other and looks at each; in one go, as the way to the page and back costs more than a look. */
	function problemsOn(queries: readonly string[], change = () => {}): Promise<string[]> {
		const addresses = queries.map((query) => `?${query}`)
		return page.evaluate(`(${lookInPage})(${JSON.stringify(addresses)}, ${showInPage}, ${change}, ${problemsOnScreen})`)
	}

	for (const size of SIZES) {
		test(`every screen in every look keeps the rules at ${size.width} × ${size.height}`, async () => {
			await page.setViewportSize(size)
			const looks = size.looks.flatMap((look) => (look === 'theme=light' ? SCREENS : DIFFERENT).map((screen) => `screen=${screen}&${look}`))
			assert.deepEqual(await problemsOn(looks), [])
		})
	}

	for (const size of SIZES.slice(0, 2)) {
		test(`words 40 % longer still fit at ${size.width} × ${size.height}`, async () => {
			await page.setViewportSize(size)
			const queries = DIFFERENT.map((screen) => `screen=${screen}`)
			assert.deepEqual(await problemsOn(queries, lengthenWords), [])
		})
	}

	test('the doors of the drawing can be told apart in every look', async () => {
		await page.setViewportSize(SIZES[0])
		for (const look of LOOKS) {
			await show(`screen=open&${look}`)
			const [edge = '', door = '', column = ''] = await page.evaluate(() => {
				const styleOf = (part: string) => {
					const found = document.querySelector(part)
					return found && getComputedStyle(found)
				}
				return [styleOf('.bank-door')?.stroke, styleOf('.bank-door')?.fill, styleOf('.bank-column')?.fill]
			})
			const best = Math.max(contrast(door, column), edge.startsWith('rgba(') ? 0 : contrast(edge, door))
			assert.ok(best >= 3, `${look}: ${best} of ${edge} on ${door} on ${column}`)
		}
	})

	test('larger text is larger from the first screen on: all that is read or touched there grows by 1.28 and more', async () => {
		const sizes = () =>
			page.evaluate(() =>
				[...document.querySelectorAll('h1, .lead, .way b, .way .label > span, .bar .button')].map((element) =>
					Number.parseFloat(getComputedStyle(element).fontSize),
				),
			)
		for (const size of SIZES) {
			await page.setViewportSize(size)
			await show('screen=attract')
			const usual = await sizes()
			await show('screen=attract&text=large')
			const growth = (await sizes()).map((large, index) => large / (usual[index] ?? Number.NaN))
			assert.equal(growth.length, 13)
			assert.ok(Math.min(...growth) > 1.279, `${size.width}: ${growth.map((one) => one.toFixed(2)).join(' ')}`)
		}
	})

	test('the largest text, and 200 % zoom of a browser, make all that is read and pressed twice as large', async () => {
		const sizes = () =>
			page.evaluate(() =>
				[...document.querySelectorAll('.lead, .way .label > span, .bar .button')].map((element) =>
					Number.parseFloat(getComputedStyle(element).fontSize),
				),
			)
		const atLeast = (factor: number, usual: readonly number[], grown: readonly number[], what: string) => {
			assert.equal(grown.length, usual.length)
			for (const [index, size] of grown.entries())
				assert.ok(size > factor * (usual[index] ?? Number.NaN) - 0.1, `${what}: ${usual[index]} to ${size}`)
		}
		for (const { width, height } of [SIZES[0], SIZES[1], SIZES[3]]) {
			await page.setViewportSize({ width, height })
			await show('screen=attract')
			const usual = await sizes()
			await show('screen=attract&text=largest')
			atLeast(2, usual, await sizes(), `largest at ${width}`)
			if (width < height) continue
			// A browser that zooms to 200 % has half as many pixels, each twice as large.
			await page.setViewportSize({ width: width / 2, height: height / 2 })
			await show('screen=attract')
			atLeast(1, usual, await sizes(), `${width} zoomed`)
		}
	})

	test('in the smallest window nothing has to be searched: start without scrolling, and trouble at a door before its picture', async () => {
		await page.setViewportSize(SIZES[2])
		await show('screen=attract')
		assert.ok((await page.evaluate(() => document.scrollingElement?.scrollHeight ?? Number.NaN)) <= SIZES[2].height)
		await show('screen=open')
		const [bar, picture] = await page.evaluate(() => ['.bar', '.picture'].map((part) => document.querySelector(part)?.getBoundingClientRect()))
		assert.ok(bar && picture && bar.bottom <= picture.top && bar.bottom <= SIZES[2].height, JSON.stringify({ bar, picture }))
	})

	test('help at a door keeps the rules, too', async () => {
		const problems: string[] = []
		for (const { width, height, looks } of SIZES) {
			await page.setViewportSize({ width, height })
			for (const look of looks) {
				await show(`screen=open&${look}`)
				await page.getByRole('button', { name: 'Help' }).click()
				await page.getByRole('heading', { level: 1, name: 'What do you need?' }).waitFor()
				for (const problem of await page.evaluate(problemsOnScreen)) problems.push(`${width} ${look}: ${problem}`)
			}
		}
		assert.deepEqual(problems, [])
	})

	test('a screen without an example is a failure, and so are words that grow too long', async () => {
		const none = 'screen=there-is-none'
		assert.deepEqual(await problemsOn(['screen=open', none, 'screen=done']), [`?${none}: no such example`])
		await page.setViewportSize(SIZES[0])
		const longer = () => {
			for (const heading of document.querySelectorAll('h1')) heading.textContent = `${heading.textContent} `.repeat(40)
		}
		assert.deepEqual(await problemsOn(['screen=open&text=large']), [])
		assert.notDeepEqual(await problemsOn(['screen=open'], longer), [])
	})

	test('the rules see a screen that breaks them', async () => {
		await page.setViewportSize(SIZES[0])
		await show('screen=open')
		await page.evaluate(() => {
			const [first, second] = document.querySelectorAll<HTMLElement>('.bar button')
			first?.style.setProperty('font-size', '14px')
			second?.style.setProperty('min-height', '40px')
			second?.style.setProperty('height', '40px')
			document.querySelector<HTMLElement>('.lead')?.style.setProperty('padding-top', '900px')
			document.querySelector<HTMLElement>('h1')?.style.setProperty('margin-left', '3000px')
		})
		const problems = await page.evaluate(problemsOnScreen)
		for (const rule of [/target/, /text of 14 px/, /sideways|heading/, /covers|out of the screen/])
			assert.ok(
				problems.some((problem) => rule.test(problem)),
				`${rule} in ${problems.join('; ')}`,
			)
		await show('screen=choose-ending')
		await page.evaluate(() => document.querySelector<HTMLElement>('.idle')?.style.setProperty('transform', 'translateY(-120px)'))
		const covered = await page.evaluate(problemsOnScreen)
		assert.ok(
			covered.some((problem) => /^button.*“Borrow.*covers the bar/.test(problem)),
			covered.join('; '),
		)
		await show('screen=attract')
	})

	const AXE_VIEWS = [
		{ size: SIZES[0], look: 'theme=light', screens: KINDS },
		{ size: SIZES[1], look: 'theme=dark', screens: KINDS },
		{ size: SIZES[0], look: 'contrast=high', screens: ['attract', 'pin-wait', 'choose-return', 'open', 'open-alarm', 'done'] },
		{ size: SIZES[2], look: 'theme=light', screens: ['attract-left-open', 'pin-wrong', 'choose-many', 'open', 'done', 'help'] },
	] as const

	for (const { size, look, screens } of AXE_VIEWS) {
		test(`no accessibility violation with ${look} at ${size.width} × ${size.height}`, async () => {
			await page.setViewportSize(size)
			const violations: string[] = []
			for (const screen of screens) {
				await show(`screen=${screen}&${look}`)
				violations.push(...(await violationsOf(page)).map((violation) => `${screen}: ${violation}`))
			}
			assert.deepEqual(violations, [])
		})
	}

	test('the accessibility check sees a button without a name', async () => {
		const planted = await browser.newPage()
		await planted.setContent('<html lang="en"><title>Planted</title><main><h1>Planted</h1><button></button></main>')
		const found = await violationsOf(planted)
		await planted.close()
		assert.ok(
			found.some((violation) => violation.startsWith('button-name')),
			found.join('; '),
		)
	})

	test('the pages run under the strict content security policy without a complaint', () => {
		assert.deepEqual(complaints, [])
	})
})

/** This and the next are evaluated inside the page. */
async function showInPage(address: string): Promise<void> {
	dispatchEvent(new CustomEvent('show', { detail: address }))
	while (document.documentElement.dataset.shown !== address) await new Promise((later) => setTimeout(later))
}

async function lookInPage(
	addresses: readonly string[],
	show: typeof showInPage,
	change: () => void,
	problems: typeof problemsOnScreen,
): Promise<string[]> {
	const found: string[] = []
	for (const address of addresses) {
		await show(address)
		change()
		found.push(...problems().map((problem) => `${address}: ${problem}`))
	}
	return found
}

/** WCAG 2.2: (L1 + 0.05) / (L2 + 0.05) of two colours written as `rgb(…)`. */
function contrast(one: string, other: string): number {
	const [light = Number.NaN, dark = Number.NaN] = [one, other].map(luminance).sort((a, b) => b - a)
	return (light + 0.05) / (dark + 0.05)
}

function luminance(color: string): number {
	const [red = Number.NaN, green = Number.NaN, blue = Number.NaN] = (color.match(/[\d.]+/g) ?? []).map((part) => {
		const share = Number(part) / 255
		return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
	})
	return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
