import type { VirtualState } from '@latchwork/core/wire'
import { useState } from 'react'
import { Icon } from '../ui/icon.tsx'
import type { Hands } from './control.ts'
import { Button, Card, Line, Select, Switch } from './controls.tsx'
import { words } from './words.ts'

type Bank = VirtualState['banks'][number]

export function People({ people, hands }: { readonly people: VirtualState['people']; readonly hands: Hands }) {
	const text = words.people
	return (
		<Card title={text.title}>
			<ul className="people">
				{people.map((person) => (
					<li key={person.badge}>
						<span className="who">
							<b>{person.name}</b>
							<span className="mono">
								{person.badge} · {person.pin}
							</span>
						</span>
						<span className="row">
							<Button icon="badge" kind="primary" onPress={() => hands.badge(person.badge)}>
								{text.badge}
							</Button>
							<Button onPress={() => hands.keypad(`${person.pin}#`)}>{text.pin}</Button>
							<CodeButton codes={person.qr} hands={hands} />
						</span>
					</li>
				))}
			</ul>
			<Line label={text.other} button={text.otherTap} icon="badge" onSend={hands.badge} />
			<p className="soft">{text.help}</p>
		</Card>
	)
}

/** What is to be put in and taken out, with what a recipient was sent. */
export function Parcels({ parcels, hands }: { readonly parcels: VirtualState['parcels']; readonly hands: Hands }) {
	const text = words.parcels
	return (
		<Card title={text.title}>
			<ul className="people">
				{parcels.map((parcel) => (
					<li key={parcel.tag}>
						<span className="who">
							<b>{parcel.order}</b>
							<span className="mono">{parcel.code}</span>
							<span>{placeOf(parcel)}</span>
						</span>
						<span className="row">
							<Button onPress={() => hands.keypad(`${parcel.code}#`)}>{text.code}</Button>
							<Button onPress={() => hands.scan(parcel.qr)}>{text.qr}</Button>
							{parcel.door === undefined && <Button onPress={() => hands.scan(parcel.tag)}>{text.label}</Button>}
						</span>
					</li>
				))}
			</ul>
			<p className="soft">{text.help}</p>
		</Card>
	)
}

/** Only what the metal knows: whether it waits for somebody is the bank's to say. */
function placeOf({ expected, door, tag }: VirtualState['parcels'][number]): string {
	if (door !== undefined) return words.parcels.inside(door)
	return expected ? words.parcels.expected(tag) : words.parcels.taken
}

/** Codes open once, so each touch shows the next one; after the last it starts again, to see a used one refused. */
function CodeButton({ codes, hands }: { readonly codes: readonly string[]; readonly hands: Hands }) {
	const [next, setNext] = useState(0)
	const code = codes[next]
	if (code === undefined) return null
	const show = () => {
		hands.scan(code)
		setNext((next + 1) % codes.length)
	}
	return <Button onPress={show}>{words.people.qr(next + 1, codes.length)}</Button>
}

export function ReaderCard({ reader, hands }: { readonly reader: Bank['reader']; readonly hands: Hands }) {
	const text = words.reader
	return (
		<Card
			title={text.title}
			end={
				<>
					<span className={`chip led-${reader.led}`}>
						<i className="led" />
						{text.led(reader.led)}
					</span>
					<span className={reader.online ? 'chip ok' : 'chip bad'}>
						<Icon name={reader.online ? 'check' : 'offline'} />
						{reader.online ? text.online : text.offline}
					</span>
					<span className={reader.secure ? 'chip ok' : 'chip warn'}>
						<Icon name={reader.secure ? 'shield' : 'alarm'} />
						{reader.secure ? text.secure : text.plain}
					</span>
				</>
			}
		>
			<div className="reader">
				<fieldset className="pad" aria-label={text.keypad}>
					{['1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '0', '#'].map((key) => (
						<button key={key} type="button" className="btn" aria-label={text.key(key)} onClick={() => hands.keypad(key)}>
							{key}
						</button>
					))}
				</fieldset>
				<div className="stack">
					<Line label={text.scan} button={text.scanDo} icon="qr" onSend={hands.scan} />
					<Switch label={text.unplug} on={reader.offline} onChange={(offline) => hands.fault({ reader: { offline } })} />
					<Switch label={text.cover} on={reader.tamper} onChange={(tamper) => hands.fault({ reader: { tamper } })} />
				</div>
			</div>
		</Card>
	)
}

export function Boards({ boards, hands }: { readonly boards: Bank['boards']; readonly hands: Hands }) {
	const text = words.boards
	return (
		<Card
			title={text.title}
			end={
				<Button icon="undo" onPress={hands.clearFaults}>
					{text.clear}
				</Button>
			}
		>
			<ul className="boards">
				{boards.map(({ board, faults }) => {
					const corrupt = faults.corrupt ?? { rate: 0, direction: 'both' as const }
					const setCorrupt = (part: Partial<typeof corrupt>) => {
						const next = { ...corrupt, ...part }
						hands.fault({ board, corrupt: next.rate === 0 ? null : next })
					}
					return (
						<li key={board}>
							<div className="row">
								<b>{text.board(board)}</b>
								<Switch label={text.silent} on={faults.silent ?? false} onChange={(silent) => hands.fault({ board, silent })} />
								<Switch label={text.echo} on={faults.echo ?? false} onChange={(echo) => hands.fault({ board, echo })} />
							</div>
							<div className="row">
								<Select label={text.corrupt} value={corrupt.rate} options={text.rates} onChange={(rate) => setCorrupt({ rate })} />
								<Select
									label={text.direction}
									value={corrupt.direction}
									options={text.directions}
									onChange={(direction) => setCorrupt({ direction })}
								/>
								<Select
									label={text.delay}
									value={faults.answerDelayMs ?? 0}
									options={text.delays}
									onChange={(answerDelayMs) => hands.fault({ board, answerDelayMs })}
								/>
							</div>
						</li>
					)
				})}
			</ul>
		</Card>
	)
}

export function ClockCard({ now, advance }: { readonly now: number; advance(seconds: number): void }) {
	const text = words.clock
	return (
		<Card
			title={text.title}
			end={
				<span className="mono">
					{text.text(now)} {text.zone}
				</span>
			}
		>
			<div className="row">
				{text.steps.map(([seconds, label]) => (
					<Button key={seconds} onPress={() => advance(seconds)}>
						{label}
					</Button>
				))}
			</div>
		</Card>
	)
}
