import type { Act, Content, DoorTimer, Evidence, Tri } from '../index.ts'

/**
 * What a door does, as data. Four compartments with what their hardware can tell; all shut, seen and in order at the start:
 *   full  latch and presence   · plain  latch only   · mute  latch, and its board answers nothing   · blind  acknowledges, senses nothing
 * `full` holds the laptop unless `content` says otherwise; the others are empty.
 */
export type Box = 'full' | 'plain' | 'mute' | 'blind'
export type Person = 'ann' | 'bob'

export type Given =
	| { do: 'ask'; box: Box; act: Act; by: Person; command: string; needs: Evidence; item: string; late: boolean; parallel: boolean }
	| { do: 'pulsed'; box: Box; sent: boolean; ack: 'ok' | 'refused' | 'none'; fence?: number }
	| { do: 'door'; box: Box; value: Tri; initial: boolean }
	| { do: 'presence'; box: Box; value: boolean | 'unknown'; initial: boolean }
	| { do: 'reading'; box: Box; door: Tri; presence: boolean | 'unknown'; fence?: number }
	| { do: 'timer'; box: Box; timer: DoorTimer; fence: number }
	| {
			do: 'said'
			box: Box
			said: 'did-not-open' | 'found-occupied' | 'found-empty' | 'wrong-item' | 'done' | 'not-done' | 'unanswered'
			fence?: number
	  }
	| { do: 'identified'; box: Box; item: string }
	| { do: 'lost'; boxes: readonly Box[] }
	| { do: 'settle'; box: Box; content: Content }
	/** Virtual time passes; timers that the reducer asked for and did not stop fire when due. */
	| { do: 'wait'; ms: number }
	/** The process dies and comes back: timers and answers are gone, the state is what was written. */
	| { do: 'restart'; downMs: number }

export interface Row {
	readonly name: string
	readonly content?: { readonly [box in Box]?: Content }
	readonly singleOpen?: boolean
	readonly given: readonly Given[]
	/** Everything is compared exactly; what is not named must not be there. */
	readonly expect: {
		/** Ends in order: `box end evidence why`, with `unverified` behind. */
		readonly ends?: readonly string[]
		/** Live sessions: `box state`, with what is special about them. */
		readonly live?: readonly string[]
		/** Answer to the last request: a refusal, or `repeated` and its end. */
		readonly answer?: string
		/** Event types in order; `door-session.` and `compartment.` are left out. */
		readonly events: string
		/** Boxes in the order of their pulses. */
		readonly pulses?: string
		/** Boxes in the order of the reads asked for. */
		readonly reads?: string
		/** Timers still running at the end: `box timer`. */
		readonly running?: string
		/** Holds at the end: `box kind why`. */
		readonly holds?: readonly string[]
		/** Content that differs from the start: `box item`, `box empty`, `box unknown (last)`. */
		readonly content?: readonly string[]
	}
}

type Asking = Partial<Omit<Extract<Given, { do: 'ask' }>, 'do' | 'box' | 'act'>>
const ask = (box: Box, act: Act, over: Asking): Given => ({
	do: 'ask',
	box,
	act,
	by: 'ann',
	command: `${act} ${box}`,
	needs: box === 'full' ? 3 : 2,
	item: 'laptop',
	late: false,
	parallel: false,
	...over,
})
export const take = (box: Box, over: Asking = {}): Given => ask(box, 'collect', over)
export const put = (box: Box, over: Asking = {}): Given => ask(box, 'deposit', over)
export const inspect = (box: Box, over: Asking = {}): Given => ask(box, 'inspect', { needs: 0, ...over })
export const ack = (box: Box): Given => ({ do: 'pulsed', box, sent: true, ack: 'ok' })
export const door = (box: Box, value: Tri, initial = false): Given => ({ do: 'door', box, value, initial })
export const opens = (box: Box): Given => door(box, 'open')
export const shuts = (box: Box): Given => door(box, 'closed')
export const senses = (box: Box, value: boolean | 'unknown', initial = false): Given => ({ do: 'presence', box, value, initial })
export const reads = (box: Box, value: Tri, presence: boolean | 'unknown' = 'unknown'): Given => ({ do: 'reading', box, door: value, presence })
export const says = (box: Box, said: Extract<Given, { do: 'said' }>['said']): Given => ({ do: 'said', box, said })
export const wait = (ms: number): Given => ({ do: 'wait', ms })
export const restart = (downMs = 500): Given => ({ do: 'restart', downMs })
export const lost = (...boxes: Box[]): Given => ({ do: 'lost', boxes })
export const settle = (box: Box, content: Content): Given => ({ do: 'settle', box, content })
export const tag = (box: Box, item: string): Given => ({ do: 'identified', box, item })

export const laptop: Content = { kind: 'item', item: 'laptop' }
export const empty: Content = { kind: 'empty' }
export const SETTLED = wait(300)
/** A person takes the laptop out of `full`, door shut and settled. */
export const TAKEN = [take('full'), ack('full'), opens('full'), senses('full', false), shuts('full'), SETTLED]
/** A failed try at `full`: acknowledged, and still shut after T_open. */
export const NOT_OPENED = [ack('full'), wait(10_000), reads('full', 'closed', true)]
export const flap = (box: Box, times: number): Given[] => Array.from({ length: times }, (_, i) => [wait(100), i % 2 ? shuts(box) : opens(box)]).flat()
