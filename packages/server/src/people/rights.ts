import type { Caller } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { Db, Tx } from '../store/index.ts'

/** What `access`, which stands to the right, says about changes of people. Each throws when it must not be. */
export interface Rights {
	/** With a group come the roles that it holds: whoever lets somebody in must hold them. */
	mayLetIn(db: Db, by: Caller, group: Id<'group'>): Promise<void>
	/**
	 * Whoever sets somebody's password or address can be that person, and whoever suspends somebody or shortens their time without the server can silence that
	 * person: they must hold all that the other holds.
	 */
	mayActAs(db: Db, by: Caller, subject: Id<'subject'>): Promise<void>
	/** After the change: somebody who can sign in still owns the organisation. */
	stillOwned(tx: Tx): Promise<void>
}
