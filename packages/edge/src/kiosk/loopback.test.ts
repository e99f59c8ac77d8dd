import assert from 'node:assert/strict'
import { test } from 'node:test'
import { strangerOnLoopback } from './loopback.ts'

const HOST = '127.0.0.1:8480'

test('names of this machine are answered, with or without a port; no other name, and none that only looks like one', () => {
	for (const host of [HOST, '127.0.0.1', 'localhost:8480', '[::1]:8480']) assert.equal(strangerOnLoopback('GET', { host }), undefined, host)
	for (const host of [
		'evil.example',
		'evil.example:8480',
		'127.0.0.1.evil.example',
		'localhost.evil.example:1',
		'127.0.0.1:8480@evil.example',
		'',
		' 127.0.0.1',
	])
		assert.equal(strangerOnLoopback('GET', { host })?.status, 421, host)
	assert.equal(strangerOnLoopback('GET', {})?.status, 421, 'no Host')
})

test('an act comes from the own page or from a program without an origin', () => {
	for (const method of ['POST', 'DELETE', 'PUT']) {
		assert.equal(strangerOnLoopback(method, { host: HOST }), undefined)
		assert.equal(strangerOnLoopback(method, { host: HOST, origin: `http://${HOST}` }), undefined)
		for (const origin of ['http://evil.example', 'http://127.0.0.1:8481', `https://${HOST}`, 'http://localhost:8480', 'null', ''])
			assert.equal(strangerOnLoopback(method, { host: HOST, origin })?.status, 403, `${method} from "${origin}"`)
	}
	assert.equal(strangerOnLoopback('GET', { host: HOST, origin: 'http://127.0.0.1:8481' }), undefined, 'the browser keeps what it reads from it')
})
