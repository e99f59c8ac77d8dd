import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import { isFault } from '@latchwork/core/base'
import { serverConfig } from './config.ts'
import { VERSION } from './version.ts'

const KEY = '00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff'

describe('what the environment says', () => {
	test('nothing said: loopback, an embedded database, a key of its own beside it', () => {
		const { host, port, database, device, publicUrl, masterKey, data } = serverConfig({})
		assert.deepEqual(
			[host, port, database, device.external, publicUrl, data],
			['127.0.0.1', 4170, undefined, undefined, undefined, resolve('.latchwork')],
		)
		assert.deepEqual(masterKey, { file: join(data, 'master.key') })
	})

	test('said to nothing is not said', () => {
		assert.deepEqual(serverConfig({ DATABASE_URL: '', LATCHWORK_PORT: '', LATCHWORK_MASTER_KEY: '', LATCHWORK_PROXIES: '' }), serverConfig({}))
	})

	test('what is said is taken', () => {
		const config = serverConfig({
			LATCHWORK_DATA: '/srv/latchwork',
			LATCHWORK_PORT: '8080',
			LATCHWORK_HOST: '::1',
			LATCHWORK_PUBLIC_URL: 'https://lockers.example/',
			DATABASE_URL: 'postgresql://owner:secret@db/latchwork',
			DATABASE_APP_URL: 'postgres://app:secret@db/latchwork',
			LATCHWORK_POOL: '20',
			LATCHWORK_MASTER_KEY: KEY,
			LATCHWORK_PROXIES: '10.0.0.0/8, ::1',
			LATCHWORK_ORGANISATION: 'Fernholt',
			LATCHWORK_ADMIN_EMAIL: 'it@fernholt.example',
		})
		assert.deepEqual(
			[config.data, config.port, config.host, config.publicUrl, config.pool],
			['/srv/latchwork', 8080, '::1', 'https://lockers.example', 20],
		)
		assert.deepEqual(config.database, { url: 'postgresql://owner:secret@db/latchwork', appUrl: 'postgres://app:secret@db/latchwork' })
		assert.deepEqual(
			[config.proxies, config.first],
			[['10.0.0.0/8', '::1'], { organisation: 'Fernholt', email: 'it@fernholt.example', password: undefined }],
		)
		assert.equal('bytes' in config.masterKey && config.masterKey.bytes.length, 32)
	})

	test('a database may be reached by a socket', () => {
		for (const url of ['postgresql://owner:secret@/latchwork?host=/run/postgresql', 'postgresql:///latchwork?host=/run/postgresql&user=owner'])
			assert.equal(serverConfig({ DATABASE_URL: url }).database?.url, url)
	})

	for (const [name, value] of [
		['LATCHWORK_PORT', '70000'],
		['LATCHWORK_PORT', '80 80'],
		['LATCHWORK_HOST', 'example.org'],
		['LATCHWORK_PUBLIC_URL', 'lockers.example'],
		['LATCHWORK_PUBLIC_URL', 'http://lockers.example'],
		['LATCHWORK_PUBLIC_URL', 'https://lockers.example/console'],
		['DATABASE_URL', 'mysql://secret@db'],
		['DATABASE_APP_URL', 'postgresql://secret@db/latchwork'],
		['LATCHWORK_POOL', '1'],
		['MQTT_URL', 'http://broker.example'],
		['LATCHWORK_MASTER_KEY', 'secret'],
		['LATCHWORK_MASTER_KEY', '0'.repeat(64)],
		['LATCHWORK_PROXIES', 'proxy.example'],
		['LATCHWORK_ADMIN_EMAIL', 'admin'],
	] as const)
		test(`${name}=${value.slice(0, 40)} is refused by its name, and a secret is not repeated`, () => {
			assert.throws(
				() => serverConfig({ [name]: value }),
				(fault) => isFault(fault, 'config-invalid') && fault.message.includes(name) && !fault.message.includes('secret'),
			)
		})

	test('a key and a file for it exclude each other', () => {
		assert.throws(() => serverConfig({ LATCHWORK_MASTER_KEY: KEY, LATCHWORK_MASTER_KEY_FILE: '/run/key' }), /exclude each other/)
	})

	test('the version is that of the package', () => {
		assert.equal(JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8')).version, VERSION)
	})
})
