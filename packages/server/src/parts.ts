import type { PolicyEngine } from '@latchwork/core/access'
import type { Clock, Fault, Random } from '@latchwork/core/base'
import type { ServerConfig } from './config.ts'
import type { Passwords, PeopleTerms } from './people/index.ts'
import type { MasterKey, Store } from './store/index.ts'

/** What the server gets from whoever starts it: time, chance, a place for its log lines. */
export interface ServerHost {
	readonly clock: Clock
	readonly random: Random
	readonly log: (entry: Readonly<Record<string, unknown>>) => void
	/** Something that the server cannot live without ended for good; whoever keeps this process starts it anew. */
	readonly failed: (fault: Fault) => void
	/** What banks decide with: what it refuses here would leave every bank without a bundle. */
	readonly engine: PolicyEngine
	/** Folder of the built console. */
	readonly web?: string
}

/** What the parts of a server are made of. */
export interface Parts extends ServerHost {
	readonly store: Store
	readonly master: MasterKey
	readonly config: ServerConfig
	readonly terms: PeopleTerms
	readonly passwords: Passwords
}
