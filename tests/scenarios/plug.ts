import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from './site.ts'

/** Between two statements, where no kill from outside would fall: what a controller writes there tells when its power goes. */
export interface Moment {
	/** Folder of the controller. */
	readonly folder: string
	/** The document of its journal. */
	readonly kind: string
	readonly key: string
	/** `written`: in the middle of the transaction that writes it; `kept`: the transaction has just been synced, and nothing has been done since. */
	readonly when: 'written' | 'kept'
}

/** The power plug of the controllers of one site (plug-preload.ts is in each of them). */
export interface Plug {
	/** For the site that is started with it. */
	readonly env: Readonly<Record<string, string>>
	/** Pulls it at the next such moment; the answer resolves when it is out. The next controller waits at the socket until it is put back. */
	pullAt(moment: Moment): Promise<void>
	/** Puts it back; what was to come and has not come is forgotten. */
	putBack(): void
	close(): void
}

const PLUG = 'LATCHWORK_TEST_PLUG'

export function plug(): Plug {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-plug-'))
	const file = join(folder, 'plug.json')
	const isOut = () => existsSync(file) && 'out' in (JSON.parse(readFileSync(file, 'utf8')) as object)
	return {
		env: { NODE_OPTIONS: `--import ${new URL('./plug-preload.ts', import.meta.url)}`, [PLUG]: file },
		async pullAt(moment) {
			writeFileSync(`${file}.new`, JSON.stringify(moment))
			renameSync(`${file}.new`, file)
			await eventually(async () => isOut(), Boolean, `the power to go when ${moment.kind} ${moment.key} is ${moment.when}`)
		},
		putBack: () => rmSync(file, { force: true }),
		close: () => rmSync(folder, { recursive: true, force: true }),
	}
}
