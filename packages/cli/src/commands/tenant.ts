import { Fault } from '@latchwork/core/base'
import { emailAddress } from '@latchwork/server/config'
import { readArgs } from '../config.ts'
import { operated, sayPassword } from '../operating.ts'

/** `latchwork tenant add --name NAME --admin EMAIL`, `latchwork tenant list`: for whoever operates the server, beside it or while it stands still. */
export async function tenant([verb, ...rest]: readonly string[]): Promise<void> {
	const { values } = readArgs(rest, { data: { type: 'string' }, name: { type: 'string' }, admin: { type: 'string' } })
	const data = values.data === undefined ? undefined : String(values.data)
	if (verb === 'list') {
		const all = await operated(data, (operating) => operating.organisations())
		for (const { id, name } of all) process.stdout.write(`${id}  ${name}\n`)
		return
	}
	if (verb !== 'add' || values.name === undefined || values.admin === undefined)
		throw new Fault('config-invalid', 'Say what to do: `latchwork tenant add --name NAME --admin EMAIL`, or `latchwork tenant list`.')
	const wanted = { name: String(values.name), email: emailAddress(String(values.admin), '--admin') }
	sayPassword(await operated(data, (operating) => operating.addOrganisation(wanted)))
}
