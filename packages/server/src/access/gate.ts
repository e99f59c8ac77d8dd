import type { IncomingHttpHeaders } from 'node:http'
import type { Caller } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import { type ShownSecret, sawSession, sawToken, shownSecret } from '../people/index.ts'
import type { Db, Tx } from '../store/index.ts'
import { callerOf } from './read.ts'

/** Use is recorded once a minute: an idle session is measured in minutes, and reading stays reading. */
const RECORDED_MS = 60_000

/** Who stands at the door of the API: what `http` asks for. */
export const gate = {
	claimOf: (headers: IncomingHttpHeaders, secure: boolean): ShownSecret | undefined => shownSecret(headers, secure),
	async identify(db: Db, { kind, digest }: ShownSecret, now: number): Promise<{ caller: Caller; touch?(tx: Tx): Promise<void> } | undefined> {
		const known = await callerOf(db, kind, digest, now)
		if (!known) return undefined
		const { caller, seenAt } = known
		if (now - seenAt < RECORDED_MS) return { caller }
		const touch = async (tx: Tx) => {
			await (kind === 'session' ? sawSession(tx, caller.via as Id<'session'>, now) : sawToken(tx, caller.via as Id<'token'>, now))
		}
		return { caller, touch }
	},
}
