import assert from 'node:assert/strict'
import type { ServerResponse } from 'node:http'
import { after, afterEach, before, beforeEach, describe, test } from 'node:test'
import {
	type VirtualState,
	virtualBadge,
	virtualClockAdvance,
	virtualDoor,
	virtualExample,
	virtualFault,
	virtualItem,
	virtualKeypad,
	virtualScan,
} from '@latchwork/core/wire'
import type { Browser, Page } from 'playwright-core'
import { violationsOf } from './accessibility.ts'
import { servePage, startBrowser } from './browser.ts'

/** The built page of the virtual bank against a scripted control API: every control sends what the wire contract names. */
const SCHEMAS = {
	badge: virtualBadge,
	keypad: virtualKeypad,
	scan: virtualScan,
	door: virtualDoor,
	item: virtualItem,
	faults: virtualFault,
	clock: virtualClockAdvance,
}

describe('virtual bank page', () => {
	let browser: Browser
	let page: Page
	let bench: Awaited<ReturnType<typeof scriptedBench>>

	before(async () => {
		browser = await startBrowser()
	})
	after(() => browser.close())

	beforeEach(async () => {
		bench = await scriptedBench()
		page = await browser.newPage({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' })
		await page.goto(bench.url)
		await page.getByRole('heading', { level: 1, name: 'Virtual bank' }).waitFor()
	})
	afterEach(async () => {
		await page.close()
		await bench.close()
	})

	const AT = '/banks/hq-lobby-a'
	const press = (name: string) => page.getByRole('button', { name, exact: true }).first().click()

	/** Runs the act and answers what it sent. */
	async function sent(act: () => Promise<unknown>): Promise<string> {
		const before = bench.requests.length
		const answered = page.waitForResponse((response) => response.request().method() !== 'GET')
		await act()
		await answered
		return bench.requests.slice(before).join('\n')
	}

	test('a person taps a badge, types a PIN and shows a code', async () => {
		assert.equal(await sent(() => press('Tap badge')), `POST ${AT}/badge {"number":"1048576"}`)
		assert.equal(await sent(() => press('Type PIN')), `POST ${AT}/keypad {"keys":"27182818#"}`)
		assert.equal(await sent(() => press('QR 1 of 2')), `POST ${AT}/scan {"text":"LW1.7Q2M-DEMO-A"}`)
		assert.equal(await sent(() => press('QR 2 of 2')), `POST ${AT}/scan {"text":"LW1.7Q2M-DEMO-B"}`)
		await page.getByLabel('Another badge').fill('42')
		assert.equal(await sent(() => page.keyboard.press('Enter')), `POST ${AT}/badge {"number":"42"}`)
		assert.equal(await sent(() => press('finish')), `POST ${AT}/keypad {"keys":"#"}`)
		await page.getByLabel('Text for the scanner').fill('LT-0418')
		assert.equal(await sent(() => press('Scan')), `POST ${AT}/scan {"text":"LT-0418"}`)
	})

	test('the door that swings open comes to hand: take the item, push it shut', async () => {
		await page.getByRole('heading', { name: 'Door 12', exact: true }).waitFor()
		assert.equal(await sent(() => press('Take LT-0418')), `POST ${AT}/compartments/12/item {"present":false}`)
		bench.change(({ banks: [bank] }) => {
			const compartment = bank?.compartments.find(({ number }) => number === 12)
			if (compartment) Object.assign(compartment, { item: false, tag: undefined })
		})
		const put = (tag?: string) => `POST ${AT}/compartments/12/item {"present":true${tag ? `,"tag":"${tag}"` : ''}}`
		assert.equal(await sent(() => press('Put in')), put('LT-0420'), 'what was taken last stands there already')
		await page.getByLabel('Tag').fill('LT-0500')
		assert.equal(await sent(() => press('Put in')), put('LT-0500'))
		assert.equal(await sent(() => press('Put LT-0391 in')), put('LT-0391'), 'what is outside needs no typing')
		assert.equal(await sent(() => press('Put in something without a tag')), put())
		assert.equal(await sent(() => press('Push shut')), `POST ${AT}/compartments/12/door {"state":"closed"}`)
		bench.change(({ banks: [bank] }) => {
			for (const compartment of bank?.compartments ?? []) compartment.door = compartment.number === 18 ? 'open' : 'closed'
		})
		await page.getByRole('heading', { name: 'Door 18', exact: true }).waitFor()
		await page.getByRole('button', { name: 'Compartment 18, door open, LT-0377 inside, 0 pulses' }).waitFor()
	})

	test('a closed door can be forced, let go by itself, and given faults', async () => {
		await page.getByRole('button', { name: /^Compartment 3,/ }).click()
		await page.getByRole('heading', { name: 'Door 3', exact: true }).waitFor()
		assert.equal(await page.getByRole('button', { name: 'Take LT-0402' }).count(), 0, 'nothing moves through a closed door')
		assert.equal(await sent(() => press('Force open')), `POST ${AT}/compartments/3/door {"state":"open"}`)
		assert.equal(await sent(() => press('Let it open by itself')), `POST ${AT}/faults {"compartment":3,"opensByItself":true}`)
		assert.equal(await sent(() => page.getByLabel('Lock is stuck').click()), `POST ${AT}/faults {"compartment":3,"stuckLock":true}`)
		assert.equal(await sent(() => page.getByLabel('Opens late by').selectOption('2 s')), `POST ${AT}/faults {"compartment":3,"lateOpenMs":2000}`)
		assert.equal(
			await sent(() => page.getByLabel('Latch sensor').selectOption('inverted')),
			`POST ${AT}/faults {"compartment":3,"sensor":"inverted"}`,
		)
	})

	test('boards, the reader and the clock', async () => {
		const board = page.getByRole('listitem').filter({ hasText: 'Board 1' })
		assert.equal(await sent(() => board.getByLabel('Silent').click()), `POST ${AT}/faults {"board":1,"silent":true}`)
		assert.equal(
			await sent(() => board.getByLabel('Direction').selectOption('answers')),
			`POST ${AT}/faults {"board":1,"corrupt":{"rate":0.02,"direction":"answers"}}`,
		)
		assert.equal(await sent(() => board.getByLabel('Changed bytes').selectOption('none')), `POST ${AT}/faults {"board":1,"corrupt":null}`)
		assert.equal(await sent(() => board.getByLabel('Answers later by').selectOption('1 s')), `POST ${AT}/faults {"board":1,"answerDelayMs":1000}`)
		assert.equal(await sent(() => page.getByLabel('Unplug the reader').click()), `POST ${AT}/faults {"reader":{"offline":true}}`)
		assert.equal(await sent(() => page.getByLabel('Take the cover off').click()), `POST ${AT}/faults {"reader":{"tamper":true}}`)
		assert.equal(await sent(() => press('Clear all faults')), `DELETE ${AT}/faults`)
		assert.equal(await sent(() => press('+5 min')), 'POST /clock {"advanceSeconds":300}')
	})

	test('arrow keys walk the drawing by place', async () => {
		await page.getByRole('button', { name: /^Compartment 12,/ }).focus()
		await page.keyboard.press('ArrowDown')
		await page.getByRole('heading', { name: 'Door 13', exact: true }).waitFor()
		await page.keyboard.press('ArrowLeft')
		await page.getByRole('heading', { name: 'Door 6', exact: true }).waitFor()
		assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-door')), '6')
	})

	test('by keyboard a loan takes a few Tabs: the badge is near, and the door in focus is emptied, filled, shut and forced by single keys', async () => {
		const focused = () => page.evaluate(() => document.activeElement?.textContent || document.activeElement?.getAttribute('aria-label') || '')
		const walk = async (key: string, to: RegExp) => {
			for (let tabs = 1; tabs <= 8; tabs++) {
				await page.keyboard.press(key)
				if (to.test(await focused())) return tabs
			}
			return assert.fail(`eight times ${key} do not reach ${to}`)
		}
		await walk('Tab', /^Tap badge/)
		assert.equal(await sent(() => page.keyboard.press('Enter')), `POST ${AT}/badge {"number":"1048576"}`)
		await walk('Shift+Tab', /^Compartment 12, door open/)
		assert.equal(await sent(() => page.keyboard.press('t')), `POST ${AT}/compartments/12/item {"present":false}`)
		bench.change(({ banks: [bank] }) => {
			const compartment = bank?.compartments.find(({ number }) => number === 12)
			if (compartment) Object.assign(compartment, { item: false, tag: undefined })
			bank?.outside.unshift('LT-0418')
		})
		await page.getByRole('button', { name: 'Compartment 12, door open, empty, 1 pulse' }).waitFor()
		assert.equal(await sent(() => page.keyboard.press('T')), `POST ${AT}/compartments/12/item {"present":true,"tag":"LT-0418"}`)
		assert.equal(await sent(() => page.keyboard.press('Enter')), `POST ${AT}/compartments/12/door {"state":"closed"}`)
		bench.change(({ banks: [bank] }) => {
			for (const compartment of bank?.compartments ?? []) compartment.door = 'closed'
		})
		await page.getByRole('button', { name: /^Compartment 12, door closed/ }).waitFor()
		const before = bench.requests.length
		for (const key of ['Enter', 't', 'Control+f']) await page.keyboard.press(key)
		assert.equal(await sent(() => page.keyboard.press('f')), `POST ${AT}/compartments/12/door {"state":"open"}`)
		assert.equal(bench.requests.length, before + 1, 'the other keys do nothing at a door that is shut')
		await page.getByLabel('Another badge').fill('')
		await page.keyboard.type('tf')
		assert.equal(await page.getByLabel('Another badge').inputValue(), 'tf', 'and nothing anywhere else')
		assert.equal(bench.requests.length, before + 1)
	})

	test('the loop of a loan, from the badge to the door, is above the fold of a laptop', async () => {
		for (const [width, height] of [
			[1280, 800],
			[1440, 900],
			[1920, 1080],
		] as const) {
			await page.setViewportSize({ width, height })
			for (const name of ['Push shut', 'Take LT-0418', 'Tap badge']) {
				const box = await page.getByRole('button', { name }).first().boundingBox()
				assert.ok(box && box.y + box.height <= height, `${name} at ${width} × ${height}: ${JSON.stringify(box)}`)
			}
		}
	})

	test('faults of a board and of the reader are marked on the drawing, and each door of the board says so', async () => {
		await page.getByRole('button', { name: 'Compartment 24, door closed, empty, 0 pulses, board with changed bytes' }).waitFor()
		await page.getByRole('button', { name: 'Compartment 1, door closed, empty, 0 pulses', exact: true }).waitFor()
		const marks = page.locator('.front .cell-fault')
		const before = await marks.count()
		bench.change(({ banks: [bank] }) => {
			if (!bank) return
			Object.assign(bank.reader, { online: false })
			Object.assign(bank.boards[0] ?? {}, { faults: { silent: true } })
		})
		await page.locator('.front').getByText('Offline').waitFor()
		await page.getByRole('button', { name: 'Compartment 1, door closed, empty, 0 pulses, board silent' }).waitFor()
		assert.ok((await marks.count()) > before)
		await page.getByText('0, silent').waitFor()
	})

	test('on a telephone a list says what is too small to be read in the drawing', async () => {
		await page.setViewportSize({ width: 320, height: 800 })
		await page.getByLabel('Another door').selectOption('Compartment 18, door closed, LT-0377 inside, 0 pulses, board with changed bytes')
		await page.getByRole('heading', { name: 'Door 18', exact: true }).waitFor()
	})

	test('a refusal is told in its own words, a lost bench too', async () => {
		bench.refuse('The door is closed.')
		await press('Tap badge')
		await page.getByRole('alert').getByText('Refused: The door is closed.').waitFor()
		await bench.close()
		await page.getByRole('alert').getByText('does not answer').waitFor()
	})

	for (const [width, colorScheme] of [
		[1440, 'light'],
		[1440, 'dark'],
		[320, 'light'],
		[320, 'dark'],
	] as const) {
		test(`no accessibility violation and no sideways scroll, ${colorScheme}, ${width} px`, async () => {
			await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
			await page.setViewportSize({ width, height: 900 })
			assert.deepEqual(await violationsOf(page), [])
			assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= width)
		})
	}
})

async function scriptedBench() {
	let state: VirtualState = structuredClone(virtualExample)
	let refusal: string | undefined
	const streams = new Set<ServerResponse>()
	const requests: string[] = []
	const served = await servePage('virtual', (request, response) => {
		const path = request.url ?? '/'
		if (path === '/events') {
			response.writeHead(200, { 'content-type': 'text/event-stream' })
			response.write(`data: ${JSON.stringify(state)}\n\n`)
			streams.add(response)
			request.on('close', () => streams.delete(response))
			return true
		}
		if (request.method === 'GET') return false
		let body = ''
		request.on('data', (part: Buffer) => (body += part.toString()))
		request.on('end', () => {
			const schema = SCHEMAS[(path.split('/').at(-1) ?? '') as keyof typeof SCHEMAS]
			const sent = body === '' ? '' : ` ${JSON.stringify(schema.parse(JSON.parse(body)))}`
			requests.push(`${request.method} ${path}${sent}`)
			if (refusal === undefined) return response.writeHead(204).end()
			response.writeHead(409, { 'content-type': 'application/problem+json' }).end(JSON.stringify({ detail: refusal }))
		})
		return true
	})
	return {
		...served,
		requests,
		refuse(detail: string) {
			refusal = detail
		},
		change(change: (state: VirtualState) => void) {
			state = structuredClone(state)
			change(state)
			for (const stream of streams) stream.write(`data: ${JSON.stringify(state)}\n\n`)
		},
	}
}
