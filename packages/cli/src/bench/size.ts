import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { brotliCompressSync } from 'node:zlib'
import { bundleEdge } from '../bundle/edge.ts'
import type { Bench, Figure } from './figures.ts'

const GOAL_MB = 15

/** P12: what is shipped to a controller, without Node. */
export const size: Bench = async ({ folder }) => {
	const out = join(folder, 'shipped')
	const { files, bytes } = await bundleEdge({ out })
	const packed = brotliCompressSync(Buffer.concat(files.map((f) => readFileSync(join(out, f.path))))).length
	const part = (name: string, belongs: (path: string) => boolean) =>
		amount(
			name,
			files.filter((f) => belongs(f.path)).reduce((sum, f) => sum + f.bytes, 0),
		)
	return {
		id: 'P12',
		name: 'size',
		what: 'size of the shipped controller',
		floor: 'none',
		conditions: [`${files.length} files, not minified, so that a stack trace can be read`],
		figures: [
			{ ...amount('all', bytes), goal: `≤ ${GOAL_MB} MB`, met: bytes <= GOAL_MB * 1e6 },
			amount('all, compressed', packed),
			part('policy engine (wasm)', (path) => path.endsWith('.wasm')),
			part('program', (path) => path.endsWith('.js') && !path.includes('/')),
			part('serial add-on', (path) => path.startsWith('prebuilds/')),
			part('kiosk page', (path) => path.startsWith('kiosk/')),
		],
	}
}

const amount = (name: string, bytes: number): Figure => ({ size: name, unit: 'MB', p50: bytes / 1e6, samples: 1 })
