import { Fault } from '@latchwork/core/base'
import { emailAddress } from '@latchwork/server/config'
import { readArgs } from '../config.ts'
import { operated, sayPassword } from '../operating.ts'

/** `latchwork admin reset EMAIL [--tenant ID]`: another password for whoever lost theirs, an owner too, whom nobody else could help. */
export async function admin([verb, ...rest]: readonly string[]): Promise<void> {
	const { values, positionals } = readArgs(rest, { data: { type: 'string' }, tenant: { type: 'string' } }, true)
	const [email, ...more] = positionals
	if (verb !== 'reset' || email === undefined || more.length > 0)
		throw new Fault('config-invalid', 'Say whose password is lost: `latchwork admin reset EMAIL`.')
	const of = { email: emailAddress(email, 'EMAIL'), ...(values.tenant !== undefined && { tenant: String(values.tenant) }) }
	sayPassword(await operated(values.data === undefined ? undefined : String(values.data), (operating) => operating.resetPassword(of)))
}
