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
