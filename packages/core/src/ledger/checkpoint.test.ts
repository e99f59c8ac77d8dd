import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeCrypto, testKey } from '../access/testing/node-crypto.ts'
import { isFault, toBase64, toHex } from '../base/index.ts'
import {
	type Checkpoint,
	formatCheckpoint,
	formatVerifierKey,
	openCheckpoint,
	openNote,
	parseCheckpoint,
	parseVerifierKey,
	signCheckpoint,
	signNote,
} from './index.ts'

const { sha256 } = nodeCrypto
const seed = testKey(new Uint8Array(32).fill(7))
const key = { name: 'log.example/ten_1', publicKey: seed.publicKey }
const signer = { ...seed, sha256 }
const tree = { origin: key.name, size: 300, root: new Uint8Array(32).fill(9) }
const bytes = (text: string) => new TextEncoder().encode(text)
const text = (note: Uint8Array) => new TextDecoder().decode(note)
const verdict = (note: Uint8Array, known = [key]) => {
	const opened = openNote(note, known, nodeCrypto)
	return opened.ok ? 'ok' : opened.code
}

/** The example of the specification: https://c2sp.org/signed-note */
const EXAMPLE_KEY = 'example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k'
const EXAMPLE =
	'This is an example message.\n\n— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n'

test('the example of the specification verifies, and its key is written as it was read', () => {
	const example = parseVerifierKey(EXAMPLE_KEY, sha256)
	assert.ok(example)
	assert.equal(formatVerifierKey(example, sha256), EXAMPLE_KEY)
	assert.equal(verdict(bytes(EXAMPLE), [example]), 'ok')
	assert.equal(verdict(bytes(EXAMPLE.replace('example message', 'examplE message')), [example]), 'signature')
})

test('a checkpoint is read back as it was signed, with every bit of it under the signature', () => {
	const note = signCheckpoint(tree, signer)
	assert.match(text(note), /^log\.example\/ten_1\n300\nCQkJ[^\n]+\n\n— log\.example\/ten_1 \S+\n$/)
	const opened = openCheckpoint(note, [key], nodeCrypto)
	assert.deepEqual(opened, { ok: true, checkpoint: { ...tree, extensions: [] } })
	for (let bit = 0; bit < note.length * 8; bit++) {
		const damaged = note.with(bit >> 3, (note[bit >> 3] ?? 0) ^ (1 << (bit & 7)))
		assert.equal(openCheckpoint(damaged, [key], nodeCrypto).ok, false, `bit ${bit}`)
	}
	for (let length = 0; length < note.length; length++) assert.equal(openCheckpoint(note.subarray(0, length), [key], nodeCrypto).ok, false)
})

test('signatures of witnesses are passed over by those who do not know them, and verified by those who do', () => {
	const witness = testKey(new Uint8Array(32).fill(8))
	const witnessKey = { name: 'witness.example', publicKey: witness.publicKey }
	const theirs = openNote(
		signNote(formatCheckpoint({ ...tree, extensions: [] }), witnessKey, { sign: witness.sign, sha256 }),
		[witnessKey],
		nodeCrypto,
	)
	assert.ok(theirs.ok)
	const both = signNote(formatCheckpoint({ ...tree, extensions: [] }), key, signer, theirs.note.signatures)
	assert.equal(verdict(both), 'ok')
	assert.equal(verdict(both, [witnessKey]), 'ok')
	assert.equal(verdict(both, [{ ...witnessKey, name: 'other.example' }]), 'unknown-key')
	// The witness alone does not make it the log's checkpoint.
	const opened = openCheckpoint(both, [witnessKey], nodeCrypto)
	assert.equal(opened.ok || opened.code, 'unknown-key')
	const forged = theirs.note.signatures.map((one) => ({ ...one, signature: one.signature.with(0, (one.signature[0] ?? 0) ^ 1) }))
	assert.equal(verdict(signNote(text(both).split('\n\n')[0]?.concat('\n') ?? '', key, signer, forged), [key, witnessKey]), 'signature')
})

test('what is not a signed note is refused in every form that the specification names', () => {
	const note = text(signCheckpoint(tree, signer))
	const line = note.split('\n\n')[1] ?? ''
	const wrong: Record<string, string> = {
		'no signature': note.replace(line, ''),
		'no empty line': note.replace('\n\n', '\n'),
		'no text': `\n${line}`,
		'no line feed at the end': note.slice(0, -1),
		'a hyphen for the dash': note.replace('—', '-'),
		'two spaces': note.replace('— ', '—  '),
		'a space at the end of the line': note.replace(/\n$/, ' \n'),
		'a plus in the name': note.replace('— log', '— +log'),
		'no name': note.replace(`— ${key.name}`, '—'),
		'a control character': note.replace('300', '300\t'),
		'a carriage return': note.replaceAll('\n', '\r\n'),
		'no base64': note.replace(/(\S+)\n$/, '$1!\n'),
		'base64 with stray bits': note.replace(/(.)=+\n$/, (all) => all.replace(/^./, (c) => String.fromCharCode(c.charCodeAt(0) + 1))),
		'only a key id': note.replace(/— .*\n$/u, `— ${key.name} ${toBase64(new Uint8Array(4))}\n`),
		'too many signatures': `${note}${line.repeat(64)}`,
	}
	for (const [what, damaged] of Object.entries(wrong)) {
		assert.notEqual(damaged, note, what)
		assert.equal(verdict(bytes(damaged)), 'malformed', what)
	}
	assert.equal(verdict(bytes(`${note}${line.repeat(15)}`)), 'ok')
	assert.equal(verdict(Uint8Array.of(...bytes(note), 0xff)), 'malformed')
	assert.equal(verdict(bytes(`\ufeff${note}`)), 'signature')
	assert.equal(verdict(new Uint8Array(300_000).fill(65)), 'malformed')
	assert.throws(
		() => signNote('no line feed', key, signer),
		(error) => isFault(error, 'log-invalid'),
	)
	assert.throws(() => signNote('half \ud800\n', key, signer), /well-formed/)
	assert.throws(() => signNote('x\n', { ...key, name: 'two words' }, signer), /no spaces/)
})

test('what is not a checkpoint is refused in every form that the specification names, even when it is signed', () => {
	const good = formatCheckpoint({ ...tree, extensions: ['one more'] })
	assert.deepEqual(parseCheckpoint(good)?.extensions, ['one more'])
	assert.equal(parseCheckpoint(formatCheckpoint({ ...tree, size: 0, extensions: [] }))?.size, 0)
	const root = toBase64(tree.root)
	const wrong = [
		`\n300\n${root}\n`,
		`${key.name}\n300\n`,
		`${key.name}\n0300\n${root}\n`,
		`${key.name}\n+300\n${root}\n`,
		`${key.name}\n-1\n${root}\n`,
		`${key.name}\n3e2\n${root}\n`,
		`${key.name}\n9007199254740992\n${root}\n`,
		`${key.name}\n300\n${root.slice(0, -4)}\n`,
		`${key.name}\n300\n${root.replace('=', '')}\n`,
		`${key.name}\n300\n${root}\n\nextension\n`,
		`${key.name}\n300\n${root}\n \n`.replace(' ', ''),
	]
	for (const damaged of wrong) {
		assert.equal(parseCheckpoint(damaged), undefined, JSON.stringify(damaged))
		if (damaged.startsWith('\n')) continue
		const opened = openCheckpoint(signNote(damaged, key, signer), [key], nodeCrypto)
		assert.equal(opened.ok || opened.code, 'malformed', JSON.stringify(damaged))
	}
	const cannot: Partial<Checkpoint>[] = [
		{ origin: '' },
		{ origin: 'a\nb' },
		{ size: -1 },
		{ size: 0.5 },
		{ root: new Uint8Array(31) },
		{ extensions: [''] },
	]
	for (const change of cannot) assert.throws(() => formatCheckpoint({ ...tree, extensions: [], ...change }), /checkpoint|tree/)
})

test('a checkpoint under another origin than its key names is refused', () => {
	const other = signNote(formatCheckpoint({ ...tree, origin: 'log.example/ten_2', extensions: [] }), key, signer)
	const opened = openCheckpoint(other, [key], nodeCrypto)
	assert.equal(opened.ok || opened.code, 'unknown-key')
})

test('a verifier key with any other name, id, kind or length is refused', () => {
	const good = formatVerifierKey(key, sha256)
	assert.deepEqual(parseVerifierKey(good, sha256), key)
	const [name = '', id = '', body = ''] = good.split('+')
	const raw = Uint8Array.from(atob(good.slice(name.length + id.length + 2)), (c) => c.charCodeAt(0))
	const other = (change: Uint8Array) => `${name}+${id}+${toBase64(change)}`
	const wrong = [
		`x${good}`,
		good.replace(id, '00000000'),
		good.replace(id, id.toUpperCase()),
		other(raw.with(0, 2)),
		other(raw.subarray(1)),
		`${good}\n`,
	]
	for (const text of [...wrong, '', '++', `${name}+${body}`, other(raw.with(32, (raw[32] ?? 0) ^ 1))])
		assert.equal(parseVerifierKey(text, sha256), undefined, text)
	assert.equal(toHex(raw.subarray(1)), toHex(key.publicKey))
})
