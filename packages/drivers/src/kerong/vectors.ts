import type { Message } from './codec.ts'

/** Typed over from hardware.md §1.1 (check bytes recomputed there), not produced by the codec. */
export const VECTORS: readonly { readonly name: string; readonly hex: string; readonly means: Message }[] = [
	{ name: 'status board 0', hex: '02 00 30 03 35', means: { kind: 'status-query', board: 0 } },
	{ name: 'status board 2', hex: '02 20 30 03 55', means: { kind: 'status-query', board: 2 } },
	{ name: 'unlock board 0 lock 1', hex: '02 00 31 03 36', means: { kind: 'unlock', board: 0, lock: 0 } },
	{ name: 'unlock board 0 lock 16', hex: '02 0F 31 03 45', means: { kind: 'unlock', board: 0, lock: 15 } },
	{ name: 'status of all boards', hex: '02 F0 32 03 27', means: { kind: 'status-all-query' } },
	{ name: 'unlock time 550 ms', hex: '02 00 37 00 37 03 73', means: { kind: 'unlock-time-set', board: 0, ms: 550 } },
	{ name: 'delay 5 s', hex: '02 00 39 05 03 43', means: { kind: 'delayed-unlock', board: 0, lock: 0, seconds: 5 } },
	{
		name: 'answer: lock 2 open, rest closed, object in 5',
		hex: '02 00 35 FD FF 10 00 03 46',
		means: { kind: 'status', board: 0, lock: 0, latches: 0xfffd, objects: 0x0010 },
	},
]
