import type { Asset, Bundle, Credential, OfferedCase, PickUpCode, Subject } from './bundle-schema.ts'

/** A bundle by key, so that 50,000 people cost as much as 100 at the door (performance.md P1). */
export interface Entries {
	/** By verifier. */
	readonly credentials: ReadonlyMap<string, Credential>
	readonly subjects: ReadonlyMap<string, Subject>
	readonly assets: ReadonlyMap<string, Asset>
	readonly compartments: ReadonlyMap<string, Bundle['bank']['compartments'][number]>
	readonly revoked: ReadonlySet<string>
	readonly cases: ReadonlyMap<string, OfferedCase>
	/** Pick-up codes by verifier and by id, which never look alike. */
	readonly codes: ReadonlyMap<string, PickUpCode>
}

const kept = new WeakMap<Bundle, Entries>()

/** Built at first use and kept as long as the bundle itself; bundles are never changed in place. */
export function entriesOf(bundle: Bundle): Entries {
	let entries = kept.get(bundle)
	if (!entries) {
		entries = {
			credentials: new Map(bundle.credentials.map((one) => [one.verifier, one])),
			subjects: byId(bundle.subjects),
			assets: byId(bundle.assets),
			compartments: byId(bundle.bank.compartments),
			revoked: new Set(bundle.revoked.ids),
			cases: byId(bundle.cases ?? []),
			codes: new Map((bundle.codes ?? []).flatMap((one) => [[one.verifier, one] as const, [one.id, one] as const])),
		}
		kept.set(bundle, entries)
	}
	return entries
}

const byId = <T extends { readonly id: string }>(list: readonly T[]): ReadonlyMap<string, T> => new Map(list.map((one) => [one.id, one]))
