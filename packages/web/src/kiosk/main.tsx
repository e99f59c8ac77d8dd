import { useCallback, useSyncExternalStore } from 'react'
import { createRoot } from 'react-dom/client'
import './kiosk.css'
import { type Connection, connect } from './connection.ts'
import { Kiosk, Lost, Starting } from './kiosk.tsx'
import { browserOutside } from './outside.ts'
import { useReading } from './reading.ts'

function Page({ connection }: { readonly connection: Connection }) {
	const { view, arrivedAt, lost, unheard } = useSyncExternalStore(connection.subscribe, connection.get)
	const clock = useCallback(() => (view?.now ?? 0) + performance.now() - arrivedAt, [view, arrivedAt])
	const reading = useReading()
	if (lost) return <Lost view={view} />
	return view ? <Kiosk view={view} clock={clock} act={connection.act} reading={reading} unheard={unheard} /> : <Starting />
}

// A kiosk has no mouse menu, no dragging out and no way to another page.
for (const kind of ['contextmenu', 'dragstart', 'selectstart'] as const) document.addEventListener(kind, (event) => event.preventDefault())

const root = document.getElementById('page')
if (root) createRoot(root).render(<Page connection={connect(browserOutside())} />)
