import type { VirtualState } from '@latchwork/core/wire'
import { Fragment, type ReactNode, useEffect, useRef, useState } from 'react'
import { Icon, Logo } from '../ui/icon.tsx'
import { useMedia } from '../ui/media.ts'
import { BankFront } from './bank-front.tsx'
import { Boards, ClockCard, Parcels, People, ReaderCard } from './cards.tsx'
import type { Bench, Control } from './control.ts'
import { Card } from './controls.tsx'
import { DoorCard, DoorFaults } from './door.tsx'
import { words } from './words.ts'

type Bank = VirtualState['banks'][number]

/**
 * Which cards stand in which column, by the width of the window. The bank, the door in hand and the people come first: a loan
 * needs no more than these. Tab goes the same way.
 */
const COLUMNS = {
	wide: [
		['bank', 'reader'],
		['kiosk', 'people', 'parcels'],
		['door', 'faults', 'boards', 'clock'],
	],
	middle: [['bank'], ['door', 'people', 'parcels', 'faults', 'boards', 'clock'], ['reader']],
	narrow: [['bank', 'door', 'people', 'parcels', 'reader', 'faults', 'boards', 'clock']],
} as const

/** The bench of one bank: its doors, the hands of people, and what may break. */
export function VirtualPage({ bench, control }: { readonly bench: Bench; readonly control: Pick<Control, 'hands' | 'advance'> }) {
	const { state, lost, said } = bench
	const [bankId, setBankId] = useState<string>()
	const bank = state?.banks.find((candidate) => candidate.id === bankId) ?? state?.banks[0]
	const [selected, select] = useSelection(bank)
	const width = useWidth()
	if (!state || !bank) {
		return (
			<main className="bench-empty">
				<Logo />
				<h1>{lost ? words.lost : words.starting}</h1>
			</main>
		)
	}
	const hands = control.hands(bank.id)
	const compartment = bank.compartments.find((candidate) => candidate.number === selected)
	const cards: Record<(typeof COLUMNS)['wide' | 'middle' | 'narrow'][number][number], ReactNode> = {
		bank: (
			<Card title={bank.name} end={<Legend />}>
				<BankFront bank={bank} selected={selected} onSelect={select} hands={hands} />
				<FrontHelp />
			</Card>
		),
		door: compartment && <DoorCard bank={bank} compartment={compartment} hands={hands} onSelect={select} />,
		people: <People people={state.people} hands={hands} />,
		parcels: state.parcels.length > 0 && <Parcels parcels={state.parcels} hands={hands} />,
		kiosk: (
			<div className="preview">
				<iframe src={state.kiosk} title={words.kiosk} />
			</div>
		),
		reader: <ReaderCard reader={bank.reader} hands={hands} />,
		faults: compartment && <DoorFaults compartment={compartment} hands={hands} />,
		boards: <Boards boards={bank.boards} hands={hands} />,
		clock: state.clock && <ClockCard now={state.clock.now} advance={control.advance} />,
	}
	return (
		<>
			<Header state={state} bank={bank} onBank={setBankId} />
			<main className={`bench ${width}`}>
				{(lost || said) && (
					<p className="banner" role="alert">
						<Icon name="alarm" />
						{lost ? words.lost : said}
					</p>
				)}
				{COLUMNS[width].map((column) => (
					<div key={column[0]} className={`column of-${column[0]}`}>
						{column.map((name) => (
							<Fragment key={name}>{cards[name]}</Fragment>
						))}
					</div>
				))}
			</main>
		</>
	)
}

/** The kiosk in a frame is loaded only where the window is wide enough to show it: unseen it would still be a kiosk. */
function useWidth(): keyof typeof COLUMNS {
	const wide = useMedia('(min-width: 1600px)')
	const narrow = useMedia('(max-width: 900px)')
	return wide ? 'wide' : narrow ? 'narrow' : 'middle'
}

/** A door that swings open comes to hand by itself: that is the one a tester wants to empty and push shut. */
function useSelection(bank: Bank | undefined) {
	const [selected, select] = useState<number>()
	const before = useRef<ReadonlySet<number>>(new Set())
	useEffect(() => {
		if (!bank) return
		const open = new Set(bank.compartments.filter((compartment) => compartment.door === 'open').map((compartment) => compartment.number))
		const opened = [...open].find((number) => !before.current.has(number))
		before.current = open
		if (opened !== undefined) select(opened)
	}, [bank])
	return [selected ?? bank?.compartments[0]?.number, select] as const
}

function Header({ state, bank, onBank }: { readonly state: VirtualState; readonly bank: Bank; onBank(id: string): void }) {
	return (
		<header className="bench-top">
			<Logo />
			<div>
				<h1>{words.title}</h1>
				<p>{words.lead}</p>
			</div>
			<div className="end">
				{state.banks.length > 1 &&
					state.banks.map((candidate) => (
						<button key={candidate.id} type="button" className="btn" aria-pressed={candidate.id === bank.id} onClick={() => onBank(candidate.id)}>
							{candidate.name}
						</button>
					))}
				<a className="btn primary" href={state.kiosk} target="_blank" rel="noreferrer">
					<Icon name="outside" />
					{words.openKiosk}
				</a>
			</div>
		</header>
	)
}

function Legend() {
	const { legend } = words
	return (
		<ul className="legend">
			<li>
				<i className="swatch" />
				{legend.empty}
			</li>
			<li>
				<i className="swatch taken" />
				{legend.item}
			</li>
			<li>
				<i className="swatch open" />
				{legend.open}
			</li>
			<li>
				<i className="swatch fault" />
				{legend.fault}
			</li>
			<li>
				<Icon name="bolt" />
				{legend.pulses}
			</li>
		</ul>
	)
}

function FrontHelp() {
	return (
		<div className="soft front-help">
			<p>{words.frontHelp}</p>
			<ul>
				{words.frontKeys.map(([key, does]) => (
					<li key={key}>
						<kbd>{key}</kbd> {does}
					</li>
				))}
			</ul>
		</div>
	)
}
