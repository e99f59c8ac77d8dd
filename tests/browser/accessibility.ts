import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/** `rules`: those alone. `exclude`: a selector of what is looked at elsewhere. */
interface Look {
	readonly rules?: string[]
	readonly exclude?: string
}

/**
 * What axe finds wrong on the page as it is now, a sentence for each rule. It runs in the page itself (`setLegacyMode`) and lists nothing that is
 * right: else each look would open a page of its own and carry all that it saw there and back.
 */
export async function violationsOf(page: Page, { rules, exclude }: Look = {}): Promise<string[]> {
	const axe = new AxeBuilder({ page }).setLegacyMode(true).options({ resultTypes: ['violations'] })
	if (rules) axe.withRules(rules)
	if (exclude !== undefined) axe.exclude(exclude)
	const { violations } = await axe.analyze()
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
