import { BankDrawing } from '../../ui/bank-drawing.tsx'
import type { IconName } from '../../ui/icon.tsx'
import { useSeat } from '../seat.ts'
import { Stage, Title } from '../stage.tsx'
import { type Tile, Tiles } from '../tiles.tsx'
import { type Named, when, words } from '../words.ts'

type Choice = Named<'choose'>['choices'][number]

export function Choose({ screen }: { readonly screen: Named<'choose'> }) {
	const { view, act, low } = useSeat()
	const none = screen.choices.length === 0
	// With few choices there is room to say more and to show which bank this is about.
	const roomy = screen.choices.length <= 2
	const tiles = screen.choices.map((choice): Tile => {
		const tile = { id: choice.id, icon: ICONS[choice.kind], title: titleOf(choice), more: moreOf(choice, (at) => when(at, view)) }
		return choice.denied ? tile : { ...tile, onTouch: () => act({ kind: 'choose', id: choice.id }) }
	})
	return (
		<Stage
			shape={roomy ? 'split' : 'wide'}
			leave="start-over"
			info={
				<>
					<Title>{none ? words.choose.nothingTitle : words.choose.title}</Title>
					{(roomy || low) && <p className="lead">{none ? words.choose.nothingLead : words.choose.lead}</p>}
				</>
			}
			picture={(roomy || low) && <BankDrawing layout={view.layout} sign={view.bank.name} />}
		>
			{!none && <Tiles tiles={tiles} label={words.choose.title} />}
		</Stage>
	)
}

const ICONS: Readonly<Record<Choice['kind'], IconName>> = { borrow: 'laptop', return: 'return', resume: 'refresh' }

function titleOf(choice: Choice): string {
	if (choice.kind === 'borrow') return words.choose.borrow(choice.item)
	return choice.kind === 'return' ? words.choose.giveBack(choice.item) : words.choose.resume(choice.item)
}

function moreOf(choice: Choice, at: (ms: number) => string): string {
	if (choice.denied) return words.choose.why[choice.denied] ?? words.choose.whyElse
	if (choice.kind === 'resume') return words.choose.resumeHow
	const due = choice.due === undefined ? undefined : at(choice.due)
	const name = choice.item?.name ?? ''
	if (choice.kind === 'return') return due ? (choice.overdue ? words.choose.overdue(name, due) : words.choose.due(name, due)) : name
	if (choice.free !== undefined) return words.choose.free(choice.free, due)
	return due ? words.choose.until(due) : name
}
