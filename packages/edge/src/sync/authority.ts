import { readFileSync, statSync } from 'node:fs'
import {
	type AuthorityState,
	acceptBundle,
	acceptLease,
	authorityState,
	type Bundle,
	type CompiledBundle,
	compile,
	type Lease,
	type Moment,
	type PinnedKeys,
	type PolicyEngine,
} from '@latchwork/core/access'
import type { Crypto, Id } from '@latchwork/core/base'
import { type LoadedTable, loadTable } from '@latchwork/core/workflow'
import type { Journal } from '../journal/index.ts'
import type { TrustedTime } from '../time.ts'

/** What this controller may decide by: the newest bundle that it accepted, ready to ask, and the lease that keeps it alive. */
export interface Authority {
	readonly bundle: Bundle
	readonly compiled: CompiledBundle
	readonly lease: Lease | undefined
	/** Workflows whose table this edge understands; others are shown as not available here yet. */
	readonly tables: ReadonlyMap<string, LoadedTable>
}

export interface AuthorityParts {
	readonly files: { readonly bundle: string; readonly lease: string }
	readonly bank: Id<'bank'>
	readonly keys: PinnedKeys
	readonly crypto: Crypto
	readonly engine: PolicyEngine
	readonly journal: Journal
	readonly time: TrustedTime
	/** A new bundle or lease is in force. */
	readonly changed: () => void
}

export interface AuthoritySource {
	current(): Authority | undefined
	state(): AuthorityState | 'missing'
	moment(): Moment
	/** Looks at the files again; what is refused is recorded once and changes nothing. */
	refresh(): void
}

interface Accepted {
	readonly version: number
	readonly digest: string
}

/**
 * Bundle and lease arrive as files here (a server's deltas come later by the link): signed, never older than the last
 * accepted one, and the last good bundle is kept in the journal, so that a damaged file does not take the rights away.
 */
export function openAuthority(parts: AuthorityParts): AuthoritySource {
	const { journal, time, files } = parts
	let authority: Authority | undefined
	let refused = ''
	const stamps = new Map<string, string>()

	const refuse = (what: 'bundle' | 'lease', code: string): void => {
		if (refused === `${what}/${code}`) return
		refused = `${what}/${code}`
		journal.commit({ events: [{ type: 'bundle.refused', subject: parts.bank, actor: 'edge', data: { what, code } }], essential: true })
	}

	const takeBundle = (text: string, kept: boolean): void => {
		if (!kept && authority && text === journal.fact<string>('authority', 'bundle')) return
		const last = journal.fact<Accepted>('authority', 'accepted')
		const answer = acceptBundle(text, { keys: parts.keys, crypto: parts.crypto, bank: parts.bank, now: time.now(), ...(last && { last }) })
		if (!answer.ok) return refuse('bundle', answer.code)
		if (authority && answer.bundle.version === authority.bundle.version) return
		const compiled = compile(answer.bundle, { engine: parts.engine, sha256: parts.crypto.sha256 })
		if (!compiled.ok) return refuse('bundle', 'bundle-policy')
		time.saw(answer.bundle.issuedAt)
		if (!kept) {
			journal.commit({
				events: [
					{
						type: 'bundle.accepted',
						subject: parts.bank,
						actor: 'edge',
						data: { version: answer.bundle.version, digest: answer.digest, expiresAt: answer.bundle.expiresAt },
					},
				],
				put: [
					{ kind: 'authority', key: 'accepted', body: { version: answer.bundle.version, digest: answer.digest } },
					{ kind: 'authority', key: 'bundle', body: text },
				],
				essential: true,
			})
		}
		authority?.compiled.release()
		authority = { bundle: answer.bundle, compiled: compiled.compiled, lease: authority?.lease, tables: tablesOf(answer.bundle, parts.crypto) }
		refused = ''
		parts.changed()
	}

	const takeLease = (text: string, kept: boolean): void => {
		const last = authority?.lease
		const answer = acceptLease(text, { keys: parts.keys, crypto: parts.crypto, bank: parts.bank, ...(last && { last }) })
		if (!answer.ok) return refuse('lease', answer.code)
		if (last && answer.lease.issuedAt === last.issuedAt) return
		time.saw(answer.lease.issuedAt)
		if (!kept) journal.commit({ events: [], put: [{ kind: 'authority', key: 'lease', body: text }], essential: true })
		if (!authority) return
		authority = { ...authority, lease: answer.lease }
		parts.changed()
	}

	const look = (path: string, take: (text: string, kept: boolean) => void): void => {
		try {
			const { mtimeMs, size, ino } = statSync(path)
			const stamp = `${mtimeMs}/${size}/${ino}`
			if (stamps.get(path) === stamp) return
			const text = readFileSync(path, 'utf8')
			stamps.set(path, stamp)
			take(text, false)
		} catch (cause) {
			// No file yet, or it is being replaced: the kept one goes on, the next look may find it.
			if ((cause as { code?: string }).code !== 'ENOENT') throw cause
		}
	}

	const kept = journal.fact<string>('authority', 'bundle')
	if (kept) takeBundle(kept, true)
	const keptLease = journal.fact<string>('authority', 'lease')
	if (keptLease) takeLease(keptLease, true)

	return {
		current: () => authority,
		state: () => (authority ? authorityState(authority.bundle, authority.lease, time.now()) : 'missing'),
		moment: () => ({ now: time.now(), uncertain: time.uncertain(), ...(authority?.lease && { lease: authority.lease }) }),
		refresh() {
			look(files.bundle, takeBundle)
			look(files.lease, takeLease)
		},
	}
}

function tablesOf(bundle: Bundle, crypto: Crypto): Map<string, LoadedTable> {
	const tables = new Map<string, LoadedTable>()
	for (const { name, table } of bundle.workflows) {
		const loaded = loadTable(table, crypto.sha256)
		if ('table' in loaded) tables.set(name, loaded.table)
	}
	return tables
}
