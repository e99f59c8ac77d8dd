import { resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { Fault } from '@latchwork/core/base'

/** What `latchwork dev` runs with: command line over environment over default. */
export interface DevConfig {
	readonly data: string
	/** Kiosk on this port, then virtual bank, API with console, device port, second kiosk; undefined: from 4180, or the next free run. */
	readonly port: number | undefined
	readonly fresh: boolean
	readonly demo: boolean
	readonly virtualClock: boolean
	/** One controller and its virtual bank without a server. */
	readonly alone: boolean
	/** A bundled controller to run instead of the one in the repository. */
	readonly edge: string | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** Where data lies when nobody says otherwise; relative to where the command is given. */
export const dataDirectory = (env: Environment): string => resolve(given(env.LATCHWORK_DATA) ?? '.latchwork')

/** A variable that is set to nothing is not set. */
const given = (value: string | undefined): string | undefined => (value === '' ? undefined : value)

export function devConfig(args: readonly string[], env: Environment): DevConfig {
	const { values } = readArgs(args, {
		data: { type: 'string' },
		port: { type: 'string' },
		fresh: { type: 'boolean', default: false },
		'no-demo': { type: 'boolean', default: false },
		'virtual-clock': { type: 'boolean', default: false },
		alone: { type: 'boolean', default: false },
		edge: { type: 'string' },
	})
	const port = values.port ?? given(env.LATCHWORK_PORT)
	if (values.data === '') throw new Fault('config-invalid', '--data needs a directory.')
	return {
		data: values.data === undefined ? dataDirectory(env) : resolve(String(values.data)),
		port: port === undefined ? undefined : portNumber(String(port)),
		fresh: values.fresh === true,
		demo: values['no-demo'] !== true,
		virtualClock: values['virtual-clock'] === true,
		alone: values.alone === true,
		edge: values.edge === undefined ? undefined : resolve(String(values.edge)),
	}
}

function portNumber(text: string): number {
	const port = Number(text)
	if (!Number.isInteger(port) || port < 1 || port > 65_531) {
		throw new Fault('config-invalid', `LATCHWORK_PORT must be a number from 1 to 65531 (the next four are taken, too), not "${text}".`)
	}
	return port
}

/** `util.parseArgs` with an error that a person can act on. */
export function readArgs(
	args: readonly string[],
	options: NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>,
	allowPositionals = false,
) {
	try {
		return parseArgs({ args: [...args], options, allowPositionals, strict: true })
	} catch (cause) {
		const why = String(cause instanceof Error ? cause.message : cause).replace(/\.?$/, '.')
		throw new Fault('config-invalid', `${why} \`latchwork help\` lists the options.`, { cause })
	}
}
