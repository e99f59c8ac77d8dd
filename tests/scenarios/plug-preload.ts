import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import { basename, dirname } from 'node:path'
import type { Moment } from './plug.ts'

/**
 * Runs before the program in every process of a site that was started with a plug, and does something in controllers alone: it kills its own process at
 * the moment that the plug's file names, as a power cut would, and holds the next one of the same folder until the file is gone.
 */
const file = process.env.LATCHWORK_TEST_PLUG
const config = process.argv[2]

if (file !== undefined && config !== undefined && basename(config) === 'edge.json') {
	const folder = dirname(config)
	const read = (): Partial<Moment> & { readonly out?: string } => {
		try {
			return JSON.parse(readFileSync(file, 'utf8')) as Partial<Moment>
		} catch {
			return {}
		}
	}
	const pull = (): never => {
		writeFileSync(`${file}.new`, JSON.stringify({ out: folder }))
		renameSync(`${file}.new`, file)
		process.kill(process.pid, 'SIGKILL')
		throw new Error('It is dead.')
	}
	const held = new Int32Array(new SharedArrayBuffer(4))
	while (read().out === folder) Atomics.wait(held, 0, 0, 5)

	const { DatabaseSync, StatementSync } = process.getBuiltinModule('node:sqlite')
	const { run } = StatementSync.prototype
	const { exec } = DatabaseSync.prototype
	let written = false
	StatementSync.prototype.run = new Proxy(run, {
		apply(target, statement, values: unknown[]) {
			const done = Reflect.apply(target, statement, values)
			const at = read()
			if (at.folder === folder && at.kind === values[0] && at.key === values[1]) {
				if (at.when === 'written') pull()
				written = true
			}
			return done
		},
	})
	DatabaseSync.prototype.exec = function (sql) {
		exec.call(this, sql)
		if (written && sql === 'COMMIT') pull()
	}
}
