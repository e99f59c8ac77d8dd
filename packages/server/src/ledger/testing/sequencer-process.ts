import { randomBytes } from 'node:crypto'
import { testKey } from '@latchwork/core/access/testing'
import { openStore } from '../../store/index.ts'
import { realClock } from '../../testing/index.ts'
import { openSequencer } from '../index.ts'

/** A process that tries to be the sequencer, to be killed: `node sequencer-process.ts <database URL>`. Ends with its standard input. */
const key = testKey(new Uint8Array(32).fill(7))
const store = openStore({ url: process.argv[2] ?? '', pool: 2 })
openSequencer({
	store,
	clock: { now: () => Date.now() },
	pace: realClock,
	random: (n) => new Uint8Array(randomBytes(n)),
	signerOf: async (_, tenant) => ({ origin: `log.example/${tenant}`, ...key }),
	failed: (cause) => process.stdout.write(`${cause}\n`),
	checkpointAfterMs: 0,
})
process.stdin.on('end', () => process.exit()).resume()
