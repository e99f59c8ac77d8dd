import { randomBytes } from 'node:crypto'
import { systemClock } from '@latchwork/edge/clock-file'
import { startEmbedded } from '@latchwork/server/store'

/** The floor of a server's first start: Node, initdb and PostgreSQL in a new directory, with fsync on. Says DATABASE when it answers; ends with its parent's pipe. */
const database = await startEmbedded({
	directory: process.argv[2] ?? '',
	clock: systemClock,
	random: (n) => new Uint8Array(randomBytes(n)),
	log: () => {},
})
process.stdin
	.on('end', async () => {
		await database.stop()
		process.exit(0)
	})
	.resume()
process.stdout.write('DATABASE {}\n')
