import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sampleId } from '@latchwork/core/access/testing'
import { fakeClock } from '@latchwork/core/base'
import type { EventDraft } from '@latchwork/core/ledger'
import type { DriverClock } from '@latchwork/drivers/transport'
import type { EdgeConfig } from './config.ts'
import { type ReaderParts, readerEvents } from './readers.ts'

test('a reader that never answers is told of once, one that came and one that went already are not', async () => {
	const [mute, here, gone] = ['mute', 'here', 'gone'].map((name) => sampleId('reader', name))
	assert.ok(mute && here && gone)
	const told: EventDraft[] = []
	const parts = {
		journal: { note: (event: EventDraft) => void told.push(event) },
		ids: [mute, here, gone].map((id) => ({ id, family: 'osdp' })),
		session: () => assert.fail('nobody shows anything'),
		changed: () => {},
	} as unknown as ReaderParts
	const clock = fakeClock()
	const readers = readerEvents(parts)
	const stops: (() => Promise<void>)[] = []
	await readers.start({ readers: [] } as unknown as EdgeConfig, clock as unknown as DriverClock, (stop) => stops.push(stop))
	readers.event({ kind: 'reader-up', secure: true }, here)
	readers.event({ kind: 'reader-down' }, gone)
	const seen = () => told.map(({ type, subject }) => [type, subject])
	await clock.advance(60_000)
	assert.deepEqual(seen(), [
		['reader.online', here],
		['reader.lost', gone],
		['reader.lost', mute],
	])
	await Promise.all(stops.map((stop) => stop()))
})
