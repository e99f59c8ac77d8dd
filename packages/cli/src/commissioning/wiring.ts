import { randomBytes } from 'node:crypto'
import { Fault, isId, newId } from '@latchwork/core/base'
import { CATALOG } from '@latchwork/drivers/catalog'
import { systemClock } from '@latchwork/edge/clock-file'
import { z } from 'zod'
import { type ApiServer, apiOf } from '../api-client.ts'

const PAGE = 200
const doorsPage = z.object({
	items: z.array(z.object({ id: z.string(), number: z.int() })),
	next: z.string().nullish(),
})

/** What most banks have: boards of sixteen outputs. */
const FAMILY = 'kr16'
const PRODUCT = 'CU16'
const OUTPUTS = 16

/**
 * The compartments of a bank in the form that `wiring.json` wants, as if its doors hung on the outputs in the order of their numbers; lines and
 * reader stand there as examples. Whoever knows the cabinet corrects it: nothing but a look tells which door hangs where.
 */
export async function wiringOf(server: ApiServer, bank: string): Promise<object> {
	if (!isId('bank', bank)) throw new Fault('config-invalid', '--bank needs the id of the bank, as the console shows it: bnk_…')
	const ask = apiOf(server)
	const doors: z.infer<typeof doorsPage>['items'] = []
	for (let cursor: string | null | undefined = ''; cursor != null; ) {
		const page: z.infer<typeof doorsPage> = doorsPage.parse(
			await (await ask(`compartments?bank=${bank}&limit=${PAGE}${cursor === '' ? '' : `&cursor=${encodeURIComponent(cursor)}`}`)).json(),
		)
		doors.push(...page.items)
		cursor = page.next
	}
	if (doors.length === 0) throw new Fault('not-found', `${bank} has no doors, or this token may not see them.`)
	doors.sort((a, b) => a.number - b.number)
	const entry = CATALOG.find((one) => one.family === FAMILY)
	const boardsOfBus = entry?.kind === 'board' ? entry.addresses : 1
	const compartments = doors.map(({ id, number }, i) => {
		const board = Math.floor(i / OUTPUTS)
		return { id, door: number, bus: `bus-${Math.floor(board / boardsOfBus) + 1}`, board: board % boardsOfBus, channel: i % OUTPUTS }
	})
	const buses = [...new Set(compartments.map(({ bus }) => bus))].map((id) => ({
		id,
		family: FAMILY,
		product: PRODUCT,
		transport: { kind: 'serial', path: `/dev/serial/by-id/LOCK-${id.toUpperCase()}`, baud: 19_200 },
		boards: [...new Set(compartments.filter(({ bus }) => bus === id).map(({ board }) => board))],
	}))
	const reader = newId('reader', Math.floor(systemClock.now()), randomBytes)
	return {
		port: 4180,
		web: '/opt/latchwork/kiosk',
		buses,
		readers: [
			{ id: reader, family: 'osdp', transport: { kind: 'serial', path: '/dev/serial/by-id/READER', baud: 9_600 }, address: 1, key: 'reader.key' },
		],
		compartments,
	}
}
