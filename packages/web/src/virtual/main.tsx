import { useSyncExternalStore } from 'react'
import { createRoot } from 'react-dom/client'
import './virtual.css'
import { type Control, control } from './control.ts'
import { VirtualPage } from './page.tsx'

function Page({ control }: { readonly control: Control }) {
	return <VirtualPage bench={useSyncExternalStore(control.subscribe, control.get)} control={control} />
}

const root = document.getElementById('page')
if (root) createRoot(root).render(<Page control={control()} />)
