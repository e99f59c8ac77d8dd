import { useEffect } from 'react'
import { useNow, useSeat, useWarned } from './seat.ts'
import { attended, chime, hush, speak } from './speak.ts'
import { isSpoken, language, said, words } from './words.ts'

/** What is heard of a screen. To be seen, the same stands in the frame. */
export function Voice() {
	const { view, settings } = useSeat()
	const text = said(view, useNow())
	const aloud = settings.listen || isSpoken(view.screen)
	// Each rung of the left-open ladder says it again, after two tones.
	const rung = view.screen.name === 'open' ? view.screen.level : 'calm'
	// biome-ignore lint/correctness/useExhaustiveDependencies: a new rung is a reason to repeat
	useEffect(() => {
		if (!aloud || !attended()) return
		speak(text, language)
		return hush
	}, [text, aloud, rung])
	useEffect(() => {
		if (rung !== 'calm' && attended()) chime()
	}, [rung])

	// WCAG 2.2.1 and 508 407.5: warned by sight and by sound.
	const warned = useWarned() !== undefined
	useEffect(() => {
		if (!warned || !attended()) return
		chime()
		if (settings.listen) speak(words.idle.spoken, language)
	}, [warned, settings.listen])
	useSpokenFocus(settings.listen)
	return null
}

/** With Listen on, whoever moves by keys hears where they are. Not the digits of a PIN: others hear them, too. */
function useSpokenFocus(listen: boolean) {
	useEffect(() => {
		if (!listen) return
		const say = ({ target }: FocusEvent) => {
			if (!(target instanceof HTMLButtonElement) || !target.matches(':focus-visible:not(.key:not(.word))')) return
			// biome-ignore lint/performance/useDomNodeTextContent: a title and its line are two sentences only by their layout
			speak(target.innerText.replaceAll('\n', '. '), language)
		}
		window.addEventListener('focusin', say)
		return () => window.removeEventListener('focusin', say)
	}, [listen])
}
