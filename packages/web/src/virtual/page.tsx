import type { VirtualState } from '@latchwork/core/wire'
import { useEffect, useRef, useState } from 'react'
import { Icon, Logo } from '../ui/icon.tsx'
import { useMedia } from '../ui/media.ts'
import { BankFront } from './bank-front.tsx'
import { Boards, ClockCard, CompartmentCard, People, ReaderCard } from './cards.tsx'
import type { Bench, Control } from './control.ts'
import { Card } from './controls.tsx'
import { words } from './words.ts'

type Bank = VirtualState['banks'][number]

/** The bench: the bank and its reader at the left, the kiosk and the people in the middle, one door and the faults at the right. */
export function VirtualPage({ bench, control }: { readonly bench: Bench; readonly control: Pick<Control, 'hands' | 'advance'> }) {
	const { state, lost, said } = bench
	const [bankId, setBankId] = useState<string>()
	const bank = state?.banks.find((candidate) => candidate.id === bankId) ?? state?.banks[0]
	const [selected, select] = useSelection(bank)
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
	return (
		<>
			<Header state={state} bank={bank} onBank={setBankId} />
			<main className="bench">
				<div className="column">
					{(lost || said) && (
						<p className="banner" role="alert">
							<Icon name="alarm" />
							{lost ? words.lost : said}
						</p>
					)}
					<Card title={bank.name} end={<Legend />}>
						<BankFront bank={bank} selected={selected} onSelect={select} />
						<p className="soft">{words.frontHelp}</p>
					</Card>
					<ReaderCard reader={bank.reader} hands={hands} />
				</div>
				<div className="column">
					<KioskPreview address={state.kiosk} />
					<People people={state.people} hands={hands} />
				</div>
				<div className="column">
					{compartment && <CompartmentCard bank={bank} compartment={compartment} hands={hands} />}
					<Boards boards={bank.boards} hands={hands} />
					{state.clock && <ClockCard now={state.clock.now} advance={control.advance} />}
				</div>
			</main>
		</>
	)
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

/** The real kiosk page, scaled down, where the window is wide enough to hold it; elsewhere not even loaded, as an unseen one would still speak. */
function KioskPreview({ address }: { readonly address: string }) {
	const wide = useMedia('(min-width: 1600px)')
	if (!wide) return null
	return (
		<div className="preview">
			<iframe src={address} title={words.kiosk} />
		</div>
	)
}
