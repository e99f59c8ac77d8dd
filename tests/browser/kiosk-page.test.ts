import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type KioskAct, type KioskView, kioskAct, kioskExamples } from '@latchwork/core/wire'
import type { Browser, Page } from 'playwright-core'
import { type Served, servePage, startBrowser } from './browser.ts'

/** The built kiosk page against a controller that does as it is told: what is touched, typed, said and shown. */
describe('kiosk page', () => {
	let browser: Browser
	let page: Page
	let controller: Awaited<ReturnType<typeof scriptedController>>

	before(async () => {
		browser = await startBrowser()
	})
	after(() => browser.close())

	beforeEach(async () => {
		controller = await scriptedController()
		page = await browser.newPage({ viewport: { width: 1920, height: 1080 }, reducedMotion: 'reduce' })
		controller.show('attract')
		await page.goto(controller.url)
		await page.getByRole('heading', { level: 1 }).waitFor()
	})
	afterEach(async () => {
		await page.close()
		await controller.close()
	})

	const heading = (text: string) => page.getByRole('heading', { level: 1, name: text })
	const keysOf = (acts: readonly KioskAct[]) => acts.map((act) => (act.kind === 'keys' ? act.keys : '')).join('')

	test('from the first touch to the receipt, the page shows each view and sends each touch', async () => {
		await page.getByRole('button', { name: 'PIN' }).click()
		await controller.until((acts) => acts.some((act) => act.kind === 'start-pin'))
		controller.show('pin-empty')
		await page.getByRole('button', { name: '7', exact: true }).click()
		await controller.until((acts) => keysOf(acts) === '7')
		controller.show('choose')
		await page.getByRole('button', { name: 'Borrow a laptop' }).click()
		await controller.until((acts) => acts.some((act) => act.kind === 'choose' && act.id === 'borrow-laptop'))
		controller.show('opening')
		await heading('Door 12 is opening').waitFor()
		controller.show('open')
		await heading('Door 12 is open').waitFor()
		assert.match(
			await page.getByRole('progressbar').evaluate((bar) => bar.nextElementSibling?.textContent ?? ''),
			/^Open for \d+ s\. No hurry, we remind you at 30 s\.$/,
		)
		await page.getByRole('img', { name: /Door 12 is marked: second column from the left/ }).waitFor()
		await page.getByRole('button', { name: 'It is empty' }).click()
		await controller.until((acts) => acts.some((act) => act.kind === 'it-is-empty'))
		controller.show('done')
		await page.getByText('Bring it back by today 18:00.', { exact: true }).waitFor()
		await page.getByRole('button', { name: 'Finish' }).click()
		await controller.until((acts) => acts.some((act) => act.kind === 'finish'))
	})

	test('a PIN typed on a keyboard arrives complete and in order, however fast', async () => {
		controller.show('pin-empty')
		await heading('Type your PIN').waitFor()
		await page.keyboard.type('27182818')
		await controller.until((acts) => keysOf(acts).length >= 8)
		assert.equal(keysOf(controller.acts), '27182818')
		await page.getByRole('img', { name: '8 of 8 digits typed, hidden' }).waitFor()
		await page.keyboard.press('Enter')
		await controller.until((acts) => keysOf(acts).endsWith('#'))
		assert.equal((await page.content()).includes('2718'), false, 'no digit is on the page')
	})

	test('while wrong tries cost time, keys do nothing', async () => {
		controller.show('pin-wait')
		await page.getByText(/You can type again in \d+ s/).waitFor()
		await page.keyboard.type('12')
		await page.getByRole('button', { name: '3', exact: true }).dispatchEvent('click')
		await page.getByRole('button', { name: 'Help' }).click()
		await controller.until((acts) => acts.length > 0)
		assert.deepEqual(controller.acts, [{ kind: 'help' }])
	})

	test('the heading takes the focus with each screen, and arrows reach the choices', async () => {
		controller.show('choose-many')
		await heading('What would you like to do?').waitFor()
		assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H1')
		await page.keyboard.press('ArrowDown')
		assert.match((await page.evaluate(() => document.activeElement?.textContent)) ?? '', /^Go on with LT-0418/)
		await page.keyboard.press('ArrowRight')
		assert.match((await page.evaluate(() => document.activeElement?.textContent)) ?? '', /^Return LT-0418|^Borrow/)
		await page.keyboard.press('Enter')
		await controller.until((acts) => acts.some((act) => act.kind === 'choose'))
		assert.equal(await page.getByRole('button', { name: 'Borrow a laptop' }).count(), 0, 'what is not offered is no button')
	})

	test('a return says when it was, and keeps saying it', async () => {
		controller.show('done-deposit')
		await page.getByText('Returned today 12:41.').waitFor()
		const came = kioskExamples.get('done-deposit')?.now ?? Number.NaN
		controller.show('done-deposit', { now: came + 120_000 })
		await page.locator('.top').getByText('12:43').waitFor()
		assert.equal(await page.getByText('Returned today 12:41.').count(), 1)
	})

	test('who is offered nothing finds the help desk and the way out', async () => {
		controller.show('choose-denied')
		await heading('There is nothing for you to take here').waitFor()
		assert.equal(await page.getByRole('button', { name: 'Borrow a laptop' }).count(), 0)
		await page.getByText('Not set up for you.', { exact: true }).waitFor()
		await page.getByRole('button', { name: 'Start over' }).click()
		await controller.until((acts) => acts.some((act) => act.kind === 'finish'))
	})

	test('help at an open door is a leaf over it: the door keeps its controller, and comes back', async () => {
		controller.show('open')
		await page.getByRole('button', { name: 'Help' }).click()
		await heading('What do you need?').waitFor()
		await page.getByRole('button', { name: 'Back' }).click()
		await heading('Door 12 is open').waitFor()
		await page.getByRole('button', { name: 'Help' }).click()
		await heading('What do you need?').waitFor()
		controller.show('open-prompt')
		await heading('Door 12 is still open').waitFor()
		assert.deepEqual(controller.acts, [])
	})

	test('reading helpers hold for one visit and are forgotten with it', async () => {
		await page.getByRole('button', { name: 'Larger text' }).click()
		await page.getByRole('button', { name: 'Contrast' }).click()
		controller.show('choose')
		await heading('What would you like to do?').waitFor()
		assert.deepEqual(await page.evaluate(() => ({ ...document.documentElement.dataset })), { text: 'large', contrast: 'high' })
		controller.show('attract')
		await page.waitForFunction(() => document.documentElement.dataset.text === undefined)
		assert.equal(await page.getByRole('button', { name: 'Contrast' }).getAttribute('aria-pressed'), 'false')
	})

	test('the warning that time runs out offers more, until there is no more', async () => {
		controller.show('choose-ending')
		await page.getByRole('alert').getByText('This screen starts over in').waitFor()
		await page.getByRole('button', { name: 'I need more time' }).click()
		await controller.until((acts) => acts.some((act) => act.kind === 'more-time'))
		const ending = kioskExamples.get('choose-ending')
		assert.ok(ending?.idle)
		controller.show('choose-ending', { idle: { ...ending.idle, extensionsLeft: 0 } })
		await page.getByRole('button', { name: 'I need more time' }).waitFor({ state: 'detached' })
	})

	test('a controller that goes away is said calmly, and its return brings back where the person was', async () => {
		controller.show('open')
		await heading('Door 12 is open').waitFor()
		const port = Number(new URL(controller.url).port)
		await controller.close()
		await heading('This screen lost its controller').waitFor()
		await page.getByText('+49 30 5550 142').waitFor()
		controller = await scriptedController(port)
		controller.show('open-prompt')
		await heading('Door 12 is still open').waitFor()
	})

	test('the page weighs at most 130 KB on the wire', async () => {
		const files = await page.evaluate(() => performance.getEntriesByType('resource').map((entry) => entry.name))
		const loaded = files.filter((file) => file.startsWith(`${controller.url}assets/`))
		assert.ok(loaded.some((file) => file.endsWith('.js')) && loaded.some((file) => file.endsWith('.css')), loaded.join(', '))
		const sizes = await Promise.all([controller.url, ...loaded].map(async (file) => gzipSync(await (await fetch(file)).bytes()).length))
		const total = sizes.reduce((sum, size) => sum + size, 0)
		assert.ok(total <= 130 * 1024, `${total} bytes`)
	})

	test('nothing leads away from the page: no link, no menu, no selection', async () => {
		assert.equal(await page.locator('a[href]').count(), 0)
		assert.equal(await page.evaluate(() => document.body.dispatchEvent(new MouseEvent('contextmenu', { bubbles: true, cancelable: true }))), false)
		assert.equal(await page.evaluate(() => getComputedStyle(document.body).userSelect), 'none')
	})
})

async function scriptedController(port = 0) {
	let view: KioskView | undefined
	let turn = 0
	const streams = new Set<ServerResponse>()
	const acts: KioskAct[] = []
	const waiting = new Set<() => void>()
	const message = () => `data: ${JSON.stringify(view)}\n\n`

	function api(request: IncomingMessage, response: ServerResponse): boolean {
		if (request.url === '/api/screen') {
			response.writeHead(200, { 'content-type': 'text/event-stream' })
			response.write(message())
			streams.add(response)
			request.on('close', () => streams.delete(response))
			return true
		}
		if (request.url !== '/api/act') return false
		let body = ''
		request.on('data', (part: Buffer) => (body += part.toString()))
		request.on('end', () => {
			const { turn: at, act } = kioskAct.parse(JSON.parse(body))
			if (at !== turn) return response.writeHead(409).end()
			acts.push(act)
			// As the real one: every key that counts is a new screen.
			if (act.kind === 'keys' && view?.screen.name === 'pin')
				send({ ...view, screen: { ...view.screen, entered: view.screen.entered + act.keys.length } })
			response.writeHead(204).end()
			for (const wake of waiting) wake()
		})
		return true
	}

	function send(next: KioskView) {
		turn += 1
		view = { ...next, turn }
		for (const stream of streams) stream.write(message())
	}

	const served: Served = await servePage('kiosk', api, port)
	return {
		...served,
		acts,
		show(id: string, part: Partial<KioskView> = {}) {
			const example = kioskExamples.get(id)
			assert.ok(example, id)
			send({ ...example, ...part })
		},
		/** Resolves when the acts so far satisfy the condition. */
		async until(enough: (acts: readonly KioskAct[]) => boolean) {
			while (!enough(acts)) {
				await new Promise<void>((resolve) => {
					const wake = () => {
						waiting.delete(wake)
						resolve()
					}
					waiting.add(wake)
				})
			}
		},
	}
}
