import { createRoot } from 'react-dom/client'
import './console.css'
import { Console } from './console.tsx'

const root = document.getElementById('page')
if (root) createRoot(root).render(<Console />)
