import type { Agenda } from './agenda.ts'
import type { Box, Cabinet } from './cabinet.ts'
import type { Choose } from './choice.ts'

/** What the controller hears of a release frame, and when. */
export interface Answer {
	readonly sent: boolean
	readonly ack: 'ok' | 'refused' | 'none'
	readonly afterMs: number
	/** The answer comes a second time, long after. */
	readonly twice: boolean
}

const SWING_MS = 60
const DRIVER_TIMEOUT_MS = 500

/** The wire to the locks: it may lose, delay, repeat and misdirect, and the lock may be stuck or late. */
export class Bus {
	private readonly agenda: Agenda
	private readonly choose: Choose
	private readonly cabinet: Cabinet
	private readonly swing: (box: Box, session: string) => void

	/** `swing`: a freed latch lets the door swing open in front of the person of that session. */
	constructor(agenda: Agenda, choose: Choose, cabinet: Cabinet, swing: (box: Box, session: string) => void) {
		this.agenda = agenda
		this.choose = choose
		this.cabinet = cabinet
		this.swing = swing
	}

	release(box: Box, session: string): Answer {
		const fate = this.choose(24)
		const twice = this.choose(4) === 3
		const afterMs = 30 + this.choose(120)
		if (!this.cabinet.boardUp || fate >= 22) return { sent: fate === 22, ack: 'none', afterMs: fate === 23 ? 3_500 : DRIVER_TIMEOUT_MS, twice } // nobody there
		if (fate === 21) return { sent: true, ack: 'refused', afterMs, twice }
		const target = fate === 20 ? this.another(box) : box
		this.free(target, session)
		if (fate === 19) return { sent: true, ack: 'none', afterMs: DRIVER_TIMEOUT_MS, twice } // lost on the way back
		return { sent: true, ack: 'ok', afterMs: fate === 18 ? 4_500 : afterMs, twice }
	}

	private free(box: Box, session: string): void {
		const lock = this.choose(10)
		if (box.stuckLock || lock === 9) return
		this.agenda.after(lock === 8 ? 2_000 + 1_000 * this.choose(12) : SWING_MS, () => this.swing(box, session))
	}

	/** T7: the wire turned the frame into another valid one. */
	private another(box: Box): Box {
		const { boxes } = this.cabinet
		return boxes[(boxes.indexOf(box) + 1) % boxes.length] ?? box
	}
}
