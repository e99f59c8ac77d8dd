import type { IconName } from '../ui/icon.tsx'
import type { MapDoor } from './shapes.ts'

/** How a door is drawn (visual-language.md §6.1), in the order of the legend. */
export const DOOR_STATES = [
	'available',
	'reserved',
	'in-use',
	'occupied',
	'to-check',
	'out-of-use',
	'quarantined',
	'open',
	'alarm',
	'unknown',
] as const
export type DoorState = (typeof DOOR_STATES)[number]

export const STATE_ICONS = {
	available: 'empty',
	reserved: 'clock',
	'in-use': 'person',
	occupied: 'box',
	'to-check': 'lens',
	'out-of-use': 'slash',
	quarantined: 'stop',
	open: 'door-open',
	alarm: 'alarm',
	unknown: 'unknown',
} as const satisfies Record<DoorState, IconName>

const OF_ALLOCATION = {
	available: 'available',
	reserved: 'reserved',
	'in-use': 'in-use',
	occupied: 'occupied',
	'pending-inspection': 'to-check',
	quarantined: 'quarantined',
	'out-of-service': 'out-of-use',
} as const satisfies Record<MapDoor['live']['allocation'], DoorState>

/** What the space may be used for, whatever the door does. */
export function spaceState({ service, live }: Pick<MapDoor, 'service' | 'live'>): DoorState {
	if (service.state === 'out-of-service') return 'out-of-use'
	return OF_ALLOCATION[live.allocation]
}

/** What is drawn: the fact of the door wins over what its space is used for. */
export function doorState(door: Pick<MapDoor, 'service' | 'live'>): DoorState {
	const { live } = door
	if (live.alarm === 'forced' || live.alarm === 'opened-while-down' || live.alarm === 'stuck') return 'alarm'
	if (live.door === 'open') return 'open'
	if (live.door === 'unknown') return 'unknown'
	return spaceState(door)
}

/** Something goes on at the door that is not settled: a bar of light along its top. */
export function doing({ live: { session, door } }: Pick<MapDoor, 'live'>): 'opening' | 'checking' | undefined {
	if (session?.state === 'releasing' && door !== 'open') return 'opening'
	return session?.state === 'closed' ? 'checking' : undefined
}

export function countStates(doors: readonly Pick<MapDoor, 'service' | 'live'>[]): ReadonlyMap<DoorState, number> {
	const counts = new Map<DoorState, number>()
	for (const door of doors) counts.set(doorState(door), (counts.get(doorState(door)) ?? 0) + 1)
	return counts
}
