import { closeSync, existsSync, fsyncSync, linkSync, mkdirSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { Fault, type Random, toHex } from '@latchwork/core/base'
import { keyBytes, type ServerConfig } from './config.ts'

/** Made at the first start, for this user alone; without it nothing that is sealed in the database can be read again. */
export function masterKeyBytes({ masterKey }: Pick<ServerConfig, 'masterKey'>, random: Random, how: 'serve' | 'visit'): Uint8Array {
	if ('bytes' in masterKey) return masterKey.bytes
	const { file } = masterKey
	if (!existsSync(file)) {
		if (how === 'visit')
			throw new Fault(
				'config-invalid',
				`There is no master key in ${file}. Start the server once, then give this command as the same user and with the same environment (LATCHWORK_DATA, LATCHWORK_MASTER_KEY, DATABASE_URL).`,
			)
		mkdirSync(dirname(file), { recursive: true, mode: 0o700 })
		writeKey(file, random)
	}
	if ((statSync(file).mode & 0o077) !== 0)
		throw new Fault('config-invalid', `${file} can be read by others. It is the master key: \`chmod 600\` it, and ask who has read it.`)
	return keyBytes(file, readFileSync(file, 'utf8'))
}

/**
 * On the disk, whole, before anything is sealed under it: the database keeps its word when the power fails, and a key that did not would leave it sealed
 * for ever. Whoever starts at the same moment takes the one that was first.
 */
function writeKey(path: string, random: Random): void {
	const aside = `${path}.${toHex(random(8))}`
	try {
		const file = openSync(aside, 'wx', 0o600)
		try {
			writeFileSync(file, `${toHex(random(32))}\n`)
			fsyncSync(file)
		} finally {
			closeSync(file)
		}
		try {
			linkSync(aside, path)
		} catch (cause) {
			if ((cause as { code?: string }).code !== 'EEXIST') throw cause
		}
	} finally {
		rmSync(aside, { force: true })
	}
	const folder = openSync(dirname(path), 'r')
	try {
		fsyncSync(folder)
	} finally {
		closeSync(folder)
	}
}
