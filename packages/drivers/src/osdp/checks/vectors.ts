import assert from 'node:assert/strict'
import { toHex } from '@latchwork/core/base'
import type { ReaderCheck } from '../../testing/reader-bench.ts'
import { checksum, crc16, decodePacket, encodePacket } from '../codec.ts'
import { annexE, recorded } from '../vectors.ts'

/** `codec` is replaced only by the controls. */
export const goldenVectors = (codec = { crc16, decodePacket, encodePacket }): ReaderCheck => ({
	item: 1,
	name: 'the check bytes of Annex E, and every recorded packet decodes and encodes byte for byte',
	lines: ['memory'],
	async run() {
		for (const { name, bytes, gives } of annexE()) {
			if (name === 'crc') assert.equal(codec.crc16(bytes), (gives[0] ?? 0) + 256 * (gives[1] ?? 0))
			if (name === 'sum') assert.equal(checksum(bytes), gives[0])
		}
		const packets = [...recorded('plain'), ...recorded('secure')].flatMap(({ command, answer }) => [command, answer])
		assert.ok(packets.length >= 40)
		for (const bytes of packets) {
			const packet = codec.decodePacket(bytes)
			assert.ok(packet, toHex(bytes))
			assert.equal(toHex(codec.encodePacket(packet, () => packet.mac ?? assert.fail('signed without a MAC'))), toHex(bytes))
		}
	},
})
