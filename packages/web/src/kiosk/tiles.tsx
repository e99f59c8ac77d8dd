import { Icon, type IconName } from '../ui/icon.tsx'

export interface Tile {
	readonly id: string
	readonly icon: IconName
	readonly title: string
	readonly more: string
	/** Absent: shown but not offered; `more` says why. */
	readonly onTouch?: () => void
}

/** Big choices; the first that can be touched is the one primary action of the screen. */
export function Tiles({ tiles, label }: { readonly tiles: readonly Tile[]; readonly label: string }) {
	const main = tiles.findIndex((tile) => tile.onTouch)
	const sorted = main > 0 ? [...tiles.slice(main, main + 1), ...tiles.slice(0, main), ...tiles.slice(main + 1)] : tiles
	return (
		<ul className="tiles" aria-label={label} data-count={Math.min(tiles.length, 6)}>
			{sorted.map((tile, index) => (
				<li key={tile.id}>{tile.onTouch ? <Offered tile={tile} main={index === 0} /> : <NotOffered tile={tile} />}</li>
			))}
		</ul>
	)
}

function Offered({ tile, main }: { readonly tile: Tile; readonly main: boolean }) {
	return (
		<button className={main ? 'tile main' : 'tile'} type="button" onClick={tile.onTouch}>
			<Icon name={tile.icon} />
			<Label tile={tile} />
		</button>
	)
}

function NotOffered({ tile }: { readonly tile: Tile }) {
	return (
		<div className="tile off">
			<Icon name="slash" />
			<Label tile={tile} />
		</div>
	)
}

function Label({ tile }: { readonly tile: Tile }) {
	return (
		<span className="label">
			<b>{tile.title}</b>
			<span>{tile.more}</span>
		</span>
	)
}
