import type { DevConfig } from '../config.ts'

export interface DevReady {
	/** Of the first bank. */
	readonly kiosk: string
	readonly virtual: string
	readonly dataDir: string
	readonly pids: {
		readonly dev: number
		edge: number
		readonly virtual: number
		readonly edges?: readonly number[]
		readonly server?: number
		readonly broker?: number
		readonly database?: number
	}
	readonly people: readonly { readonly name: string; readonly badge: string; readonly pin: string }[]
	/** `expected`: not put in yet; `door`: behind which it lies. Neither: it was taken out. */
	readonly parcels: readonly {
		readonly order: string
		readonly tag: string
		readonly code: string
		readonly expected: boolean
		readonly door?: number
	}[]
	/** What comes with the server: not there with `--alone`. */
	readonly console?: string
	/** The API lies under `{api}/v1`. */
	readonly api?: string
	readonly openapi?: string
	/** Bearer token of the demo administrator. */
	readonly token?: string
	readonly admin?: { readonly email: string; readonly password: string }
	readonly banks?: readonly { readonly id: string; readonly site: string; readonly controller: string; readonly kiosk: string }[]
}

export interface Running {
	readonly ready: DevReady
	readonly failed: Promise<never>
}

export interface DevParts {
	readonly config: DevConfig
	readonly log: (line: string) => void
	/** Built pages. */
	readonly web: string
	/** Free ones, next to each other. */
	readonly ports: readonly number[]
	/** What runs so far, to be ended in reverse: also when a later part does not start. */
	readonly open: (() => unknown)[]
}
