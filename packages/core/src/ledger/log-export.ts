import { canonicalBytes } from '../base/index.ts'
import { entriesPath, numberPath, TILE_WIDTH, type TileAt, tilePath, tilesOf } from './tiles.ts'

/**
 * A log as a folder or archive that needs nobody's help to be checked: the files of C2SP tlog-tiles for the newest checkpoint, every
 * checkpoint that was signed before it, the key, and two files that say what this is.
 */
export const LOG_FILES = { checkpoint: 'checkpoint', key: 'log.vkey', statement: 'export.json', readme: 'README.md' } as const

/** The log's checkpoints, the first that it signed is 0. */
export const checkpointPath = (index: number): string => `checkpoints/${numberPath(index)}`

/** Bundles of entries of a log of `size`, from the left. */
export function* bundlesOf(size: number): Generator<TileAt> {
	for (const tile of tilesOf(size)) {
		if (tile.level > 0) return
		yield tile
	}
}

/** Paths of all tiles and bundles that an export of this size holds. */
export const exportPaths = (size: number): string[] => [...[...tilesOf(size)].map(tilePath), ...[...bundlesOf(size)].map(entriesPath)]

/** `export.json`: which form this is and of what. Said by the newest checkpoint alone, so a verifier can hold it against that. */
export function statementOf({ origin, size }: { readonly origin: string; readonly size: number }): Uint8Array {
	return canonicalBytes({ format: 'latchwork-log-export/1', origin, size, tileWidth: TILE_WIDTH, hash: 'sha256', entries: 'canonical-json' })
}

/** For whoever opens the folder years later. It is not part of the proof, but of the form: another text needs another number in `export.json`. */
export const readmeOf = (origin: string): string => `# Audit log ${origin}

This folder is a whole transparency log, in public formats. Nobody needs Latchwork, or to trust it, to check it.

- \`checkpoint\`: the newest signed statement "so many entries, this root hash" (C2SP tlog-checkpoint, signed-note; Ed25519).
- \`checkpoints/000\`, \`001\` …: all such statements since the log began, in order. Index 1,234 is written \`x001/234\`.
- \`log.vkey\`: the key that signs them (C2SP signed-note, verifier key). Compare it with the key that you got on another way.
- \`tile/<level>/<index>\`: hashes of the Merkle tree, RFC 6962 in tiles of 256 (C2SP tlog-tiles). \`.p/<width>\` is a tile that is not full.
- \`tile/entries/<index>\`: the entries, each behind its length in two bytes, big end first. An entry is canonical JSON (RFC 8785).
- \`export.json\`: form and size of this export.

An entry with a \`stream\` was minted by a controller: its \`seq\` counts without a gap within the stream, and \`prev\` is the SHA-256 of the stream's
entry before it. An entry with \`"source":"server"\` was minted by the server. People appear as pseudonyms only.

Check it: \`latchwork ledger verify FOLDER --key "…"\`, or with Go and nothing of ours but one file: \`verify_log.go\` of the documentation.
`
