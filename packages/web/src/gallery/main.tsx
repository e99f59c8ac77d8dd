import { kioskExamples } from '@latchwork/core/wire'
import { useEffect, useSyncExternalStore } from 'react'
import { createRoot } from 'react-dom/client'
import '../kiosk/kiosk.css'
import './gallery.css'
import { Kiosk, Lost, Starting } from '../kiosk/kiosk.tsx'
import { type Settings, useReading } from '../kiosk/reading.ts'

/**
 * Every kiosk screen without a controller: `?screen=open&theme=dark&contrast=high&text=large&low=on`, `text=largest`, `unheard=yes`, `?screen=lost`, `?screen=starting`,
 * and the list of them all. Time stands still.
 */
let asked = location.search

function Gallery() {
	const address = useSyncExternalStore(onShow, () => asked)
	const query = new URLSearchParams(address)
	const id = query.get('screen')
	document.documentElement.dataset.theme = query.get('theme') ?? ''
	// The last effect of a change: whoever takes pictures waits for it.
	useEffect(() => {
		document.documentElement.dataset.shown = address
	}, [address])
	if (id === null) return <Index />
	return <Example key={query.toString()} id={id} settings={settingsOf(query)} unheard={query.get('unheard') === 'yes'} />
}

interface ExampleProps {
	readonly id: string
	readonly settings: Settings
	readonly unheard: boolean
}

function Example({ id, settings, unheard }: ExampleProps) {
	const reading = useReading(settings)
	if (id === 'lost') return <Lost view={kioskExamples.get('attract')} />
	if (id === 'starting') return <Starting />
	const view = kioskExamples.get(id)
	if (!view) return <h1 data-missing>There is no example named {id}</h1>
	return <Kiosk view={view} clock={() => view.now} act={() => undefined} silent reading={reading} unheard={unheard} />
}

function settingsOf(query: URLSearchParams): Settings {
	const text = query.get('text')
	const low = query.get('low')
	return {
		text: text === 'large' || text === 'largest' ? text : 'usual',
		contrast: query.get('contrast') === 'high',
		low: low === null ? undefined : low === 'on',
		listen: query.get('listen') === 'on',
	}
}

/** An event `show` takes the place of a visit to its address, which would cost a browser more than the screen does; tests show thousands. */
function onShow(changed: () => void) {
	const show = (event: Event) => {
		asked = (event as CustomEvent<string>).detail
		changed()
	}
	window.addEventListener('show', show)
	return () => window.removeEventListener('show', show)
}

function Index() {
	return (
		<main className="index">
			<h1>Kiosk gallery</h1>
			<ul>
				{[...kioskExamples.keys(), 'lost', 'starting'].map((id) => (
					<li key={id}>
						<a href={`?screen=${id}`}>{id}</a>
					</li>
				))}
			</ul>
		</main>
	)
}

const root = document.getElementById('page')
if (root) createRoot(root).render(<Gallery />)
