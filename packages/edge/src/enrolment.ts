import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { dirname, join, resolve } from 'node:path'
import { connect, type DetailedPeerCertificate } from 'node:tls'
import { Fault, fromBase64, type Id, isId, toBase64, toHex } from '@latchwork/core/base'
import { DEVICE_PATHS, type EnrolmentAnswer, type EnrolmentRequest, enrolmentAnswer } from '@latchwork/core/wire'
import { checkConfig, type EdgeConfig } from './config.ts'
import { certificationRequest, pemOf } from './csr.ts'
import { writeJson, writeText } from './durable.ts'
import { type Identity, refuseStrange } from './identity.ts'
import { READER_KEY_BYTES, secretBytes, signingKey } from './keys.ts'
import { type DeviceHttp, deviceHttp } from './sync/device-http.ts'

interface Enrolment {
	/** `https://…`: the device port of the server. */
	readonly server: string
	/** As the server gives it once: the secret, and the pin of the server's authority behind a dot. */
	readonly claim: string
	/** `edge.json` of before, or one that holds the wiring alone. */
	readonly wiring: string
	/** The `edge.json` to be written; keys and certificates go beside it. */
	readonly path: string
}

const PATIENCE_MS = 15_000

/** What the command line says of it; nothing of it is needed once it has been done, so a service may keep its whole command line. */
export async function enrolOnce(given: {
	readonly server?: unknown
	readonly claim?: unknown
	/** Holds the claim, as everybody on the machine can read a command line. */
	readonly claimFile?: unknown
	readonly config?: unknown
	/** `LATCHWORK_CLAIM` in it is a third way for the claim. */
	readonly environment?: Readonly<Record<string, string | undefined>>
	readonly path: string
}): Promise<void> {
	const { server, config, path } = given
	if ((server ?? given.claim ?? given.claimFile) === undefined || isEnrolled(path)) return
	const claim = claimOf(given)
	if (typeof server !== 'string' || claim === undefined)
		throw new Fault(
			'config-invalid',
			'To enrol, name both: `--server https://… --claim-file FILE` (or `--claim TOKEN`, or the token in LATCHWORK_CLAIM).',
		)
	await enrol({ server, claim, wiring: typeof config === 'string' ? config : path, path: resolve(path) })
}

function claimOf({ claim, claimFile, environment = {} }: Parameters<typeof enrolOnce>[0]): string | undefined {
	if (typeof claim === 'string') return claim
	if (typeof claimFile !== 'string') return environment.LATCHWORK_CLAIM || undefined
	try {
		return readFileSync(claimFile, 'utf8').trim()
	} catch (cause) {
		throw new Fault('config-invalid', `--claim-file: ${claimFile} cannot be read.`, { cause })
	}
}

/** Is there an `edge.json` that names a server? Then nothing needs to be claimed. */
function isEnrolled(path: string): boolean {
	try {
		return (JSON.parse(readFileSync(path, 'utf8')) as { server?: unknown }).server !== undefined
	} catch {
		return false
	}
}

/**
 * Makes this machine the controller that the claim was issued for: a key that never leaves it, the server's certificate for that key, and
 * `edge.json` last of all, so that a start that finds it finds everything. Nothing is sent before the server has proven that it is the one the
 * claim names, and no claim is spent on a wiring that could not be used. Throws `Fault` config-invalid, server-unreachable, claim-invalid,
 * request-refused, certificate-invalid.
 */
async function enrol({ server, claim, wiring, path }: Enrolment): Promise<void> {
	const base = portOf(server)
	const [secret = '', pin = ''] = claim.split('.')
	if (!secret || !/^[A-Za-z0-9_-]{43}$/.test(pin))
		throw new Fault('config-invalid', 'The claim is not whole: copy all of the token; it ends in a dot and 43 more characters.')
	const of = wiringIn(wiring)
	const directory = dirname(resolve(path))
	const before = recordsOf(path, directory)
	mkdirSync(directory, { recursive: true, mode: 0o700 })
	const files = filesIn(directory)
	const key = madeOnce(files.key, () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
	const head = headKey(files.deviceKey)
	const ca = await pinned(base, pin)
	const csr = certificationRequest(createPrivateKey(key))
	const http = deviceHttp(base.href, () => ({ ca: [ca] }))
	const answer = await claimed(http, base.host, { claim: secret, csr, head, ...(before && { controller: before }) }).finally(() => http.close())
	refuseStrange(answer.certificate, key)
	const config = configOf(of, answer, files, head.keyId)
	checkConfig(config, path)
	writeText(files.certificate, answer.certificate)
	writeText(files.ca, answer.ca.join('\n'))
	writeText(files.siteKey, hexOf('siteKey', answer.siteKey))
	writeJson(path, config)
}

/** Whose records lie there already: a stream has one controller for ever, so the server is told before the claim is spent. */
function recordsOf(path: string, directory: string): Id<'controller'> | undefined {
	if (!existsSync(join(directory, 'edge.db'))) return undefined
	let controller: unknown
	try {
		controller = (JSON.parse(readFileSync(path, 'utf8')) as { controller?: unknown }).controller
	} catch {}
	if (!isId('controller', controller))
		throw new Fault('config-invalid', `${directory} holds records, and ${path} does not say of which controller. Name another directory with --data.`)
	return controller
}

const filesIn = (directory: string) => ({
	deviceKey: join(directory, 'device.pem'),
	key: join(directory, 'link.pem'),
	certificate: join(directory, 'link.crt'),
	ca: join(directory, 'server-ca.crt'),
	siteKey: join(directory, 'site.key'),
})

function portOf(server: string): URL {
	const url = URL.canParse(server) ? new URL(server) : undefined
	if (url?.protocol !== 'https:') throw new Fault('config-invalid', `--server: "${server}" must be an address that begins with https://.`)
	return url
}

type Wiring = Pick<EdgeConfig, 'port' | 'web' | 'clock' | 'buses' | 'readers' | 'compartments'>

/** Only what the server cannot know; all else in the file is replaced. Paths become absolute, as the result may lie elsewhere. */
function wiringIn(path: string): Wiring {
	let raw: Partial<Wiring>
	try {
		raw = JSON.parse(readFileSync(path, 'utf8')) as Partial<Wiring>
	} catch (cause) {
		throw new Fault('config-invalid', `${path} cannot be read: it must describe the wiring (docs/guides/installer.md).`, { cause })
	}
	const { port, web, clock, buses, readers, compartments } = raw
	const { port: p, ...rest } = checkConfig({ ...NOBODY, port, web, ...(clock !== undefined && { clock }), buses, readers, compartments }, path)
	if (!existsSync(rest.web)) throw new Fault('config-invalid', `web: there is no folder ${rest.web}; it must hold the built kiosk page.`)
	// A start would end at a key that is not there, and the claim would be spent.
	for (const { key } of rest.readers) if (key !== undefined) secretBytes(key, READER_KEY_BYTES)
	return {
		port: p,
		web: rest.web,
		...(rest.clock !== undefined && { clock: rest.clock }),
		buses: rest.buses,
		readers: rest.readers,
		compartments: rest.compartments,
	}
}

/** Stands for what the answer will say, so that the wiring is judged before a claim is spent. */
const NOBODY = {
	controller: 'ctl_00000000-0000-7000-8000-000000000000',
	bank: 'bnk_00000000-0000-7000-8000-000000000000',
	makers: [{ keyId: 'none', publicKey: '0'.repeat(64) }],
	siteKey: '',
	deviceKey: '',
	bundle: '',
	lease: '',
} as const

/** Made once: an enrolment that is tried again, as its answer was lost, is tried with the same key, by which the server knows the machine again. */
function madeOnce(path: string, make: () => KeyObject): string {
	if (!existsSync(path)) writeText(path, make().export({ type: 'pkcs8', format: 'pem' }).toString())
	return readFileSync(path, 'utf8')
}

/** The device key signs heads of streams; the server is told whose they are while it believes the claim. */
function headKey(path: string): NonNullable<EnrolmentRequest['head']> {
	madeOnce(path, () => generateKeyPairSync('ed25519').privateKey)
	const { publicKey } = signingKey(path)
	return { keyId: `head-${toHex(createHash('sha256').update(publicKey).digest().subarray(0, 8))}`, publicKey: toBase64(publicKey) }
}

/** The certificate of the server's authority, found by its digest among those that the port shows. Nothing is believed yet and nothing is sent. */
function pinned({ hostname, port }: URL, pin: string): Promise<string> {
	const host = hostname.replace(/^\[|\]$/g, '')
	return new Promise((done, failed) => {
		const unreachable = (why: string, cause?: Error) => failed(new Fault('server-unreachable', why, { cause }))
		const socket = connect(
			{ host, port: Number(port || 443), timeout: PATIENCE_MS, rejectUnauthorized: false, ...(isIP(host) === 0 && { servername: host }) },
			() => {
				const shown = chainOf(socket.getPeerCertificate(true))
				socket.destroy()
				const found = shown.find(({ raw }) => createHash('sha256').update(raw).digest('base64url') === pin)
				if (!found) return unreachable(`${host} is not the server that the claim names: somebody may be between. Nothing was sent to it.`)
				done(pemOf('CERTIFICATE', found.raw))
			},
		)
		socket.on('timeout', () => socket.destroy(new Error(`nothing for ${PATIENCE_MS / 1000} s`)))
		socket.on('error', (cause) => unreachable(`${host} does not answer: ${cause.message}.`, cause))
	})
}

function chainOf(leaf: DetailedPeerCertificate): DetailedPeerCertificate[] {
	const chain: DetailedPeerCertificate[] = []
	for (let at: DetailedPeerCertificate | undefined = leaf; at?.raw && !chain.includes(at); at = at.issuerCertificate) chain.push(at)
	return chain
}

async function claimed(http: DeviceHttp, host: string, request: EnrolmentRequest): Promise<EnrolmentAnswer> {
	const { status, text } = await http.ask('POST', DEVICE_PATHS.enrolments, { body: JSON.stringify(request) })
	if (status !== 200 && status !== 201) throw refusalOf(status, text)
	const answer = enrolmentAnswer.safeParse(parsed(text))
	if (!answer.success)
		throw new Fault('message-invalid', `${host} answered with something else than an enrolment. Compare the versions of server and controller.`)
	return answer.data
}

/**
 * A machine that was let in before and can renew no more is let in anew by a code that somebody types at it: what it is, what it has recorded, and its keys
 * stay. Nothing of it changes before the server has said yes. `restart`: others may sign bundles now, or the server is elsewhere, which is read at the
 * start. Throws `Fault` server-unreachable, claim-invalid, rate-limited, request-refused, message-invalid, certificate-invalid.
 */
export async function claimAnew(
	code: string,
	{ config, path, identity, http }: { readonly config: EdgeConfig; readonly path: string; readonly identity: Identity; readonly http: DeviceHttp },
): Promise<'as-before' | 'restart'> {
	const { server, controller, bank } = config
	if (!server) throw new Fault('config-invalid', `${path}: names no server.`)
	const answer = await claimed(http, server.https, { claim: code, csr: identity.request(), controller })
	if (answer.controller !== controller || answer.bank !== bank)
		throw new Fault('message-invalid', 'The server took this machine for another. Compare the claim with the controller that it was made for.')
	identity.check(answer)
	const makers = makersOf(answer)
	const { https, mqtt } = answer
	const same = JSON.stringify([makers, https.url, mqtt.url]) === JSON.stringify([config.makers, server.https, server.mqtt])
	if (!same) {
		const raw = JSON.parse(readFileSync(path, 'utf8')) as { readonly server: object }
		writeJson(path, { ...raw, makers, server: { ...raw.server, https: https.url, mqtt: mqtt.url } })
	}
	// Last: until it lies there the code can be typed once more. The site's key comes beside the bundle that needs another one.
	identity.take(answer)
	return same ? 'as-before' : 'restart'
}

const makersOf = ({ makers }: EnrolmentAnswer): EdgeConfig['makers'] =>
	makers.map(({ keyId, publicKey }) => ({ keyId, publicKey: hexOf('makers', publicKey) }))

function parsed(text: string): unknown {
	try {
		return JSON.parse(text)
	} catch {
		return undefined
	}
}

function refusalOf(status: number, text: string): Fault {
	const said = (parsed(text) ?? {}) as { code?: unknown; detail?: unknown }
	const detail = typeof said.detail === 'string' ? said.detail : `The server answered ${status}.`
	return new Fault(said.code === 'claim-invalid' || said.code === 'rate-limited' ? said.code : 'request-refused', detail)
}

function configOf(wiring: Wiring, answer: EnrolmentAnswer, files: ReturnType<typeof filesIn>, head: string) {
	const { controller, bank, tenant, site, https, mqtt } = answer
	return {
		controller,
		bank,
		...wiring,
		makers: makersOf(answer),
		siteKey: resolve(files.siteKey),
		deviceKey: resolve(files.deviceKey),
		server: {
			tenant,
			site,
			https: https.url,
			mqtt: mqtt.url,
			head,
			key: resolve(files.key),
			certificate: resolve(files.certificate),
			ca: resolve(files.ca),
		},
	}
}

function hexOf(field: string, base64: string): string {
	const bytes = fromBase64(base64)
	if (bytes?.length !== 32)
		throw new Fault('message-invalid', `The server’s ${field} is no key of 32 bytes. Compare the versions of server and controller.`)
	return toHex(bytes)
}
