/// <reference lib="dom" />
import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** `rules`: those alone. `exclude`: a selector of what is looked at elsewhere. */
interface Look {
	readonly rules?: readonly string[] | undefined
	readonly exclude?: string | undefined
}

/**
 * What axe finds wrong on the page as it is now, a sentence for each rule. It runs in the page itself, stays there until the page is left, and answers
 * only sentences about what is wrong: reading it in anew and carrying all that it saw back costs more than the look.
 */
export async function violationsOf(page: Page, { rules, exclude }: Look = {}): Promise<string[]> {
	if (!(await page.evaluate(() => 'axe' in window))) await page.evaluate(axe.source)
	return page.evaluate(look, { exclude, ...(rules && { rules: [...rules] }) })
}

/** Evaluated inside the page. */
async function look({ rules, exclude }: Look): Promise<string[]> {
	const { axe: here } = window as unknown as { axe: typeof axe }
	const { violations } = await here.run(exclude === undefined ? document : { exclude: [exclude] }, {
		resultTypes: ['violations'],
		...(rules && { runOnly: { type: 'rule', values: [...rules] } }),
	})
	return violations.map(
		({ id, nodes }) => `${id}: ${nodes.map(({ target, html, any }) => `${target} ${html.slice(0, 160)} ${any[0]?.message ?? ''}`).join(' | ')}`,
	)
}

/** How far a page can be scrolled to the side; nothing of ours may. */
export const sidewaysOf = (page: Page): Promise<number> =>
	page.evaluate(() => Math.max(0, (document.scrollingElement?.scrollWidth ?? 0) - window.innerWidth))

/** All of that for a page that stands still: in light, in the dark, where only colours differ, and on a phone of 320 px. */
export async function problemsOf(page: Page): Promise<string[]> {
	const wide = page.viewportSize()
	const light = await violationsOf(page)
	await page.emulateMedia({ colorScheme: 'dark' })
	const dark = await violationsOf(page, { rules: ['color-contrast'] })
	await page.emulateMedia({ colorScheme: 'light' })
	await page.setViewportSize({ width: 320, height: 640 })
	const [narrow, over] = [await violationsOf(page), await sidewaysOf(page)]
	if (wide) await page.setViewportSize(wide)
	return [
		...light,
		...dark.map((problem) => `dark: ${problem}`),
		...narrow.map((problem) => `320 px: ${problem}`),
		...(over > 0 ? [`scrolls sideways by ${over} px at 320 px`] : []),
	]
}
