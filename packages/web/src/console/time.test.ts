import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clockOf, day, longTime, when } from './time.ts'

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

test('a moment of another year, as the site counts years, is told with it', () => {
	const now = new Date()
	const zone = 'Pacific/Auckland'
	const year = Number(new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric' }).format(now))
	// The site's last quarter of an hour of the next year, and its first of the one after it: one day in UTC.
	const [last, first] = [`${year + 1}-12-31T10:45:00Z`, `${year + 1}-12-31T11:15:00Z`]
	assert.deepEqual([when(last, zone), when(first, zone)], [`31 Dec ${year + 1} 23:45`, `1 Jan ${year + 2} 00:15`])
	for (const tell of [longTime, day]) assert.match(tell(first, zone), new RegExp(`^[A-Z][a-z]+ 1 January ${year + 2}`))
	for (const tell of [longTime, day, when]) assert.doesNotMatch(tell(now.toISOString(), zone), /\d{4}/)
})
