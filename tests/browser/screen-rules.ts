/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

/**
 * The measurable rules of a kiosk screen (visual-language.md §9), evaluated inside the page. One function, because it
 * travels into the browser as text. Answers sentences, empty when all is well.
 */
export function problemsOnScreen(): string[] {
	const problems: string[] = []
	const { innerWidth: width, innerHeight: height } = window
	const kiosk = document.documentElement.dataset.room === 'kiosk'
	// 20 mm at 4.03 px per mm, and capital letters of 4.8 mm (508 402.4), on a screen of 21.5 inches; on small panels what still fits.
	const full = Math.min(width, height) >= 1080
	const [target, letters] = full ? [81, 27.9] : [72, 19.9]
	const heading = document.querySelector('h1')
	if (heading?.hasAttribute('data-missing')) return ['no such example']
	if (!heading) return ['no heading']
	if (document.querySelectorAll('h1').length !== 1) problems.push('more than one heading')

	const nameOf = (element: Element) => `${element.tagName.toLowerCase()}.${element.className} “${(element.textContent ?? '').slice(0, 24)}”`
	const box = heading.getBoundingClientRect()
	// Where the page scrolls, banners may stand above it.
	if (box.top < 0 || (kiosk && box.bottom > height) || box.left < 0 || box.right > width) problems.push('the heading is out of view')
	const page = document.scrollingElement ?? document.documentElement
	if (page.scrollWidth > width) problems.push(`scrolls sideways by ${page.scrollWidth - width} px`)

	const shown = [...document.querySelectorAll('button')].filter((button) => button.checkVisibility({ visibilityProperty: true }))
	const buttons = shown.map((button) => ({ button, box: button.getBoundingClientRect() }))
	for (const { button } of buttons) {
		if (button.scrollWidth > button.clientWidth + 1 || button.scrollHeight > button.clientHeight + 1)
			problems.push(`text is cut in ${nameOf(button)}`)
	}
	// In small windows the warning that time runs out may lie over what scrolls beneath it.
	const below = buttons.filter(({ button }) => kiosk || !button.closest('.idle'))
	for (const [index, one] of below.entries()) {
		for (const other of below.slice(index + 1)) {
			const apart =
				one.box.right <= other.box.left || other.box.right <= one.box.left || one.box.bottom <= other.box.top || other.box.bottom <= one.box.top
			if (!apart) problems.push(`${nameOf(one.button)} covers ${nameOf(other.button)}`)
		}
	}
	if (!kiosk) {
		for (const { button, box } of buttons) {
			if (Math.min(box.width, box.height) < 44) problems.push(`target below 44 px: ${nameOf(button)}`)
			if (box.left < 0 || box.right > width + 0.5) problems.push(`out of the screen: ${nameOf(button)}`)
		}
		for (const element of document.querySelectorAll('main *')) {
			const { right, width: wide } = element.getBoundingClientRect()
			if (wide > 1 && right > width + 1 && !element.closest('svg, .unseen')) problems.push(`${nameOf(element)} is cut at the right`)
		}
		return problems
	}

	if (page.scrollHeight > height) problems.push(`scrolls down by ${page.scrollHeight - height} px`)
	for (const { button, box } of buttons) {
		if (Math.min(box.width, box.height) < target - 0.5) problems.push(`target below ${target} px: ${nameOf(button)}`)
		if (box.top < 0 || box.left < 0 || box.bottom > height + 0.5 || box.right > width + 0.5) problems.push(`out of the screen: ${nameOf(button)}`)
	}

	const bars = [...document.querySelectorAll('.caption, .bar, .idle')].map((bar) => bar.getBoundingClientRect().top)
	const floor = Math.min(height, ...bars)
	for (const element of document.querySelectorAll('.info *, .picture *, .acts *')) {
		const { bottom, height: tall } = element.getBoundingClientRect()
		if (tall > 1 && bottom > floor + 1 && !element.closest('svg'))
			problems.push(`${nameOf(element)} covers the bar by ${Math.round(bottom - floor)} px`)
	}
	const acts = document.querySelector('.acts')?.getBoundingClientRect()
	for (const element of document.querySelectorAll('.info > *, .picture > *')) {
		const told = element.getBoundingClientRect()
		if (told.height <= 1) continue
		if (acts && told.bottom > acts.top + 1 && told.right > acts.left + 1 && told.left < acts.right)
			problems.push(`${nameOf(element)} covers what is touched`)
		const top = document.querySelector('.top')?.getBoundingClientRect().bottom ?? 0
		if (told.top < top - 1) problems.push(`${nameOf(element)} covers the top`)
	}
	for (const element of document.querySelectorAll('main *')) {
		const own = [...element.childNodes].some((node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim())
		if (!own || element.closest('svg, .unseen')) continue
		const size = Number.parseFloat(getComputedStyle(element).fontSize)
		if (size < letters && element.getClientRects().length > 0) problems.push(`text of ${size} px: ${nameOf(element)}`)
	}
	return problems
}

/** Every sentence grows by 40 %, as a translation may; figures, codes and the drawing stay as they are. Evaluated inside the page. */
export function lengthenWords(): void {
	const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
	while (texts.nextNode()) {
		const node = texts.currentNode
		const text = node.textContent ?? ''
		const still = node.parentElement?.closest('svg, .logo, .where, .figure, .ticket dd, .top b, .key:not(.word, .go)')
		const more = Math.ceil(text.trim().length * 0.4)
		if (!still && /\p{L}{2}/u.test(text))
			node.textContent = `${text} ${'grows '
				.repeat(Math.ceil(more / 6))
				.slice(0, more)
				.trim()}`
	}
}
