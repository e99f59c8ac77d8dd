import assert from 'node:assert/strict'
import { test } from 'node:test'
import { instantAt, localTime, nextMidnight } from '../base/index.ts'
import { dueTime, isOpen, nextOpening, openingAt, type Schedule } from './index.ts'

const BERLIN = 'Europe/Berlin'
const utc = (text: string) => Date.parse(`${text}Z`)
const iso = (at: number | undefined) => (at === undefined ? undefined : new Date(at).toISOString().slice(0, 16))
const weekdays: Schedule = { id: 'office', timeZone: BERLIN, weekly: [{ days: [1, 2, 3, 4, 5], from: '08:00', to: '18:00' }] }
const nights: Schedule = { id: 'nights', timeZone: BERLIN, weekly: [{ days: [6], from: '22:00', to: '06:00' }] }
const always: Schedule = { id: 'always', timeZone: BERLIN, weekly: [{ days: [1, 2, 3, 4, 5, 6, 7], from: '00:00', to: '24:00' }] }
const never: Schedule = { id: 'never', timeZone: BERLIN, weekly: [] }

test('local time is that of the site, also east, west and at half hours', () => {
	assert.deepEqual(localTime(utc('2026-01-05T09:30'), BERLIN), { year: 2026, month: 1, day: 5, weekday: 1, minuteOfDay: 630 })
	assert.deepEqual(localTime(utc('2026-01-05T02:00'), 'America/New_York'), { year: 2026, month: 1, day: 4, weekday: 7, minuteOfDay: 1_260 })
	assert.deepEqual(localTime(utc('2026-12-31T18:45'), 'Asia/Kolkata'), { year: 2027, month: 1, day: 1, weekday: 5, minuteOfDay: 15 })
	assert.deepEqual(localTime(utc('2026-06-30T23:00'), BERLIN), { year: 2026, month: 7, day: 1, weekday: 3, minuteOfDay: 60 })
})

test('a wall-clock time finds its instant on both sides of the changes of summer time', () => {
	const at = (day: string, minute: number) => iso(instantAt(utc(`${day}T12:00`), BERLIN, 0, minute))
	assert.equal(at('2026-03-28', 150), '2026-03-28T01:30')
	// 02:30 does not exist on this day: it becomes 03:30.
	assert.equal(at('2026-03-29', 150), '2026-03-29T01:30')
	assert.equal(at('2026-03-29', 180), '2026-03-29T01:00')
	// 02:30 happens twice on this day: the first is meant.
	assert.equal(at('2026-10-25', 150), '2026-10-25T00:30')
	assert.equal(at('2026-10-25', 180), '2026-10-25T02:00')
	assert.equal(iso(nextMidnight(utc('2026-03-29T12:00'), BERLIN)), '2026-03-29T22:00')
	assert.equal(iso(nextMidnight(utc('2026-10-24T23:30'), BERLIN)), '2026-10-25T23:00')
	assert.equal(iso(nextMidnight(utc('2026-01-05T02:00'), 'America/New_York')), '2026-01-05T05:00')
})

test('a schedule opens and closes to the minute, in winter and in summer', () => {
	for (const [day, first, last] of [
		['2026-01-05', '07:00', '16:59'],
		['2026-07-06', '06:00', '15:59'],
	]) {
		assert.equal(isOpen(weekdays, utc(`${day}T${first}`)), true)
		assert.equal(isOpen(weekdays, utc(`${day}T${first}`) - 1), false)
		assert.equal(isOpen(weekdays, utc(`${day}T${last}`)), true)
		assert.equal(isOpen(weekdays, utc(`${day}T${last}`) + 60_000), false)
	}
	assert.equal(isOpen(weekdays, utc('2026-01-10T10:00')), false)
	assert.equal(isOpen(never, utc('2026-01-05T10:00')), false)
	for (const hour of ['2026-03-29T00:30', '2026-03-29T01:00', '2026-10-25T01:30', '2026-12-31T23:30']) assert.equal(isOpen(always, utc(hour)), true)
})

test('an opening over midnight belongs to the day on which it began, and is an hour shorter when the clocks go forward', () => {
	assert.equal(isOpen(nights, utc('2026-01-10T21:00')), true)
	assert.equal(isOpen(nights, utc('2026-01-11T04:59')), true)
	assert.equal(isOpen(nights, utc('2026-01-11T05:00')), false)
	assert.equal(isOpen(nights, utc('2026-01-11T21:00')), false)
	const spring = openingAt(nights, utc('2026-03-29T00:00'))
	const autumn = openingAt(nights, utc('2026-10-25T00:00'))
	assert.ok(spring && autumn)
	assert.deepEqual(
		[spring.to - spring.from, autumn.to - autumn.from].map((ms) => ms / 3_600_000),
		[7, 9],
	)
})

test('the next opening is now, later today, after the weekend, or never', () => {
	assert.equal(iso(nextOpening(weekdays, utc('2026-01-05T10:00'))), '2026-01-05T10:00')
	assert.equal(iso(nextOpening(weekdays, utc('2026-01-05T03:00'))), '2026-01-05T07:00')
	assert.equal(iso(nextOpening(weekdays, utc('2026-01-09T17:00'))), '2026-01-12T07:00')
	assert.equal(iso(nextOpening(weekdays, utc('2026-03-27T18:00'))), '2026-03-30T06:00')
	assert.equal(iso(nextOpening(nights, utc('2026-01-11T10:00'))), '2026-01-17T21:00')
	assert.equal(nextOpening(never, utc('2026-01-05T10:00')), undefined)
})

test('a same-day loan is due at its hour, or a day later when that has passed; a closed day moves it to the next opening', () => {
	const by18 = { kind: 'same-day-by', time: '18:00' } as const
	const due = (start: string, hours?: Schedule) => iso(dueTime(by18, utc(start), BERLIN, hours))
	assert.equal(due('2026-01-05T08:00', weekdays), '2026-01-05T17:00')
	assert.equal(due('2026-07-06T08:00', weekdays), '2026-07-06T16:00')
	assert.equal(due('2026-01-05T17:00', weekdays), '2026-01-06T17:00')
	assert.equal(due('2026-01-09T17:30', weekdays), '2026-01-12T07:00')
	assert.equal(due('2026-01-10T08:00'), '2026-01-10T17:00')
	assert.equal(due('2026-03-28T17:30'), '2026-03-29T16:00')
	assert.equal(due('2026-01-10T08:00', never), '2026-01-10T17:00')
})

test('a loan by the hour runs on the clock of physics, and ends at an opening', () => {
	const hours = (count: number, start: string, schedule?: Schedule) => iso(dueTime({ kind: 'hours', hours: count }, utc(start), BERLIN, schedule))
	assert.equal(hours(2, '2026-01-05T08:00', weekdays), '2026-01-05T10:00')
	assert.equal(hours(12, '2026-01-05T08:00', weekdays), '2026-01-06T07:00')
	assert.equal(hours(24, '2026-03-28T12:00'), '2026-03-29T12:00')
})

test('local time is what the platform says at any instant, also a second before and after each change of any zone', () => {
	const platform = (at: number, timeZone: string) => {
		const parts = new Intl.DateTimeFormat('en-GB', {
			timeZone,
			hourCycle: 'h23',
			weekday: 'short',
			day: 'numeric',
			hour: 'numeric',
			minute: 'numeric',
		})
		const fields = Object.fromEntries(parts.formatToParts(at).map(({ type, value }) => [type, value]))
		return { day: Number(fields.day), minuteOfDay: Number(fields.hour) * 60 + Number(fields.minute), weekday: fields.weekday }
	}
	const days = ['', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun']
	const ours = (at: number, timeZone: string) => {
		const { day, minuteOfDay, weekday } = localTime(at, timeZone)
		return { day, minuteOfDay, weekday: days[weekday] }
	}
	// Summer time of half an hour, offsets of three quarters, a change that is not at a whole hour of UTC, and none at all.
	for (const zone of [BERLIN, 'Australia/Lord_Howe', 'Pacific/Chatham', 'Asia/Kathmandu', 'America/St_Johns', 'Africa/Casablanca', 'UTC']) {
		for (let day = utc('2026-01-01T00:00'); day < utc('2027-01-01T00:00'); day += 86_400_000) {
			const [before, after] = [platform(day, zone), platform(day + 86_400_000, zone)]
			if (before.minuteOfDay === after.minuteOfDay) continue
			for (let quarter = day; quarter <= day + 86_400_000; quarter += 900_000)
				for (const at of [quarter - 1, quarter, quarter + 1_000])
					assert.deepEqual(ours(at, zone), platform(at, zone), `${new Date(at).toISOString()} ${zone}`)
		}
		for (let at = utc('2020-01-01T00:00'); at < utc('2037-01-01T00:00'); at += 1_234_567_891) assert.deepEqual(ours(at, zone), platform(at, zone))
	}
})

test('nothing opens on a closed day of the local calendar; the night before still ends, and the next opening is after the holidays', () => {
	const closed = [{ from: '2026-12-24', to: '2027-01-03' }]
	const office: Schedule = { ...weekdays, closed }
	assert.equal(isOpen(office, utc('2026-12-23T10:00')), true)
	for (const day of ['2026-12-24', '2026-12-31', '2027-01-01']) {
		assert.equal(isOpen(weekdays, utc(`${day}T10:00`)), true)
		assert.equal(isOpen(office, utc(`${day}T10:00`)), false)
	}
	assert.equal(iso(nextOpening(office, utc('2026-12-23T17:30'))), '2027-01-04T07:00')
	// Closed in Berlin is the day in Berlin: half past eleven in the evening of the 23rd by UTC is the 24th there.
	const daily: Schedule = { ...always, closed: [{ from: '2026-12-24', to: '2026-12-24' }] }
	assert.deepEqual(
		['2026-12-23T22:59', '2026-12-23T23:00', '2026-12-24T22:59', '2026-12-24T23:00'].map((at) => isOpen(daily, utc(at))),
		[true, false, false, true],
	)
	const late: Schedule = { ...nights, closed: [{ from: '2026-01-11', to: '2026-01-11' }] }
	assert.equal(isOpen(late, utc('2026-01-11T04:00')), true)
	assert.equal(nextOpening({ ...weekdays, closed: [{ from: '2026-01-01', to: '2030-01-01' }] }, utc('2026-01-05T10:00')), undefined)
})
