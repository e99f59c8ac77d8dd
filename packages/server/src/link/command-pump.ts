import type { Clock, Id, Random } from '@latchwork/core/base'
import type { LinkCommand } from '@latchwork/core/wire'
import { type Command, expireCommands, isApprovalLate, messageOf, sentCommand, waitingCommands } from '../space/index.ts'
import type { Store } from '../store/index.ts'

export interface CommandPumpParts {
	readonly store: Store
	readonly clock: Clock
	readonly random: Random
	/** True: the broker has it. */
	readonly send: (controller: Id<'controller'>, message: LinkCommand) => Promise<boolean>
	readonly failed: (cause: unknown) => void
}

export interface CommandPump {
	/** There may be a new one. */
	wake(): void
	/** This one is new, and committed: a person waits at the door, so it is sent without another look. */
	requested(command: Command): void
	/** This controller is there anew: what it has not answered is sent once more. */
	again(controller: Id<'controller'>): void
	close(): Promise<void>
}

/** Whoever asked in another process is heard by the ledger's bell; this look is for when that is deaf, and for what runs out. */
const LOOK_EVERY_MS = 1_000

/**
 * Follows the rows that ask for something: sends, notes that it was sent, gives up what nobody answered. A crash between sending and noting sends it
 * twice, and the controller does it once.
 */
export function openCommandPump({ store, clock, random, send, failed }: CommandPumpParts): CommandPump {
	const anew = new Set<string>()
	const underWay = new Map<string, Promise<void>>()
	let running: Promise<void> | undefined
	let wanted = false
	let closed = false

	const sendOne = async (command: Command): Promise<void> => {
		if (!(await send(command.controller, messageOf(command)))) return
		if (command.state === 'requested') await store.write(command.tenant, (tx) => sentCommand(tx, command.id, { now: clock.now(), random }))
	}
	/** Once at a time: a look may find what is being sent. To a controller that is there anew it goes after that, as the last one may have met nobody. */
	const sendAlone = async (command: Command, again = false): Promise<void> => {
		const before = underWay.get(command.id)
		if (before) {
			await before
			if (!again) return
		}
		const done = sendOne(command).catch(failed)
		underWay.set(command.id, done)
		await done
		underWay.delete(command.id)
	}

	const round = async (): Promise<void> => {
		const now = clock.now()
		const waiting = await store.system(waitingCommands)
		const again = new Set(anew)
		anew.clear()
		const due = waiting.filter((c) => c.expiresAt > now && (c.state === 'requested' || again.has(c.controller)))
		await Promise.all(due.map((c) => sendAlone(c, again.has(c.controller))))
		if (waiting.some((c) => c.expiresAt <= now) || (await store.system((tx) => isApprovalLate(tx, now))))
			await store.system((tx) => expireCommands(tx, { now, random }))
	}

	const run = async (): Promise<void> => {
		while (wanted && !closed) {
			wanted = false
			await round().catch(failed)
		}
		running = undefined
	}
	const wake = () => {
		wanted = true
		if (!closed) running ??= run()
	}
	let cancel = () => {}
	const look = () => {
		wake()
		cancel = clock.after(LOOK_EVERY_MS, look)
	}
	look()
	return {
		wake,
		requested(command) {
			if (!closed) void sendAlone(command)
		},
		again(controller) {
			anew.add(controller)
			wake()
		},
		async close() {
			closed = true
			cancel()
			await running
			await Promise.all(underWay.values())
		},
	}
}
