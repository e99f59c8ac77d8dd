import { Duplex } from 'node:stream'
import { type FrameFault, frameWatch } from './frames.ts'

/** A connection whose packets are measured on their way in. What one tick writes leaves as one record: small packets cost a round trip each otherwise. */
export function watchedStream(under: Duplex, told: (fault: FrameFault) => void): Duplex {
	const watch = frameWatch()
	const send = (bytes: Uint8Array, done: (cause?: Error | null) => void) => {
		if (under.write(bytes)) return done()
		under.once('drain', done)
	}
	const stream = new Duplex({
		// Both ends close together: a half-closed MQTT connection is of no use.
		allowHalfOpen: false,
		read: () => void under.resume(),
		write: (chunk: Uint8Array, _, done) => send(chunk, done),
		writev: (chunks, done) => send(Buffer.concat(chunks.map(({ chunk }) => chunk as Uint8Array)), done),
		final: (done) => void under.end(done),
		destroy(cause, done) {
			under.destroy()
			done(cause)
		},
	})
	under.on('data', (chunk: Uint8Array) => {
		const fault = watch(chunk)
		if (fault !== undefined) {
			told(fault)
			stream.destroy()
		} else if (!stream.push(chunk)) under.pause()
	})
	under.once('end', () => void stream.push(null))
	under.once('error', () => stream.destroy())
	under.once('close', () => stream.destroy())
	return stream
}
