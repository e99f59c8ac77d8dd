import { randomBytes } from 'node:crypto'
import { systemClock } from '@latchwork/edge/clock-file'
import { cedarEngine } from '@latchwork/edge/policy-engine'
import { serverConfig } from '@latchwork/server/config'
import { type Operating, operate } from '@latchwork/server/operate'

/** Works on the database that the server with this environment has, whether it runs or not. */
export function operated<T>(data: string | undefined, work: (operating: Operating) => Promise<T>): Promise<T> {
	// What a start of the database writes is for this user alone, as with the server.
	process.umask(0o077)
	return operate(
		serverConfig({ ...process.env, ...(data !== undefined && { LATCHWORK_DATA: data }) }),
		{
			clock: systemClock,
			random: (n) => new Uint8Array(randomBytes(n)),
			log: ({ level, text }) => level !== 'info' && void process.stderr.write(`${text}\n`),
			engine: cedarEngine,
			failed: (fault) => {
				process.stderr.write(`${fault.message}\n`)
				process.exit(1)
			},
		},
		work,
	)
}

/** A password is said here, once. */
export const sayPassword = ({ tenant, email, password }: { readonly tenant: string; readonly email: string; readonly password: string }): void =>
	void process.stdout.write(`organisation: ${tenant}\ne-mail: ${email}\npassword, shown this once: ${password}\n`)
