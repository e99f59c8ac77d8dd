/** Somebody is at this page. As a picture inside another page it leaves the keyboard and the loudspeaker to others until it is clicked. */
export function attended(): boolean {
	return window.parent === window || document.hasFocus()
}

/** Says a sentence aloud, the newest instead of the one before. Silent where the machine has no voice. */
export function speak(text: string, language: string): void {
	const voice = window.speechSynthesis
	if (!voice) return
	voice.cancel()
	const utterance = new SpeechSynthesisUtterance(breakable(text))
	utterance.lang = language
	voice.speak(utterance)
}

/** A voice reads signs that keep text on one line by their names, or stumbles over them. */
const breakable = (text: string) => text.replaceAll('\u00a0', ' ').replaceAll('\u2011', '-')

export function hush(): void {
	window.speechSynthesis?.cancel()
}

/** Two short tones: time is running out (WCAG 2.2.1 and 508 407.5 want a warning by sight and by sound). */
export function chime(): void {
	if (typeof AudioContext === 'undefined') return
	const audio = new AudioContext()
	for (const [index, frequency] of [660, 880].entries()) {
		const start = audio.currentTime + index * 0.22
		const tone = audio.createOscillator()
		const loudness = audio.createGain()
		tone.frequency.value = frequency
		loudness.gain.setValueAtTime(0.0001, start)
		loudness.gain.exponentialRampToValueAtTime(0.2, start + 0.02)
		loudness.gain.exponentialRampToValueAtTime(0.0001, start + 0.2)
		tone.connect(loudness).connect(audio.destination)
		tone.start(start)
		tone.stop(start + 0.21)
		tone.onended = () => {
			if (index === 1) void audio.close()
		}
	}
}
