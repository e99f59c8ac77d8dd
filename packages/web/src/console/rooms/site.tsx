import { useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useParams } from '@tanstack/react-router'
import { useState } from 'react'
import { Icon } from '../../ui/icon.tsx'
import { send, serverNow } from '../api.ts'
import { useMay } from '../context.ts'
import { useEstate } from '../estate.ts'
import { Dialog, Form } from '../forms.tsx'
import { Table } from '../lists.tsx'
import { Card, Chip, Empty, Room, Shown, Title } from '../parts.tsx'
import { siteKey, siteSettings } from '../queries.ts'
import type { KeyAtBank, SettingsHere, SiteKey } from '../shapes.ts'
import { longTime } from '../time.ts'
import { site as words } from '../words/site.ts'

/** A site and its key: which banks have it, how controllers keep it, and how it becomes another one. */
export function SiteRoom() {
	const { site } = useParams({ from: '/sites/$site' })
	const asked = useQuery({ ...siteKey(site), refetchInterval: 30_000 })
	return (
		<Room of={asked} one="site">
			{(key) => <Filled key={site} site={site} is={key} />}
		</Room>
	)
}

interface OfSite {
	readonly site: string
	readonly is: SiteKey
}
function Filled({ site, is }: OfSite) {
	const estate = useEstate()
	const name = estate.site(site) ?? ''
	const mayRotate = useMay('controller.manage', { site })
	const [asking, setAsking] = useState(false)
	const [ended, setEnded] = useState<number>()
	return (
		<>
			<Title title={name} below={words.lead(is.banks)} />
			<Card
				title={words.key}
				flush
				end={
					mayRotate && (
						<button type="button" className="btn small danger" onClick={() => setAsking(true)}>
							{words.rotate}
						</button>
					)
				}
			>
				<p className="mute flush-lead">
					{words.keyWhat} {is.since !== undefined && words.since(longTime(is.since, estate.zone({ site })))}
				</p>
				<div role="status">
					{ended !== undefined && (
						<p className="banner ok">
							<Icon name="check" />
							{words.rotated(ended)}
						</p>
					)}
				</div>
				{is.banks.length === 0 ? (
					<Empty title={words.none} note={words.noneNote} />
				) : (
					<Table heads={[words.bank, words.present, words.kept, words.heard]}>
						{is.banks.map((one) => (
							<tr key={one.bank}>
								<th scope="row">
									<Link to="/banks/$bank" params={{ bank: one.bank }}>
										{one.name}
									</Link>
								</th>
								<td data-label={words.present}>
									<Arrival of={one} />
								</td>
								<td data-label={words.kept}>{one.state === 'none' ? '–' : one.storageLevel ? words.levels[one.storageLevel] : words.unsaid}</td>
								<td className="nowrap" data-label={words.heard}>
									{one.online ? words.now : one.seenAt === undefined ? words.never : words.ago(serverNow() - Date.parse(one.seenAt))}
								</td>
							</tr>
						))}
					</Table>
				)}
			</Card>
			<Level site={site} name={name} pins={is.pins} />
			{asking && <Rotate site={site} name={name} is={is} done={setEnded} close={() => setAsking(false)} />}
		</>
	)
}

function Arrival({ of: { state, online } }: { readonly of: KeyAtBank }) {
	if (state === 'none') return <Chip icon="slash">{words.noMachine}</Chip>
	if (state === 'has')
		return (
			<Chip tone="ok" icon="check">
				{words.has}
			</Chip>
		)
	return (
		<>
			<Chip tone="warn" icon={online ? 'clock' : 'offline'}>
				{words.waits}
			</Chip>
			{!online && <p className="mute">{words.waitsAway}</p>}
		</>
	)
}

interface RotateProps extends OfSite {
	readonly name: string
	/** How many PINs ended. */
	done(pins: number): void
	close(): void
}
function Rotate({ site, name, is: { pins, banks }, done, close }: RotateProps) {
	const client = useQueryClient()
	return (
		<Dialog title={words.rotateTitle(name)} lead={words.rotateLead} close={close}>
			<Form
				submit={words.rotateSubmit}
				danger
				cancel={close}
				send={async () => {
					const ended = await send<{ readonly pins: number }>('POST', `/v1/sites/${site}/key-rotations`, {})
					await client.invalidateQueries(siteKey(site))
					done(ended.pins)
					close()
				}}
			>
				<ul className="effects">
					<li>{words.rotateGoesOn}</li>
					<li>{words.rotatePins(pins)}</li>
					<li>{words.rotateBanks(banks.filter(({ state, online }) => state !== 'none' && !online))}</li>
				</ul>
			</Form>
		</Dialog>
	)
}

const levelOf = ({ settings }: SettingsHere) => (settings.siteKeyInMemory === true ? 'L1' : 'L0')

/** What is asked of the controllers of the site; what each of them does stands in its row. */
function Level({ site, name, pins }: { readonly site: string; readonly name: string; readonly pins: number }) {
	const asked = useQuery(siteSettings(site))
	const mayChoose = useMay('settings.manage', { site })
	const [choosing, setChoosing] = useState(false)
	return (
		<Card
			title={words.level}
			end={
				mayChoose &&
				asked.data && (
					<button type="button" className="btn small" onClick={() => setChoosing(true)}>
						{words.levelChange}
					</button>
				)
			}
		>
			<Shown of={asked}>
				{(here) => (
					<>
						<p className="strong">{words.levelIs[levelOf(here)]}</p>
						<p>{words.levelCosts[levelOf(here)]}</p>
						<p className="mute small-print">{words.levelSetBy[here.setBy.siteKeyInMemory ?? 'default']}</p>
						{choosing && <Choose site={site} name={name} pins={pins} here={here} close={() => setChoosing(false)} />}
					</>
				)}
			</Shown>
		</Card>
	)
}

interface ChooseProps {
	readonly site: string
	readonly name: string
	readonly pins: number
	readonly here: SettingsHere
	close(): void
}
function Choose({ site, name, pins, here, close }: ChooseProps) {
	const client = useQueryClient()
	const now = levelOf(here)
	const [level, setLevel] = useState<'L0' | 'L1'>(now)
	return (
		<Dialog title={words.levelTitle(name)} close={close}>
			<Form
				submit={words.levelSubmit}
				danger={level !== now}
				cancel={close}
				send={async () => {
					if (level !== now) await send('PATCH', `/v1/settings?site=${site}`, { siteKeyInMemory: level === 'L1' }, here.version)
					await client.invalidateQueries(siteSettings(site))
					await client.invalidateQueries(siteKey(site))
					close()
				}}
			>
				<fieldset className="reasons levels">
					<legend className="unseen">{words.level}</legend>
					{(['L0', 'L1'] as const).map((one) => (
						<label key={one}>
							<input type="radio" name="level" checked={level === one} onChange={() => setLevel(one)} />
							<span>
								<b>{words.levelIs[one]}</b> {words.levelCosts[one]}
							</span>
						</label>
					))}
				</fieldset>
				{level !== now && (
					<p className="banner warn">
						<Icon name="alarm" />
						{level === 'L1' ? words.levelToMemory(pins) : words.levelToDisk}
					</p>
				)}
			</Form>
		</Dialog>
	)
}
