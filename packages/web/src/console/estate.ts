import { useQuery } from '@tanstack/react-query'
import { useMay } from './context.ts'
import { allBanks, allSites } from './queries.ts'

/** What banks are called and which time is told there, for lists that have their ids. */
export function useBankFacts(): { name(bank: string | undefined): string | undefined; zone(bank: string | undefined): string | undefined } {
	const enabled = useMay('estate.read')
	const { data: banks } = useQuery({ ...allBanks, enabled })
	const { data: sites } = useQuery({ ...allSites, enabled })
	const find = (id: string | undefined) => banks?.find((one) => one.id === id)
	return {
		name: (bank) => find(bank)?.name,
		zone: (bank) => sites?.find(({ id }) => id === find(bank)?.site)?.timeZone,
	}
}
