import { resolve } from 'node:path'
import { Fault } from '@latchwork/core/base'
import { bundleEdge } from '../bundle/edge.ts'
import { readArgs } from '../config.ts'

/** `latchwork bundle edge --out DIR [--platform linux-arm64]`: the controller as it is shipped, without Node. */
export async function bundle([what, ...rest]: readonly string[]): Promise<void> {
	if (what !== 'edge') throw new Fault('config-invalid', 'Say what goes where: `latchwork bundle edge --out DIR`.')
	const { values } = readArgs(rest, { out: { type: 'string' }, platform: { type: 'string' } })
	if (!values.out) throw new Fault('config-invalid', 'Say where it goes: `latchwork bundle edge --out DIR`.')
	const out = resolve(String(values.out))
	const { files, bytes, digest } = await bundleEdge({ out, ...(values.platform !== undefined && { platform: String(values.platform) }) })
	process.stdout.write(
		`${files.length} files, ${(bytes / 1e6).toFixed(1)} MB in ${out}\nsha256 of SHA256SUMS: ${digest}\nRun it with \`node latchwork-edge.js edge.json\` (Node 24 or newer).\n`,
	)
}
