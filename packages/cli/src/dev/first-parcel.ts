import { Fault } from '@latchwork/core/base'
import { type KioskAct, type KioskView, kioskView } from '@latchwork/core/wire'
import { systemClock } from '@latchwork/edge/clock-file'

interface Dropping {
	/** Address of the kiosk page. */
	readonly kiosk: string
	/** Address of the virtual bank. */
	readonly virtual: string
	readonly bank: string
	readonly badge: string
	readonly tag: string
}

const PATIENCE_MS = 30_000
const LOOK_MS = 50

/** Somebody of the staff brings the parcel that waits in the demo: badge, scan, door, hands. Nothing is put into a record by hand. */
export async function dropOff({ kiosk, virtual, bank, badge, tag }: Dropping): Promise<void> {
	const hands = (path: string, body: unknown) => send(`${virtual}/banks/${bank}/${path}`, body)
	const view = async (): Promise<KioskView> => kioskView.parse(await (await fetch(`${kiosk}api/view`)).json())
	const until = async (wanted: (view: KioskView) => boolean): Promise<KioskView> => {
		for (const end = systemClock.mono() + PATIENCE_MS; ; ) {
			const now = await view()
			if (wanted(now)) return now
			if (systemClock.mono() > end)
				throw new Fault('request-refused', `The demo parcel could not be dropped off: the kiosk shows "${now.screen.name}".`)
			await new Promise<void>((done) => systemClock.after(LOOK_MS, done))
		}
	}
	const act = async (one: KioskAct) => send(`${kiosk}api/act`, { turn: (await view()).turn, act: one })

	for (const end = systemClock.mono() + PATIENCE_MS; ; ) {
		await until(({ screen }) => screen.name === 'attract')
		await hands('badge', { number: badge })
		const { screen } = await until((v) => v.screen.name !== 'attract' && v.screen.name !== 'asking')
		if (screen.name === 'choose' && screen.choices.some((choice) => choice.id === 'drop-off')) break
		// The bank's first bundle may be older than the parcel; the next one is on its way.
		await act({ kind: screen.name === 'choose' ? 'finish' : 'back' })
		if (systemClock.mono() > end) break
		await new Promise<void>((done) => systemClock.after(LOOK_MS * 10, done))
	}
	await act({ kind: 'choose', id: 'drop-off' })
	await until(({ screen }) => screen.name === 'parcels')
	await hands('scan', { text: tag })
	const { screen } = await until((v) => v.screen.name === 'open')
	const door = screen.name === 'open' ? screen.door.number : 0
	await hands(`compartments/${door}/item`, { present: true, tag })
	await until((v) => v.screen.name !== 'open' || v.screen.contentChanged)
	await hands(`compartments/${door}/door`, { state: 'closed' })
	const ended = await until((v) => v.screen.name === 'confirm' || v.screen.name === 'done')
	if (ended.screen.name === 'confirm') await act({ kind: 'confirm', done: true })
	await until((v) => v.screen.name === 'done')
	await act({ kind: 'finish' })
}

async function send(url: string, body: unknown): Promise<void> {
	const answer = await fetch(url, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) })
	if (!answer.ok)
		throw new Fault('request-refused', `The demo parcel could not be dropped off: ${url} answered ${answer.status} ${await answer.text()}`)
}
