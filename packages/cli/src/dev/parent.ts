import { fstatSync } from 'node:fs'

const LOOK_MS = 1_000

/**
 * Tells when the program that started this one is gone; `gone` never resolves when nobody holds us: at a terminal, under a service manager,
 * or with /dev/null or a file as standard input, whose end means nothing.
 */
export function watchParent(): { readonly gone: Promise<string>; forget(): void } {
	const { stdin } = process
	let tell: (words: string) => void = () => {}
	const gone = new Promise<string>((resolve) => {
		tell = resolve
	})
	const closed = () => tell('The program that holds our standard input is gone or closed it: stopping.')
	if (holdsInput()) stdin.on('end', closed).on('close', closed).on('error', closed).resume()
	// npm does not hand a signal on to all it started, and leaves the terminal as our input: then only its end can be seen.
	const parent = process.ppid
	const look =
		process.env.npm_lifecycle_event === undefined
			? undefined
			: setInterval(() => process.ppid !== parent && tell('npm, which started this, is gone: stopping.'), LOOK_MS)
	look?.unref()
	return {
		gone,
		forget() {
			clearInterval(look)
			// A pipe that stays open at its other end would keep us alive.
			if (holdsInput()) stdin.off('end', closed).off('close', closed).destroy()
		},
	}
}

function holdsInput(): boolean {
	try {
		const input = fstatSync(0)
		return input.isFIFO() || input.isSocket()
	} catch {
		return false
	}
}
