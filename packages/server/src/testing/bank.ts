import { type Id, newId, type Random } from '@latchwork/core/base'
import type { BankLayout } from '@latchwork/core/wire'
import { ALWAYS_OPEN, type Change, compartmentsOf, createBank, createController, createSite, setCertificate } from '../estate/index.ts'
import type { Store } from '../store/index.ts'

const door = (number: number) => ({ kind: 'door', number, heightMm: 300, size: 'M', accessible: true }) as const
const layout: BankLayout = { columns: [{ widthMm: 400, cells: [door(1), door(2)] }] }

/** A site with one bank of two doors and its controller, which has a certificate if it is `enrolled`. */
export function testBank(store: Store, tenant: Id<'tenant'>, { now, random, enrolled }: { now: number; random: Random; enrolled: boolean }) {
	const change: Change = { actor: 'server', now, random }
	return store.write(tenant, async (tx) => {
		const site = await createSite(tx, change, { name: 'HQ', timeZone: 'Europe/Berlin', address: '', calendar: ALWAYS_OPEN })
		const bank = await createBank(tx, change, { site: site.id, name: 'Lobby', helpPhone: '110', layout })
		const controller = await createController(tx, change, { bank: bank.id, name: 'A' })
		if (enrolled) await setCertificate(tx, change, controller.id, { fingerprint: newId('event', now, random), until: now + 86_400_000 })
		return { site: site.id, bank: bank.id, controller: controller.id, compartments: (await compartmentsOf(tx, bank.id)).map((c) => c.id) }
	})
}
