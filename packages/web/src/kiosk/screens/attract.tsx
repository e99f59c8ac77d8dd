import type { ReactNode } from 'react'
import { BankDrawing } from '../../ui/bank-drawing.tsx'
import { useSeat } from '../seat.ts'
import { Stage, Title } from '../stage.tsx'
import { type Named, words } from '../words.ts'
import { BadgePicture, KeypadPicture, ScanPicture } from './pictures.tsx'

/** Three ways to start, each with its picture; only the PIN needs a touch. */
export function Attract({ screen }: { readonly screen: Named<'attract'> }) {
	const { view, act, low } = useSeat()
	const text = words.attract
	const badgeOff = view.notices.includes('reader-lost')
	return (
		<Stage
			shape="wide"
			info={
				<>
					<Title>{text.title}</Title>
					<p className="lead">{text.lead}</p>
				</>
			}
			picture={low && <BankDrawing layout={view.layout} sign={view.bank.name} standing={view.standing} />}
		>
			<div className="ways">
				<Way title={text.badge} how={badgeOff ? text.badgeOff : text.badgeHow} picture={<BadgePicture />} off={badgeOff} />
				<Way title={text.qr} how={text.qrHow} picture={<ScanPicture />} />
				<button className="way" type="button" onClick={() => act({ kind: 'start-pin' })}>
					<KeypadPicture />
					<span className="label">
						<b>{screen.codes ? text.code : text.pin}</b>
						<span>{text.pinHow}</span>
					</span>
				</button>
			</div>
		</Stage>
	)
}

interface WayProps {
	readonly title: string
	readonly how: string
	readonly picture: ReactNode
	/** Shown, but it does not work now. */
	readonly off?: boolean
}

function Way({ title, how, picture, off }: WayProps) {
	return (
		<div className={off ? 'way hint off' : 'way hint'}>
			{picture}
			<span className="label">
				<b>{title}</b>
				<span>{how}</span>
			</span>
		</div>
	)
}
