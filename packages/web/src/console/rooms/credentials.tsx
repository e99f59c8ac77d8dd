import { percentOf } from '@latchwork/core/base'
import { useInfiniteQuery, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { send } from '../api.ts'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Field, Form, wordsOf } from '../forms.tsx'
import { More, Table } from '../lists.tsx'
import { Card, Empty, Shown, Title } from '../parts.tsx'
import { credentialList, pinGuessing, settingsHere } from '../queries.ts'
import type { PinGuessing } from '../shapes.ts'
import { longTime } from '../time.ts'
import { badgeList } from '../words/badges.ts'
import { credentials as words } from '../words/credentials.ts'
import { CredentialTable } from './credential-table.tsx'

/** All badges and PINs, and how well the typed ones are kept from somebody who guesses. */
export function Credentials() {
	const mayGive = useMay('credential.manage', {})
	const maySet = useMay('settings.manage', {})
	return (
		<>
			<Title
				title={words.title}
				below={words.lead}
				end={
					mayGive && (
						<Link className="btn" to="/people/badges">
							<Icon name="badge" />
							{badgeList.link}
						</Link>
					)
				}
			/>
			{maySet && <Guessing />}
			<All />
		</>
	)
}

function Guessing() {
	const asked = useQuery(pinGuessing)
	const [changing, setChanging] = useState(false)
	return (
		<Card
			title={words.guessing}
			end={
				<button type="button" className="btn small" onClick={() => setChanging(true)}>
					{words.change}
				</button>
			}
		>
			<Shown of={asked}>{(found) => <Chances found={found} />}</Shown>
			{changing && <Change close={() => setChanging(false)} />}
		</Card>
	)
}

function Chances({ found: { highest, highestAtSite, highestInAll, organisation, sites } }: { readonly found: PinGuessing }) {
	const client = useQueryClient()
	const estate = useEstate()
	const [problem, setProblem] = useState<string>()
	const lift = async (site: string) => {
		setProblem(undefined)
		await send('DELETE', `/v1/sites/${site}/pin-rest`).catch((error: unknown) => setProblem(wordsOf(error)))
		await client.invalidateQueries({ queryKey: ['pin-guessing'] })
	}
	return (
		<>
			<p className="soft">{words.guessingLead(...([highest, highestAtSite, highestInAll].map(percentOf) as [string, string, string]))}</p>
			<Table heads={[words.place, words.secrets, { text: words.tries, as: 'right' }, { text: words.chance, as: 'right' }]}>
				{sites.flatMap((site) => [
					...site.kiosks.map((kiosk) => (
						<tr key={kiosk.bank}>
							<th scope="row">{estate.bank(kiosk.bank) ?? kiosk.bank}</th>
							<td data-label={words.secrets}>{words.typed(site.pins, kiosk.codes, site.digits)}</td>
							<td className="right" data-label={words.tries}>
								{kiosk.wrongADay}
							</td>
							<td className="right" data-label={words.chance}>
								<Chance chance={kiosk.chance} highest={highest} />
							</td>
						</tr>
					)),
					<tr key={site.site}>
						<th scope="row">{words.site(estate.site(site.site) ?? site.site)}</th>
						<td data-label={words.secrets}>
							{site.restsUntil !== undefined && (
								<span className="row wrap">
									{words.rests(longTime(site.restsUntil, estate.zone({ site: site.site })))}
									<button type="button" className="btn small" onClick={() => void lift(site.site)}>
										{words.lift}
									</button>
								</span>
							)}
						</td>
						<td className="right" data-label={words.tries}>
							{site.wrongADay}
						</td>
						<td className="right" data-label={words.chance}>
							<Chance chance={site.chance} highest={highestAtSite} />
						</td>
					</tr>,
				])}
				<tr>
					<th scope="row">{words.organisation}</th>
					<td data-label={words.secrets}>–</td>
					<td className="right" data-label={words.tries}>
						{organisation.wrongADay}
					</td>
					<td className="right" data-label={words.chance}>
						<Chance chance={organisation.chance} highest={highestInAll} />
					</td>
				</tr>
			</Table>
			{problem !== undefined && (
				<p className="problem" role="alert">
					{problem}
				</p>
			)}
		</>
	)
}

const Chance = ({ chance, highest }: { readonly chance: number; readonly highest: number }) => (
	<b className={chance > highest ? 'problem' : ''}>{percentOf(chance)}</b>
)

const FIELDS = [
	['pinLength', words.length],
	['wrongPinsPerDay', words.kiosk],
	['wrongPinsPerDayAtSite', words.atSite],
	['wrongPinsPerDayInAll', words.inAll],
	['pinChanceAtSite', words.chanceAtSite],
	['pinChanceInAll', words.chanceInAll],
] as const

/** What a guesser would gain too much by is refused by the server, with what would do. */
function Change({ close }: { close(): void }) {
	const client = useQueryClient()
	const asked = useQuery(settingsHere)
	return (
		<Dialog title={words.changeTitle} lead={words.changeLead} close={close}>
			<Shown of={asked}>
				{({ version, settings }) => (
					<Form
						submit={words.changeSubmit}
						cancel={close}
						send={async (form) => {
							const changed = FIELDS.flatMap(([name]) => (Number(form.get(name)) === settings[name] ? [] : [[name, Number(form.get(name))] as const]))
							if (changed.length > 0) await send('PATCH', '/v1/settings', Object.fromEntries(changed), version)
							await client.invalidateQueries({ queryKey: ['settings'] })
							await client.invalidateQueries({ queryKey: ['pin-guessing'] })
							close()
						}}
					>
						{FIELDS.map(([name, label]) => (
							<Field key={name} label={label} name={name} type="number" min={1} required defaultValue={String(settings[name])} />
						))}
					</Form>
				)}
			</Shown>
		</Dialog>
	)
}

function All() {
	const estate = useEstate()
	const asked = useInfiniteQuery({
		queryKey: ['people', 'credentials', 'all'],
		queryFn: ({ pageParam }) => credentialList(pageParam),
		initialPageParam: undefined as string | undefined,
		getNextPageParam: ({ next }) => next,
	})
	return (
		<Card title={words.all} flush>
			<Shown of={asked}>
				{({ pages }) => {
					const items = pages.flatMap((page) => page.items)
					if (items.length === 0) return <Empty title={words.none} note={words.noneNote} />
					return (
						<>
							<CredentialTable items={items} holders where={({ site }) => (site === undefined ? words.everywhere : (estate.site(site) ?? '–'))} />
							<More of={asked} />
						</>
					)
				}}
			</Shown>
		</Card>
	)
}
