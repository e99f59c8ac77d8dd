import type { Crypto } from '@latchwork/core/base'
import type { PeopleTerms } from '../people/index.ts'

/** What composing takes besides the rows. */
export interface ComposeTerms extends PeopleTerms {
	readonly now: number
	readonly crypto: Pick<Crypto, 'sha256'>
}
