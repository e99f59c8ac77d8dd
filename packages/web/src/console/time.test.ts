import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockOf } from './time.ts'

const site = (name: string, timeZone: string) => ({ name, timeZone })

test('what happened at no site is told in the time of the sites, where they have one, and else of whoever reads: it is said whose', () => {
	const here = 'America/New_York'
	assert.deepEqual(clockOf([site('HQ', 'Europe/Berlin')], here), { home: 'Europe/Berlin', several: false, told: 'Times at HQ' })
	assert.deepEqual(clockOf([site('HQ', 'Europe/Berlin'), site('Depot', 'Europe/Berlin')], here), {
		home: 'Europe/Berlin',
		several: false,
		told: 'Times of Berlin',
	})
	assert.deepEqual(clockOf([site('HQ', 'Europe/Berlin'), site('Porto', 'Europe/Lisbon')], here), {
		home: here,
		several: true,
		told: 'Each time names its place',
	})
	assert.deepEqual(clockOf([], here), { home: here, several: false, told: 'Times of New York' })
})
