import { randomBytes } from 'node:crypto'
import { testKey } from '@latchwork/core/access/testing'
import { openStore } from '../../store/store.ts'
import { openSequencer } from '../sequencer.ts'

/** It is started a dozen times in one test: what it does not need it does not load. */
const pace = {
	mono: () => performance.now(),
	after(ms: number, run: () => void) {
		const timer = setTimeout(run, ms)
		return () => clearTimeout(timer)
	},
}

/** A process that tries to be the sequencer, to be killed: `node sequencer-process.ts <database URL>`. Ends with its standard input. */
const key = testKey(new Uint8Array(32).fill(7))
const store = openStore({ url: process.argv[2] ?? '', pool: 2 })
openSequencer({
	store,
	clock: { now: () => Date.now() },
	pace,
	random: (n) => new Uint8Array(randomBytes(n)),
	signerOf: async (_, tenant) => ({ origin: `log.example/${tenant}`, ...key }),
	failed: (cause) => process.stdout.write(`${cause}\n`),
	checkpointAfterMs: 0,
})
process.stdin.on('end', () => process.exit()).resume()
