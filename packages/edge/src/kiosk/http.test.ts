import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kioskExamples } from '@latchwork/core/wire'
import { kioskHttp } from './http.ts'

test('a page hears the view first and then a beat with the time to the next, so that it can tell a hanging controller', async () => {
	const view = kioskExamples.get('attract') ?? assert.fail()
	const kiosk = await kioskHttp({
		web: import.meta.dirname,
		port: 0,
		view: () => view,
		act: () => true,
		health: () => ({}),
		operator: { token: 'none', settle: () => ({}) },
	})
	const stop = new AbortController()
	const { body } = await fetch(`${kiosk.url}api/screen`, { signal: stop.signal })
	assert.ok(body)
	let heard = ''
	const decoder = new TextDecoder()
	for await (const bytes of body) {
		heard += decoder.decode(bytes, { stream: true })
		if (heard.split('\n\n').length > 2) break
	}
	stop.abort()
	await kiosk.close()
	const [first = '', second = ''] = heard.split('\n\n')
	assert.deepEqual(JSON.parse(first.replace(/^data: /, '')), view)
	assert.match(second, /^event: beat\ndata: [1-9]\d*$/)
})
