import { type Bundle, codeNormal, mintCode, type OfferedCase, type PickUpCode, verifierOf } from '@latchwork/core/access'
import { SAMPLE_SITE_KEY, type SamplePerson, sampleId, testKey } from '@latchwork/core/access/testing'
import { DELIVERY_DEFAULTS, type DeliverySettings, deliveryTable, LOAN_DEFAULTS, loanTable, type Table, tableHash } from '@latchwork/core/workflow'
import { nodeCrypto } from '../keys.ts'

/** An order for the stage: one line a bag, expected unless a door says where it lies. */
export interface Order {
	readonly name: string
	/** Whose it is; a name that is no person of the school is somebody who is known by the code alone. */
	readonly owner: SamplePerson | 'guest'
	readonly digits: string
	readonly bags?: readonly {
		readonly tag?: string
		readonly size?: 'S' | 'M' | 'L' | 'XL'
		readonly door?: number
		readonly reserved?: number
		readonly accessible?: true
	}[]
	readonly notAfter?: number
	readonly change?: Partial<OfferedCase>
}

const table = (of: Table) => ({
	name: of.name,
	tableHash: tableHash(of, nodeCrypto.sha256),
	table: JSON.parse(JSON.stringify(of)),
	settings: {},
})

export const lineId = (order: string, bag = 0) => sampleId('line', `${order}-${bag}`)
export const caseId = (order: string) => sampleId('case', order)

/** What the server says of these orders, on top of the school's bundle: its tables, its rows, its codes. */
export function ordersIn(bundle: Bundle, orders: readonly Order[], settings: Partial<DeliverySettings> = {}): Partial<Bundle> {
	const delivery = table(deliveryTable({ ...DELIVERY_DEFAULTS, ...settings }))
	const compartment = (door: number | undefined) => bundle.bank.compartments.find((c) => c.number === door)?.id
	const cases = orders.map(({ name, owner, bags = [{}], change }): OfferedCase => {
		const here = bags.every((b) => b.door !== undefined)
		return {
			id: caseId(name),
			workflow: 'delivery',
			tableHash: delivery.tableHash,
			version: here ? 2 : 1,
			state: here ? 'ready' : 'ordered',
			owner: sampleId('subject', owner),
			label: name,
			hint: 'A… B…',
			lines: bags.map(({ tag, size, door, reserved, accessible }, i) => {
				const at = compartment(door)
				const kept = compartment(reserved)
				return {
					id: lineId(name, i),
					state: at ? 'deposited' : 'expected',
					custodian: at ? bundle.bank.id : 'shop-1',
					...(at && { compartment: at }),
					...(bags.length > 1 && { label: `${i + 1} of ${bags.length}` }),
					...(tag && { tag }),
					...(size && { size }),
					...(kept && { reserved: kept }),
					...(accessible && { accessible }),
				}
			}),
			...change,
		}
	})
	const codes = orders.map(
		({ name, digits, notAfter }): PickUpCode => ({
			id: sampleId('credential', `code-${name}`),
			case: caseId(name),
			verifier: verifierOf(SAMPLE_SITE_KEY, nodeCrypto, 'code', codeNormal(bundle.bank.id, digits)),
			commitment: 'c'.repeat(64),
			notAfter: notAfter ?? bundle.issuedAt + 9 * 86_400_000,
		}),
	)
	return { version: bundle.version + 1, workflows: [table(loanTable({ ...LOAN_DEFAULTS, afterReturn: 'available' })), delivery], cases, codes }
}

/** The same code as a picture. */
export function pictureOf(bundle: Bundle, order: string, owner: string, now: number): string {
	const jti = sampleId('credential', `code-${order}`)
	const { sign } = testKey(new Uint8Array(32).fill(3))
	return mintCode(
		{ jti, subject: sampleId('subject', owner), case: caseId(order), bank: bundle.bank.id, notBefore: now - 60_000, expires: now + 86_400_000 },
		sign,
	)
}
