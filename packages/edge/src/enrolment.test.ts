import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { sampleId } from '@latchwork/core/access/testing'
import { isFault } from '@latchwork/core/base'
import { enrolOnce } from './enrolment.ts'

const SERVER = 'https://127.0.0.1:1'
const CLAIM = `secret.${'p'.repeat(43)}`
const line = (port: number) => ({ kind: 'tcp', host: '127.0.0.1', port })
const WIRING = {
	port: 4180,
	web: 'page',
	buses: [{ id: 'bus-1', family: 'kr16', product: 'CU16', transport: line(1), boards: [0] }],
	readers: [{ id: sampleId('reader', 'one'), family: 'osdp', transport: line(2), address: 1, key: 'reader.key' }],
	compartments: [{ id: sampleId('compartment', '1'), door: 1, bus: 'bus-1', board: 0, channel: 0 }],
}

test('a claim comes from the command line, a file or the environment, and nothing is sent before wiring and keys are there', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-enrolment-'))
	t.after(() => rmSync(folder, { recursive: true, force: true }))
	const at = (name: string) => join(folder, name)
	writeFileSync(at('wiring.json'), JSON.stringify(WIRING))
	writeFileSync(at('claim'), `${CLAIM}\n`)
	writeFileSync(at('half'), 'secret')
	const said = async (given: object) => {
		let text = ''
		await assert.rejects(enrolOnce({ config: at('wiring.json'), path: at('edge.json'), ...given }), (fault) => {
			text = isFault(fault) ? fault.message : String(fault)
			return true
		})
		return text
	}
	assert.match(await said({ server: SERVER, claim: CLAIM }), /web: there is no folder/)
	mkdirSync(at('page'))
	const ways = [{ claim: CLAIM }, { claimFile: at('claim') }, { environment: { LATCHWORK_CLAIM: CLAIM } }]
	for (const way of ways) assert.match(await said({ server: SERVER, ...way }), /The key file .*reader\.key cannot be read/)
	writeFileSync(at('reader.key'), '0011')
	assert.match(await said({ server: SERVER, claim: CLAIM }), /reader\.key must hold 16 bytes/)
	writeFileSync(at('reader.key'), '00'.repeat(16))
	for (const way of ways) assert.match(await said({ server: SERVER, ...way }), /127\.0\.0\.1 does not answer/)
	assert.match(await said({ server: SERVER, claimFile: at('half') }), /The claim is not whole/)
	assert.match(await said({ server: SERVER, claimFile: at('nowhere') }), /--claim-file: .*nowhere cannot be read/)
	assert.match(await said({ server: SERVER }), /To enrol, name both/)
	assert.match(await said({ claimFile: at('claim') }), /To enrol, name both/)
	await enrolOnce({ path: at('edge.json'), environment: { LATCHWORK_CLAIM: CLAIM } })
})

test('a folder whose records nobody can name is refused before a claim is spent', async (t) => {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-enrolment-'))
	t.after(() => rmSync(folder, { recursive: true, force: true }))
	const at = (name: string) => join(folder, name)
	writeFileSync(at('wiring.json'), JSON.stringify({ ...WIRING, readers: [] }))
	writeFileSync(at('edge.db'), '')
	mkdirSync(at('page'))
	const enrol = () => enrolOnce({ server: SERVER, claim: CLAIM, config: at('wiring.json'), path: at('edge.json') })
	await assert.rejects(enrol, { code: 'config-invalid', message: /holds records, and .*edge\.json does not say of which controller/ })
	writeFileSync(at('edge.json'), JSON.stringify({ controller: sampleId('controller', 'one') }))
	await assert.rejects(enrol, { code: 'server-unreachable' })
})
