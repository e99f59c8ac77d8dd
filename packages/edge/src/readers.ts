import { Fault, type Id } from '@latchwork/core/base'
import type { EventDraft } from '@latchwork/core/ledger'
import { CATALOG } from '@latchwork/drivers/catalog'
import type { Reader, ReaderEvent } from '@latchwork/drivers/reader'
import { type DriverClock, openTransport } from '@latchwork/drivers/transport'
import type { EdgeConfig } from './config.ts'
import type { Journal } from './journal/index.ts'
import { READER_KEY_BYTES, secretBytes } from './keys.ts'
import type { KioskSession } from './kiosk/index.ts'

/** A reader that has not answered for so long after the start counts as lost. */
const FIRST_WORD_MS = 15_000

export interface ReaderState {
	readonly id: Id<'reader'>
	readonly family: string
	readonly online: boolean
	readonly secure: boolean
}

export interface ReaderParts {
	readonly journal: Journal
	readonly ids: EdgeConfig['readers']
	readonly session: () => KioskSession
	readonly changed: () => void
}

export type ReaderEvents = ReturnType<typeof readerEvents>

/** Readers and scanners of the kiosk: what a person shows goes to the session, what concerns the hardware goes on record. */
export function readerEvents(parts: ReaderParts) {
	const states = new Map<string, ReaderState>(
		parts.ids.map((r) => [`${r.id}/${r.family}`, { id: r.id, family: r.family, online: false, secure: false }]),
	)
	const started: Reader[] = []
	/** Readers of which this run has said whether they answer. */
	const told = new Set<string>()

	const note = (event: EventDraft) => {
		parts.journal.note(event)
		parts.changed()
	}
	const from = (id: Id<'reader'>, family: string) => (event: ReaderEvent) => {
		const state = states.get(`${id}/${family}`) ?? { id, family, online: false, secure: false }
		switch (event.kind) {
			case 'card':
			case 'keys':
			case 'scan':
				return parts.session().reader(event, family)
			case 'reader-up':
				told.add(`${id}/${family}`)
				states.set(`${id}/${family}`, { ...state, online: true, secure: event.secure })
				return note({ type: 'reader.online', subject: id, actor: 'edge', data: { family, secure: event.secure } })
			case 'reader-down':
				told.add(`${id}/${family}`)
				states.set(`${id}/${family}`, { ...state, online: false, secure: false })
				return note({ type: 'reader.lost', subject: id, actor: 'edge', data: { family } })
			case 'security':
				return note({ type: 'reader.security', subject: id, actor: 'edge', data: { code: event.code } })
			case 'tamper':
				return note({ type: 'controller.tampered', subject: id, actor: 'edge', data: { part: 'reader', active: event.active } })
			case 'power':
				return note({
					type: event.failed ? 'controller.power-lost' : 'controller.power-restored',
					subject: id,
					actor: 'edge',
					data: { part: 'reader' },
				})
		}
	}

	return {
		state: (): ReaderState[] => [...states.values()],
		event: (event: ReaderEvent, id: Id<'reader'>) => from(id, 'osdp')(event),
		signal(what: 'granted' | 'denied' | 'idle') {
			for (const reader of started) reader.signal?.(what).catch(() => {}) // a lamp that does not light stops nobody
		},
		/** `onStop` gets what ends each reader. Throws `Fault` config-invalid. */
		async start(config: EdgeConfig, bench: DriverClock, onStop: (stop: () => Promise<void>) => void): Promise<void> {
			for (const r of config.readers) {
				const entry = CATALOG.find((e) => e.family === r.family)
				if (!entry || entry.kind === 'board') throw new Fault('config-invalid', `readers.${r.id}.family: there is no reader family "${r.family}".`)
				const product = r.product ?? entry.products[0] ?? ''
				if (!entry.products.includes(product))
					throw new Fault(
						'config-invalid',
						`readers.${r.id}.product: ${r.family} has no product "${product}"; there are: ${entry.products.join(', ')}.`,
					)
				const reader = entry.create(product)
				const key = r.key === undefined ? undefined : secretBytes(r.key, READER_KEY_BYTES)
				const io = await openTransport(r.transport, bench)
				onStop(async () => {
					await reader.stop()
					await io.close()
				})
				await reader.start(
					io,
					{
						...(r.address !== undefined && { address: r.address }),
						...(key && { key }),
						...(r.allowPlain !== undefined && { allowPlain: r.allowPlain }),
						...(r.prefix !== undefined && { prefix: r.prefix }),
					},
					bench,
					from(r.id, r.family),
				)
				started.push(reader)
			}
			// A driver tells of a reader that comes and goes. One that never came is known to nobody who follows the stream, unless it is told here.
			const cancel = bench.after(FIRST_WORD_MS, () => {
				for (const { id, family } of states.values()) if (!told.has(`${id}/${family}`)) from(id, family)({ kind: 'reader-down' })
			})
			onStop(async () => cancel())
		},
	}
}
