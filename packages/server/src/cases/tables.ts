import type { Crypto } from '@latchwork/core/base'
import { DELIVERY_DEFAULTS, deliveryTable, LOAN_DEFAULTS, type LoadedTable, loanTable, type Table, tableHash } from '@latchwork/core/workflow'

/** By which a bank begins a case on its own: a loan that somebody walks up for. */
export const bankTables = (sha256: Crypto['sha256']): LoadedTable[] => [hashed(loanTable({ ...LOAN_DEFAULTS, afterReturn: 'available' }), sha256)]

export const deliveriesWithin = (hours: number, sha256: Crypto['sha256']): LoadedTable =>
	hashed(deliveryTable({ ...DELIVERY_DEFAULTS, collectWithin: `PT${hours}H` }), sha256)

/** As it will come back from the database: plain JSON. */
function hashed(table: Table, sha256: Crypto['sha256']): LoadedTable {
	const plain = JSON.parse(JSON.stringify(table)) as Table
	return { ...plain, hash: tableHash(plain, sha256) }
}
