import assert from 'node:assert/strict'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import { gzipSync } from 'node:zlib'
import { type KioskAct, type KioskView, kioskAct, kioskExamples } from '@latchwork/core/wire'
import type { Browser, Page } from 'playwright-core'
import { type Served, servePage, startBrowser } from './browser.ts'

declare global {
	interface Window {
		heard: string[]
	}
}

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
			/^Open for \d+\ss\. No hurry, we remind you at 30\ss\.$/,
		)
		await page.getByRole('img', { name: /Door 12 is marked: second column from the left/ }).waitFor()
		await page.getByRole('button', { name: 'It is empty' }).click()
		await controller.until((acts) => acts.some((act) => act.kind === 'it-is-empty'))
		controller.show('open-empty')
		await page.getByRole('button', { name: 'It is empty', pressed: true }).waitFor()
		assert.equal(await page.locator('.steps .now b').textContent(), 'Push the door until it clicks.', 'nothing is to be taken any more')
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
		assert.equal(await page.getByRole('button', { name: 'Go on' }).count(), 0, 'the last digit goes on')
		assert.equal((await page.content()).includes('2718'), false, 'no digit is on the page')
	})

	test('while wrong tries cost time, keys do nothing', async () => {
		controller.show('pin-wait')
		await page.getByText(/^You can type again in \d+\ss/).waitFor()
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
		assert.match((await page.evaluate(() => document.activeElement?.textContent)) ?? '', /^Go on with LT.0418/)
		await page.keyboard.press('ArrowRight')
		assert.match((await page.evaluate(() => document.activeElement?.textContent)) ?? '', /^Return LT.0418|^Borrow/)
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
		await heading('This is not set up for you').waitFor()
		assert.equal(await page.getByRole('button', { name: 'Borrow a laptop' }).count(), 0)
		await page.getByText('The help desk can set it up or tell you who can.', { exact: true }).waitFor()
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
		assert.deepEqual(await look(), ['large', 'high'])
		controller.show('attract')
		await page.waitForFunction(() => document.documentElement.dataset.text === 'usual')
		assert.equal(await page.getByRole('button', { name: 'Contrast' }).getAttribute('aria-pressed'), 'false')
	})

	test('the warning that time runs out offers more, until there is no more', async () => {
		controller.show('choose-ending')
		await page.getByRole('alert').getByText('Are you still there?').waitFor()
		await page.getByText(/This screen starts over in \d+\ss\./).waitFor()
		assert.doesNotMatch((await page.getByRole('alert').allTextContents()).join(), /\d/, 'no number ticks where it would be read out each second')
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
		await heading('This screen is not connected').waitFor()
		await page.getByText('+49 30 5550 142').waitFor()
		controller = await scriptedController(port)
		controller.show('open-prompt')
		await heading('Door 12 is still open').waitFor()
	})

	test('larger text has two steps; the second is twice the size and scrolls', async () => {
		const size = () =>
			page
				.locator('.lead')
				.first()
				.evaluate((lead) => Number.parseFloat(getComputedStyle(lead).fontSize))
		const usual = await size()
		await page.getByRole('button', { name: 'Larger text' }).click()
		const large = await size()
		await page.getByRole('button', { name: 'Largest text' }).click()
		const largest = await size()
		assert.ok(large > 1.28 * usual && largest > 1.99 * usual, `${usual}, ${large}, ${largest}`)
		assert.ok(await page.evaluate(() => document.documentElement.scrollHeight > innerHeight))
		await page.getByRole('button', { name: 'Usual text' }).click()
		assert.equal(await size(), usual)
	})

	test("a controller that restarts takes nobody's reading helpers along", async () => {
		controller.show('choose')
		await heading('What would you like to do?').waitFor()
		await page.getByRole('button', { name: 'Larger text' }).click()
		await page.getByRole('button', { name: 'Contrast' }).click()
		const port = Number(new URL(controller.url).port)
		await controller.close()
		await heading('This screen is not connected').waitFor()
		assert.deepEqual(await look(), ['large', 'high'])
		controller = await scriptedController(port)
		controller.show('attract')
		await heading('How do you want to start?').waitFor()
		assert.deepEqual(await look(), ['large', 'high'])
	})

	test('a controller that hangs is said although its connection stands', async () => {
		await page.clock.install()
		await page.reload()
		await heading('How do you want to start?').waitFor()
		controller.beat(3000)
		controller.show('choose')
		await heading('What would you like to do?').waitFor()
		await page.clock.fastForward(8000)
		await heading('This screen is not connected').waitFor()
		controller.beat(3000)
		await heading('What would you like to do?').waitFor()
	})

	test('a touch that the controller does not take is said, and can be made again', async () => {
		controller.fail(true)
		await page.getByRole('button', { name: 'PIN' }).click()
		await page.getByRole('alert').getByText('Your touch did not arrive. Touch again.').waitFor()
		controller.fail(false)
		await page.getByRole('button', { name: 'PIN' }).click()
		await page.getByText('Your touch did not arrive.').waitFor({ state: 'detached' })
		await controller.until((acts) => acts.some((act) => act.kind === 'start-pin'))
	})

	test('what one person set at the start and left is gone for the next, 45 s after the last touch', async () => {
		await page.clock.install()
		await page.reload()
		await page.getByRole('button', { name: 'Contrast' }).click()
		await page.clock.fastForward(40_000)
		await page.getByRole('button', { name: 'Larger text' }).click()
		await page.clock.fastForward(40_000)
		assert.deepEqual(await look(), ['large', 'high'])
		await page.clock.fastForward(6000)
		await page.waitForFunction(() => document.documentElement.dataset.text === 'usual')
		assert.deepEqual(await look(), ['usual', 'usual'])
	})

	test('the warning takes the focus to what helps, and gives it back', async () => {
		controller.show('choose')
		await heading('What would you like to do?').waitFor()
		await page.getByRole('button', { name: 'Low layout' }).focus()
		const ending = kioskExamples.get('choose-ending')
		controller.show('choose-ending')
		await page.waitForFunction(() => document.activeElement?.textContent === 'I need more time')
		await page.keyboard.press('Enter')
		await controller.until((acts) => acts.some((act) => act.kind === 'more-time'))
		controller.show('choose', { now: ending?.now ?? 0 })
		await page.waitForFunction(() => document.activeElement?.textContent === 'Low layout')
	})

	test('who has just touched a reading helper is not asked whether they are there; what is done ends without asking', async () => {
		const now = kioskExamples.get('choose')?.now ?? Number.NaN
		const idle = { warnAt: now + 60_000, endsAt: now + 80_000, extensionsLeft: 10 }
		await page.clock.install()
		await page.reload()
		controller.show('choose', { idle })
		await heading('What would you like to do?').waitFor()
		await page.getByRole('button', { name: 'Larger text' }).click()
		await page.clock.fastForward(61_000)
		await controller.until((acts) => acts.some((act) => act.kind === 'more-time'))
		assert.equal(await page.getByText('Are you still there?').count(), 0)
		controller.show('done', { idle: { ...idle, warnAt: now - 1000 } })
		await page.getByRole('button', { name: 'Finish' }).waitFor()
		assert.equal(await page.getByText('Are you still there?').count(), 0)
	})

	test('at a door that stands open the next person may start; until a lock had its time nobody is asked whether it opened', async () => {
		controller.show('opening')
		await heading('Door 12 is opening').waitFor()
		assert.equal(await page.getByRole('button', { name: 'It did not open' }).count(), 0)
		controller.show('opening-slow')
		await page.getByRole('button', { name: 'It did not open' }).click()
		await controller.until((acts) => acts.some((act) => act.kind === 'did-not-open'))
		controller.show('open')
		await heading('Door 12 is open').waitFor()
		assert.equal(await page.getByRole('button', { name: 'Let the next person start' }).count(), 0)
		controller.show('open-prompt')
		await page.getByRole('button', { name: 'Let the next person start' }).click()
		await controller.until((acts) => acts.some((act) => act.kind === 'next-person'))
	})

	test('a whole loan can be followed by ear: what the voice says, in its order', async () => {
		const heard = await listenIn()
		await page.reload()
		await page.getByRole('button', { name: 'Listen' }).click()
		await heard(1)
		controller.show('choose')
		await heard(2)
		await page.keyboard.press('ArrowDown')
		let count = (await heard(3)).length
		for (const id of ['opening', 'open', 'open-prompt', 'open-taken', 'done']) {
			controller.show(id)
			count = (await heard(count + 1)).length
		}
		const place = 'Second column from the left, second door from the bottom.'
		const errand = 'Take laptop LT-0418 and its charger. Then push the door until it clicks.'
		assert.deepEqual(await heard(count), [
			'How do you want to start? Hold your badge to the reader next to this screen, show your QR code, or choose PIN.',
			'What would you like to do? Borrow a laptop.',
			'Borrow a laptop. 3 ready. Bring it back by today 18:00.',
			`Door 12 is opening. ${place}`,
			`Door 12 is open. ${place} ${errand}`,
			`Door 12 is still open. ${place} ${errand}`,
			'Laptop LT-0418 is out. Push the door until it clicks.',
			'You have laptop LT-0418. Bring it back by today 18:00.',
		])
	})

	test('without being asked the voice speaks at doors only, at each rung anew, and warns when time runs out for who listens', async () => {
		const heard = await listenIn()
		await page.reload()
		controller.show('choose')
		await heading('What would you like to do?').waitFor()
		controller.show('open-alarm', { notices: [] })
		await heading('Door 12 is still open').waitFor()
		controller.show('denied-outside-hours')
		await heading('Taking things out is closed at this hour').waitFor()
		controller.show('choose')
		await heading('What would you like to do?').waitFor()
		await page.getByRole('button', { name: 'Listen' }).click()
		controller.show('choose-ending')
		const spoken = await heard(4)
		assert.match(spoken[3] ?? '', /^Are you still there\?/)
		assert.match(spoken[0] ?? '', /^Door 12 counts as left open\..* Push the door until it clicks\.$/)
		assert.equal(spoken[1], 'Taking things out is closed at this hour. You can return things at any time.')
		assert.match(spoken[2] ?? '', /^What would you like to do\?/)
	})

	const look = () => page.evaluate(() => [document.documentElement.dataset.text, document.documentElement.dataset.contrast])

	/** Keeps what the voice is told from the next load on; the browser of the tests has no voice of its own. */
	async function listenIn(): Promise<(count: number) => Promise<string[]>> {
		await page.addInitScript(() => {
			Object.assign(window, { heard: [] })
			SpeechSynthesis.prototype.speak = ({ text }) => void window.heard.push(text)
		})
		return async (count) => {
			await page.waitForFunction((enough) => window.heard.length >= enough, count)
			return page.evaluate(() => window.heard)
		}
	}

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
	let failing = false
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
			if (failing) return response.writeHead(500).end()
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
		beat(nextMs: number) {
			for (const stream of streams) stream.write(`event: beat\ndata: ${nextMs}\n\n`)
		},
		fail(now: boolean) {
			failing = now
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
