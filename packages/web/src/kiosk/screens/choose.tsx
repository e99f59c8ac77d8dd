import { BankDrawing } from '../../ui/bank-drawing.tsx'
import { Icon, type IconName } from '../../ui/icon.tsx'
import { useSeat } from '../seat.ts'
import { Stage, Title } from '../stage.tsx'
import { type Tile, Tiles } from '../tiles.tsx'
import { choiceTitle, isAnyOffered, type Named, nothingOffered, when, words } from '../words.ts'
import { CallCard, Headline } from './refused.tsx'

type Choice = Named<'choose'>['choices'][number]

interface Props {
	readonly screen: Named<'choose'>
}

export function Choose({ screen }: Props) {
	return isAnyOffered(screen) ? <Offers screen={screen} /> : <Nothing screen={screen} />
}

function Offers({ screen }: Props) {
	const { view, act, low } = useSeat()
	// With few choices there is room to say more and to show which bank this is about.
	const roomy = screen.choices.length <= 2
	const tiles = screen.choices.map((choice): Tile => {
		const tile = { id: choice.id, icon: ICONS[choice.kind], title: choiceTitle(choice), more: moreOf(choice, (at) => when(at, view)) }
		return choice.denied ? tile : { ...tile, onTouch: () => act({ kind: 'choose', id: choice.id }) }
	})
	return (
		<Stage
			shape={roomy ? 'split' : 'wide'}
			leave="start-over"
			info={
				<>
					<Title>{words.choose.title}</Title>
					{(roomy || low) && <p className="lead">{words.choose.lead}</p>}
				</>
			}
			picture={(roomy || low) && <BankDrawing layout={view.layout} sign={view.bank.name} standing={view.standing} />}
		>
			<Tiles tiles={tiles} label={words.choose.title} />
		</Stage>
	)
}

/** Nothing to touch but the way out: what stands in the way, and whom to ask. */
function Nothing({ screen }: Props) {
	const { view, act } = useSeat()
	const [title, next] = nothingOffered(screen, view.bank)
	const oneReason = new Set(screen.choices.map(({ denied }) => denied)).size === 1
	return (
		<Stage
			shape="message"
			info={
				<>
					<Headline icon="slash" tone="info" title={title} lead={next} />
					{!oneReason && (
						<ul className="reasons">
							{screen.choices.slice(0, 3).map((choice) => (
								<li key={choice.id}>
									<Icon name={ICONS[choice.kind]} />
									<span>
										<b>{choiceTitle(choice)}</b>
										<span>{moreOf(choice, (at) => when(at, view))}</span>
									</span>
								</li>
							))}
						</ul>
					)}
				</>
			}
			picture={<CallCard />}
		>
			<button className="button primary wide" type="button" onClick={() => act({ kind: 'finish' })}>
				<Icon name="undo" />
				<span>{words.bar.startOver}</span>
			</button>
		</Stage>
	)
}

const ICONS: Readonly<Record<Choice['kind'], IconName>> = {
	borrow: 'laptop',
	return: 'return',
	resume: 'refresh',
	'pick-up': 'take',
	'drop-off': 'put',
	pull: 'box',
	'badge-lost': 'badge',
}

function moreOf(choice: Choice, at: (ms: number) => string): string {
	if (choice.denied) return words.choose.why[choice.denied] ?? words.choose.whyElse
	if (choice.kind === 'resume') return words.choose.resumeHow
	if (choice.kind === 'pick-up') return words.choose.pickUpHow
	if (choice.kind === 'drop-off') return words.choose.dropOffHow(choice.free ?? 0)
	if (choice.kind === 'pull') return words.choose.pullHow(choice.free ?? 0)
	if (choice.kind === 'badge-lost') return words.choose.badgeLostHow
	const due = choice.due === undefined ? undefined : at(choice.due)
	const name = choice.item?.name ?? ''
	if (choice.kind === 'return') return due ? (choice.overdue ? words.choose.overdue(name, due) : words.choose.due(name, due)) : name
	if (choice.free !== undefined) return words.choose.free(choice.free, due)
	return due ? words.choose.until(due) : name
}
