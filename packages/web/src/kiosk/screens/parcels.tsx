import { Icon } from '../../ui/icon.tsx'
import { useSeat } from '../seat.ts'
import { Stage, Title } from '../stage.tsx'
import { type Tile, Tiles } from '../tiles.tsx'
import { type Named, parcelMore, parcelTitle, words } from '../words.ts'

/** What staff put in, or which doors they empty: a screenful at a time, and a scanner finds one without looking. */
export function Parcels({ screen }: { readonly screen: Named<'parcels'> }) {
	const { act } = useSeat()
	const { task, parcels, from, total, strange } = screen
	const text = words.parcels
	const tiles = parcels.map(
		(parcel): Tile => ({
			id: parcel.id,
			icon: task === 'pull' ? 'door' : 'box',
			title: parcelTitle(parcel),
			more: parcelMore(parcel),
			onTouch: () => act({ kind: 'choose', id: parcel.id }),
		}),
	)
	const hidden = total - parcels.length
	const more: Tile = { id: 'more', icon: 'right', title: text.more, more: text.moreHow(hidden), onTouch: () => act({ kind: 'more' }) }
	return (
		<Stage
			shape="wide"
			leave="start-over"
			info={
				<>
					<Title>{text.title[task]}</Title>
					<p className="lead">
						{text.lead[task]} {hidden > 0 && text.page(from + 1, from + parcels.length, total)}
					</p>
					{strange && (
						<p className="remark bad">
							<Icon name="alarm" />
							<b role="alert">{text.strange[task]}</b>
						</p>
					)}
				</>
			}
		>
			<Tiles tiles={hidden > 0 ? [...tiles, more] : tiles} label={text.title[task]} />
		</Stage>
	)
}
