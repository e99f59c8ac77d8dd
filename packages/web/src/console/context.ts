import { createContext, useContext } from 'react'
import { type At, may } from './access.ts'
import type { Live } from './live.ts'
import type { Me } from './shapes.ts'

/** Who looks, and the feed of what happens. */
export interface Seat {
	readonly me: Me
	readonly live: Live
	signOut(): void
}
export const SeatContext = createContext<Seat | undefined>(undefined)

export function useSeat(): Seat {
	const seat = useContext(SeatContext)
	if (!seat) throw new Error('Rooms are shown to those who are signed in.')
	return seat
}

export function useMay(permission: string, at?: At): boolean {
	return may(useSeat().me, permission, at)
}
