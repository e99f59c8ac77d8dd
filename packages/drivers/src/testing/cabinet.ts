import type { Clock, Random } from '@latchwork/core/base'
import type { Cabinet, CompartmentFaults } from './emulator.ts'

/** A loose contact changes its mind about this often. */
const FLAP_MS = 200

interface Compartment {
	open: boolean
	item: { readonly present: boolean; readonly tag?: string }
	pulses: number
	faults: CompartmentFaults
	/** What the content sensor froze at, when it is stuck. */
	frozenPresence: boolean
	cancelLateOpen: () => void
}

/** The physical truth of one cabinet: every door starts shut and every compartment empty. */
export function createCabinet(options: { compartments: number; clock: Pick<Clock, 'mono' | 'after'>; random: Random }): Cabinet {
	const { clock, random } = options
	const flapSeed = random(4).reduce((seed, byte) => seed * 256 + byte, 0)
	const listeners = new Set<(index: number) => void>()
	const compartments: Compartment[] = Array.from({ length: options.compartments }, () => ({
		open: false,
		item: { present: false },
		pulses: 0,
		faults: {},
		frozenPresence: false,
		cancelLateOpen: () => {},
	}))

	const at = (index: number): Compartment => {
		const compartment = compartments[index]
		if (!compartment) throw new RangeError(`this cabinet has no compartment ${index}`)
		return compartment
	}
	const changed = (index: number) => {
		for (const listener of [...listeners]) listener(index)
	}
	const setDoor = (index: number, open: boolean) => {
		if (at(index).open === open) return
		at(index).open = open
		changed(index)
	}
	/** Differs from flap to flap and from compartment to compartment, and repeats with the seed. */
	const flap = (index: number) => ((Math.imul(Math.floor(clock.mono() / FLAP_MS) + flapSeed + index * 7919, 0x9e3779b1) >>> 16) & 1) === 1

	return {
		compartments: options.compartments,
		pulse(index) {
			const compartment = at(index)
			compartment.pulses++
			const { stuckLock, lateOpenMs } = compartment.faults
			if (!stuckLock && lateOpenMs) {
				compartment.cancelLateOpen()
				compartment.cancelLateOpen = clock.after(lateOpenMs, () => setDoor(index, true))
			}
			if (!stuckLock && !lateOpenMs && !compartment.open) setDoor(index, true)
			else changed(index)
		},
		door: (index) => (at(index).open ? 'open' : 'closed'),
		latchSensor(index) {
			const { open, faults } = at(index)
			switch (faults.sensor) {
				case 'stuckClosed':
					return 'closed'
				case 'stuckOpen':
					return 'open'
				case 'inverted':
					return open ? 'closed' : 'open'
				case 'flapping':
					return flap(index) ? 'open' : 'closed'
				default:
					return open ? 'open' : 'closed'
			}
		},
		presenceSensor(index) {
			const { item, faults, frozenPresence } = at(index)
			switch (faults.sensor) {
				case 'stuckClosed':
				case 'stuckOpen':
					return frozenPresence
				case 'inverted':
					return !item.present
				case 'flapping':
					return flap(index)
				default:
					return item.present
			}
		},
		item: (index) => at(index).item,
		pulses: (index) => at(index).pulses,
		setDoor: (index, state) => setDoor(index, state === 'open'),
		setItem(index, item, throughMetal = false) {
			const compartment = at(index)
			if (!compartment.open && !throughMetal) return false
			compartment.item = { ...item }
			changed(index)
			return true
		},
		setFaults(index, faults) {
			const compartment = at(index)
			compartment.faults = { ...faults }
			compartment.frozenPresence = compartment.item.present
			changed(index)
		},
		faults: (index) => at(index).faults,
		onChange(listener) {
			listeners.add(listener)
			return () => void listeners.delete(listener)
		},
	}
}
