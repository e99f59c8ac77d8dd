import type { ReactNode } from 'react'
import { BankDrawing } from '../../ui/bank-drawing.tsx'
import { useSeat } from '../seat.ts'
import { Stage, Title } from '../stage.tsx'
import { words } from '../words.ts'
import { BadgePicture, KeypadPicture, ScanPicture } from './pictures.tsx'

/** Three ways to start, each with its picture; only the PIN needs a touch. */
export function Attract() {
	const { view, act, low } = useSeat()
	const text = words.attract
	return (
		<Stage
			shape="wide"
			info={
				<>
					<Title>{text.title}</Title>
					<p className="lead">{text.lead}</p>
				</>
			}
			picture={low && <BankDrawing layout={view.layout} sign={view.bank.name} />}
		>
			<div className="ways">
				<Way title={text.badge} how={text.badgeHow} picture={<BadgePicture />} />
				<Way title={text.qr} how={text.qrHow} picture={<ScanPicture />} />
				<button className="way" type="button" onClick={() => act({ kind: 'start-pin' })}>
					<KeypadPicture />
					<span className="label">
						<b>{text.pin}</b>
						<span>{text.pinHow}</span>
					</span>
				</button>
			</div>
		</Stage>
	)
}

function Way({ title, how, picture }: { readonly title: string; readonly how: string; readonly picture: ReactNode }) {
	return (
		<div className="way hint">
			{picture}
			<span className="label">
				<b>{title}</b>
				<span>{how}</span>
			</span>
		</div>
	)
}
