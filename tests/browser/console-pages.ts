import assert from 'node:assert/strict'
import { join } from 'node:path'
import type { PolicyEngine } from '@latchwork/core/access'
import { TEST_PASSWORD, type TestApi, type TestPerson, type TestTenant, testApi } from '@latchwork/server/testing/api'
import { type TestEdge, testEdge } from '@latchwork/server/testing/edge'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { startBrowser } from './browser.ts'

/** The built console on the real API and a real PostgreSQL, with one bank, which says what a test makes it say. */
export interface ConsoleSite {
	readonly api: TestApi
	readonly browser: Browser
	readonly tenant: TestTenant
	readonly edge: TestEdge
	/** A window of their own, signed in. */
	openAs(person: TestPerson, options?: BrowserContextOptions): Promise<Page>
	/** Fails if a page did what none may: an error in a script, or something that the content security policy refused. */
	close(): Promise<void>
}

export async function startConsole({ engine }: { readonly engine?: PolicyEngine } = {}): Promise<ConsoleSite> {
	const api = await testApi({ http: { web: join(import.meta.dirname, '../../packages/web/dist/console') }, ...(engine && { engine }) })
	const tenant = await api.tenant('Fernholt Group')
	const edge = await testEdge(api, tenant)
	await edge.heard(true)
	const browser = await startBrowser()
	const wrong: string[] = []
	return {
		api,
		browser,
		tenant,
		edge,
		async openAs(person, options = {}) {
			const made = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce', ...options })
			const page = await made.newPage()
			page.on('pageerror', (error) => wrong.push(String(error.stack)))
			page.on('console', (said) => {
				if (/content security policy/i.test(said.text())) wrong.push(said.text())
			})
			await page.goto(api.url)
			await signIn(page, person)
			await page.locator('#page-content').waitFor()
			return page
		},
		async close() {
			await browser.close()
			await api.close()
			assert.deepEqual(wrong, [])
		},
	}
}

/** Asks to be let in; what comes of it, the caller waits for. */
export async function signIn(page: Page, { email, password = TEST_PASSWORD }: { readonly email: string; readonly password?: string }): Promise<void> {
	await page.getByLabel('E-mail address').fill(email)
	await page.getByLabel('Password').fill(password)
	await page.keyboard.press('Enter')
}

/** To an address of the console, until the room there has its heading. */
export async function visit(page: Page, url: string): Promise<void> {
	await page.goto(url)
	await page.getByRole('heading', { level: 1 }).waitFor()
}
