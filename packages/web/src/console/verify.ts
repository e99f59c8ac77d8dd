import { fromBase64, toBase64 } from '@latchwork/core/base'
import { get, getText, isRefusal, query } from './api.ts'
import { browserVerify, checkProof, grewOutOf, openSigned, type Shown, type Trusted, type Verdict } from './proof.ts'
import type { EventProof } from './shapes.ts'

/** What came of asking: proven, refused with a reason, or not yet under a checkpoint. */
export type Proven = Verdict | { readonly ok: undefined; readonly why: 'waiting' | 'browser' }

/** What this browser keeps of an organisation's log: the key that it saw first, and the newest checkpoint that it verified. */
const KEPT = 'latchwork.log.'
interface Kept {
	readonly key: string
	readonly size?: number
	readonly root?: string
}

/** Verifies one record: its proof, the signature, and that the log has only grown since the last look of this browser. */
export async function verifyRecord(tenant: string, shown: Shown): Promise<Proven> {
	const key = await logKey(tenant)
	if (key === undefined) return { ok: false, why: 'key' }
	const proof = await get<EventProof>(`/v1/events/${shown.position}/proof`).catch((refusal: unknown) => {
		if (isRefusal(refusal, 'request-refused')) return undefined
		throw refusal
	})
	if (!proof) return { ok: undefined, why: 'waiting' }
	const checked = await checkProof(proof, shown, key, browserVerify).catch((error: unknown) => {
		if (error instanceof DOMException && error.name === 'NotSupportedError') return undefined
		throw error
	})
	if (!checked) return { ok: undefined, why: 'browser' }
	const { verdict, checkpoint } = checked
	if (!checkpoint) return verdict
	return (await remember(tenant, key, checkpoint)) ? verdict : { ok: false, why: 'history' }
}

/** The key that was seen first; undefined: the server shows another one now. */
async function logKey(tenant: string): Promise<string | undefined> {
	const given = (await getText('/v1/audit/log/log.vkey')).trim()
	const kept = keptOf(tenant)
	if (!kept) keep(tenant, { key: given })
	return !kept || kept.key === given ? given : undefined
}

let growing: Promise<unknown> = Promise.resolve()
/** One at a time, so that each step is compared with the one before. */
function remember(tenant: string, key: string, checkpoint: Trusted): Promise<boolean> {
	const next = growing.then(() => grow(tenant, key, checkpoint))
	growing = next.catch(() => {})
	return next
}

async function grow(tenant: string, key: string, now: Trusted): Promise<boolean> {
	const kept = keptOf(tenant)
	const root = kept?.root === undefined ? undefined : fromBase64(kept.root)
	if (kept?.size !== undefined && root) {
		const old = { size: kept.size, root }
		if (now.size === old.size) return toBase64(now.root) === kept.root
		// A proof that was fetched earlier is about a smaller log than the one that is kept.
		if (now.size < old.size) return true
		const { proof, checkpoint } = await get<{ proof: string[]; checkpoint: string }>(`/v1/audit/proofs${query({ from: old.size, to: now.size })}`)
		const signed = await openSigned(checkpoint, key, browserVerify)
		if (!signed || signed.size !== now.size || toBase64(signed.root) !== toBase64(now.root) || !grewOutOf(proof, old, now)) return false
	}
	keep(tenant, { key, size: now.size, root: toBase64(now.root) })
	return true
}

function keptOf(tenant: string): Kept | undefined {
	try {
		return JSON.parse(localStorage.getItem(KEPT + tenant) ?? 'null') ?? undefined
	} catch {
		return undefined
	}
}

function keep(tenant: string, kept: Kept): void {
	try {
		localStorage.setItem(KEPT + tenant, JSON.stringify(kept))
	} catch {
		// A browser that keeps nothing verifies all the same; it only does not remember.
	}
}
