import { useQuery } from '@tanstack/react-query'
import type { At } from './access.ts'
import { useMay } from './context.ts'
import { allBanks, allSites } from './queries.ts'
import { type Clock, clockOf, HERE } from './time.ts'

interface Place {
	readonly bank?: string | undefined
	readonly site?: string | undefined
}

/** What banks and sites are called and which time is told there, for lists that have their ids. */
export interface EstateFacts extends Clock {
	/** All of it is here that the reader may see: a form may take over what it says. */
	readonly known: boolean
	bank(id: string | undefined): string | undefined
	site(id: string | undefined): string | undefined
	/** At which site a bank stands. */
	siteOf(bank: string | undefined): string | undefined
	/** The same with all that it lies in: what permissions are asked for. */
	place(of: Place): At
	/** Where it happened; what happened nowhere is told in the time of home. */
	zone(place: Place): string
}

const NONE: readonly never[] = []

export function useEstate(): EstateFacts {
	const enabled = useMay('estate.read')
	const { data: banks = NONE } = useQuery({ ...allBanks, enabled })
	const { data: sites = NONE } = useQuery({ ...allSites, enabled })
	const find = (id: string | undefined) => banks.find((one) => one.id === id)
	const at = (id: string | undefined) => sites.find((one) => one.id === id)
	const clock = clockOf(sites, HERE)
	return {
		known: !enabled || (banks !== NONE && sites !== NONE),
		bank: (id) => find(id)?.name,
		site: (id) => at(id)?.name,
		siteOf: (id) => find(id)?.site,
		place: ({ bank, site }) => {
			const stands = find(bank)
			return bank === undefined ? { site } : { bank, site: stands?.site ?? site, area: stands?.area }
		},
		zone: ({ bank, site }) => at(find(bank)?.site ?? site)?.timeZone ?? clock.home,
		...clock,
	}
}
