import type { SensorFault, VirtualState } from '@latchwork/core/wire'
import { Icon } from '../ui/icon.tsx'
import type { Hands } from './control.ts'
import { Button, Card, Line, Select, Switch } from './controls.tsx'
import { boardFault, type Compartment, pulses, words } from './words.ts'

type Bank = VirtualState['banks'][number]

interface Props {
	readonly bank: Bank
	readonly compartment: Compartment
	readonly hands: Hands
}

/** What a hand does at one door. */
export function DoorCard({ bank, compartment, hands, onSelect }: Props & { onSelect(number: number): void }) {
	const text = words.compartment
	const { number } = compartment
	const open = compartment.door === 'open'
	const fault = boardFault(bank, compartment.board)
	return (
		<Card
			title={text.title(number)}
			end={
				<span className={open ? 'chip door-open' : 'chip'}>
					<Icon name={open ? 'door-open' : 'door'} />
					{open ? text.open : text.closed}
				</span>
			}
		>
			{/* The drawing's twin, for windows in which its words are too small to read. */}
			<div className="door-list">
				<Select
					label={text.choose}
					value={number}
					options={bank.compartments.map((one) => [one.number, words.doorLabel(bank, one)])}
					onChange={onSelect}
				/>
			</div>
			<p className="soft">{text.place(bank.layout, number)}</p>
			<dl className="facts">
				<dt>{text.content}</dt>
				<dd>{compartment.item ? words.inside(compartment) : words.empty}</dd>
				<dt>{text.pulses}</dt>
				<dd>{pulses(compartment.pulses)}</dd>
				<dt>{text.board}</dt>
				<dd>{fault ? `${compartment.board}, ${fault}` : compartment.board}</dd>
			</dl>
			{open ? <AtOpenDoor bank={bank} compartment={compartment} hands={hands} /> : <AtShutDoor compartment={compartment} hands={hands} />}
		</Card>
	)
}

function AtShutDoor({ compartment: { number }, hands }: Omit<Props, 'bank'>) {
	const text = words.compartment
	return (
		<>
			<div className="acts">
				<Button icon="alarm" kind="danger" onPress={() => hands.door(number, 'open')}>
					{text.force}
				</Button>
				<Button icon="door-open" onPress={() => hands.fault({ compartment: number, opensByItself: true })}>
					{text.itself}
				</Button>
			</div>
			<p className="soft">{text.onlyOpen}</p>
		</>
	)
}

function AtOpenDoor({ bank, compartment, hands }: Props) {
	const text = words.compartment
	const { number, item } = compartment
	const [last = ''] = bank.outside
	return (
		<>
			<div className="acts">
				<Button icon="lock" kind="primary" onPress={() => hands.door(number, 'closed')}>
					{text.shut}
				</Button>
				{item ? (
					<Button icon="take" onPress={() => hands.item(number, { present: false })}>
						{text.take(compartment.tag)}
					</Button>
				) : (
					<>
						{bank.outside.slice(0, 4).map((tag) => (
							<Button key={tag} icon="put" onPress={() => hands.item(number, { present: true, tag })}>
								{text.putTag(tag)}
							</Button>
						))}
						<Button icon="put" onPress={() => hands.item(number, { present: true })}>
							{text.putUntagged}
						</Button>
					</>
				)}
			</div>
			{!item && (
				<Line
					key={`${number} ${last}`}
					label={text.tag}
					button={text.put}
					icon="put"
					initial={last}
					onSend={(tag) => hands.item(number, { present: true, tag })}
				/>
			)}
		</>
	)
}

export function DoorFaults({ compartment: { number, faults }, hands }: Omit<Props, 'bank'>) {
	const text = words.compartment
	return (
		<Card title={text.faults(number)}>
			<div className="stack">
				<Switch label={text.stuck} on={faults.stuckLock ?? false} onChange={(stuckLock) => hands.fault({ compartment: number, stuckLock })} />
				<div className="row">
					<Select
						label={text.late}
						value={faults.lateOpenMs ?? 0}
						options={text.lateOptions}
						onChange={(lateOpenMs) => hands.fault({ compartment: number, lateOpenMs })}
					/>
					<Select<SensorFault | ''>
						label={text.sensor}
						value={faults.sensor ?? ''}
						options={text.sensors}
						onChange={(sensor) => hands.fault({ compartment: number, sensor: sensor === '' ? null : sensor })}
					/>
				</div>
			</div>
		</Card>
	)
}
