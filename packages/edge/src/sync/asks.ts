import type { Clock, Random } from '@latchwork/core/base'
import { ANSWER_WITHIN_MS, type LinkAnswer, type LinkAsk } from '@latchwork/core/wire'

export type Question = DistributiveOmit<LinkAsk, 'v' | 'id'>
type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never

/** Questions that wait for their answer; somebody may stand at the kiosk meanwhile, so none waits long. */
export interface Asks {
	/** Undefined when nobody has answered in time; an answer that comes later is dropped. `id` is what the answer names. */
	ask(question: Question, id?: string): Promise<LinkAnswer | undefined>
	heard(answer: LinkAnswer): void
	/** The link is gone: nothing more will come. */
	giveUp(): void
}

export function openAsks(parts: { readonly clock: Pick<Clock, 'after'>; readonly random: Random; readonly send: (ask: LinkAsk) => void }): Asks {
	const waiting = new Map<string, (answer: LinkAnswer | undefined) => void>()
	return {
		ask: (question, id = newAsk(parts.random)) =>
			new Promise((resolve) => {
				const settle = (answer: LinkAnswer | undefined) => {
					cancel()
					waiting.delete(id)
					resolve(answer)
				}
				const cancel = parts.clock.after(ANSWER_WITHIN_MS, () => settle(undefined))
				waiting.set(id, settle)
				parts.send({ v: 1, id, ...question } as LinkAsk)
			}),
		heard: (answer) => waiting.get(answer.id)?.(answer),
		giveUp() {
			for (const settle of [...waiting.values()]) settle(undefined)
		},
	}
}

/** Unlike any other, so that an answer that somebody recorded answers nothing. */
export const newAsk = (random: Random): string => `ask-${Buffer.from(random(16)).toString('base64url')}`
