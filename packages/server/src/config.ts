import { readFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { join, resolve } from 'node:path'
import { Fault, fromHex } from '@latchwork/core/base'
import { passwordFault } from './people/index.ts'

/** What a server runs with; made of the environment, and of nothing else. */
export interface ServerConfig {
	/** Its own directory: embedded database, master key. */
	readonly data: string
	readonly host: string
	/** 0: any free port. */
	readonly port: number
	/** Where people reach it; without: where it listens. */
	readonly publicUrl: string | undefined
	/** Undefined: an embedded PostgreSQL under the data directory. */
	readonly database: { readonly url: string; readonly appUrl: string | undefined } | undefined
	/** Connections that work at the same time. */
	readonly pool: number
	readonly device: DeviceConfig
	/** 32 bytes, or the file that holds them in hex and is made at the first start. */
	readonly masterKey: { readonly bytes: Uint8Array } | { readonly file: string }
	/** Proxies whose `X-Forwarded-For` is believed. */
	readonly proxies: readonly string[]
	/** Used at the very first start only. */
	readonly first: { readonly organisation: string; readonly email: string; readonly password: string | undefined }
}

/** Where controllers come in: TLS with certificates of their own, ended here and by no proxy. */
export interface DeviceConfig {
	readonly host: string
	/** HTTPS and MQTT over WebSocket. 0: any free port. */
	readonly port: number
	/** MQTT over TLS beside it. */
	readonly mqttsPort: number | undefined
	/** Names and addresses in its certificate, the one that controllers are told first. */
	readonly names: readonly string[]
	/** `https://HOST:PORT` as controllers reach it, where that is not the first name and the port itself. */
	readonly publicUrl: string | undefined
	/** An external broker instead of the one that comes along. */
	readonly external: { readonly url: string; readonly controllersUrl: string; readonly ca?: string; readonly trust?: string } | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/** Throws `config-invalid` that names the variable and what is allowed. */
export function serverConfig(env: Environment): ServerConfig {
	const given = (name: string) => (env[name] === undefined || env[name] === '' ? undefined : env[name])
	const data = resolve(given('LATCHWORK_DATA') ?? '.latchwork')
	const url = given('DATABASE_URL')
	const appUrl = given('DATABASE_APP_URL')
	if (appUrl !== undefined && url === undefined) throw wrong('DATABASE_APP_URL', 'goes together with DATABASE_URL, the login that owns the tables')
	return {
		data,
		host: host(given('LATCHWORK_HOST')),
		port: whole('LATCHWORK_PORT', given('LATCHWORK_PORT'), 0, 65_535) ?? 4_170,
		publicUrl: publicUrl(given('LATCHWORK_PUBLIC_URL')),
		database: url === undefined ? undefined : { url: postgres('DATABASE_URL', url), appUrl: appUrl && postgres('DATABASE_APP_URL', appUrl) },
		pool: whole('LATCHWORK_POOL', given('LATCHWORK_POOL'), 2, 200) ?? 10,
		device: device(given),
		masterKey: masterKey(given('LATCHWORK_MASTER_KEY'), given('LATCHWORK_MASTER_KEY_FILE'), data),
		proxies: proxies(given('LATCHWORK_PROXIES')),
		first: {
			organisation: given('LATCHWORK_ORGANISATION') ?? 'Latchwork',
			email: emailAddress(given('LATCHWORK_ADMIN_EMAIL')),
			password: password(given('LATCHWORK_ADMIN_PASSWORD'), emailAddress(given('LATCHWORK_ADMIN_EMAIL'))),
		},
	}
}

const wrong = (name: string, text: string) => new Fault('config-invalid', `${name} ${text}.`, { detail: { setting: name } })

function whole(name: string, text: string | undefined, least: number, most: number): number | undefined {
	if (text === undefined) return undefined
	const number = Number(text)
	if (!/^\d+$/.test(text) || number < least || number > most) throw wrong(name, `must be a number from ${least} to ${most}, not "${text}"`)
	return number
}

/** Loopback unless somebody says otherwise: what is reachable from outside stands behind a proxy that ends TLS. */
function host(text = '127.0.0.1', name = 'LATCHWORK_HOST'): string {
	if (isIP(text) === 0 && text !== 'localhost') throw wrong(name, `must be an IP address, not "${text}"`)
	return text
}

function publicUrl(text: string | undefined): string | undefined {
	if (text === undefined) return undefined
	const url = URL.parse(text)
	if (!url || (url.protocol !== 'https:' && url.protocol !== 'http:') || url.pathname !== '/' || url.search || url.hash || url.username)
		throw wrong('LATCHWORK_PUBLIC_URL', `must be https://HOST, without a path, not "${text}"`)
	const isLoopback = url.hostname === 'localhost' || url.hostname === '[::1]' || /^127\./.test(url.hostname)
	if (url.protocol === 'http:' && !isLoopback)
		throw wrong('LATCHWORK_PUBLIC_URL', 'must begin with https:// (people sign in there); http:// is for this machine alone')
	return url.origin
}

function postgres(name: string, text: string): string {
	// Without a host, which is a socket's directory then (`postgresql://USER@/DATABASE?host=/run/postgresql`), it is no URL to the standard.
	const url = URL.parse(text.replace('@/', '@localhost/'))
	// The URL holds a password: it is not repeated.
	if (!url || !/^postgres(?:ql)?:$/.test(url.protocol)) throw wrong(name, 'must be a URL like postgresql://USER:PASSWORD@HOST/DATABASE')
	return text
}

function device(given: (name: string) => string | undefined): DeviceConfig {
	const external = broker('MQTT_URL', given('MQTT_URL'))
	const controllersUrl = broker('MQTT_CONTROLLERS_URL', given('MQTT_CONTROLLERS_URL'))
	const ca = given('MQTT_CA')
	const trust = given('MQTT_TRUST')
	if (external === undefined && (controllersUrl ?? ca ?? trust) !== undefined)
		throw wrong('MQTT_CONTROLLERS_URL', 'MQTT_CA and MQTT_TRUST go together with MQTT_URL')
	const reached = given('LATCHWORK_DEVICE_URL')
	const url = reached === undefined ? undefined : URL.parse(reached)
	if (reached !== undefined && (url?.protocol !== 'https:' || url.pathname !== '/' || url.search))
		throw wrong('LATCHWORK_DEVICE_URL', `must be https://HOST:PORT, without a path, not "${reached}"`)
	const people = URL.parse(given('LATCHWORK_PUBLIC_URL') ?? '')?.hostname
	const names = [...new Set([...(url ? [url.hostname] : []), ...(people ? [people] : []), 'localhost'])]
	return {
		host: host(given('LATCHWORK_DEVICE_HOST'), 'LATCHWORK_DEVICE_HOST'),
		port: whole('LATCHWORK_DEVICE_PORT', given('LATCHWORK_DEVICE_PORT'), 0, 65_535) ?? 4_171,
		mqttsPort: whole('LATCHWORK_MQTTS_PORT', given('LATCHWORK_MQTTS_PORT'), 0, 65_535),
		names,
		publicUrl: url?.origin,
		external:
			external === undefined
				? undefined
				: {
						url: external,
						controllersUrl: controllersUrl ?? external,
						...(ca !== undefined && { ca: pem(ca) }),
						...(trust !== undefined && { trust: resolve(trust) }),
					},
	}
}

function pem(file: string): string {
	try {
		return readFileSync(resolve(file), 'utf8')
	} catch (cause) {
		throw new Fault('config-invalid', `MQTT_CA must name a file with certificates in PEM form; ${file} cannot be read.`, {
			cause,
			detail: { setting: 'MQTT_CA' },
		})
	}
}

function broker(name: string, text: string | undefined): string | undefined {
	if (text === undefined) return undefined
	const url = URL.parse(text)
	if (!url || !/^(?:mqtts?|wss?):$/.test(url.protocol)) throw wrong(name, 'must begin with mqtts://, mqtt://, wss:// or ws://')
	return text
}

function masterKey(text: string | undefined, file: string | undefined, data: string): ServerConfig['masterKey'] {
	if (text !== undefined && file !== undefined) throw wrong('LATCHWORK_MASTER_KEY', 'and LATCHWORK_MASTER_KEY_FILE exclude each other')
	if (text === undefined) return { file: file === undefined ? join(data, 'master.key') : resolve(file) }
	return { bytes: keyBytes('LATCHWORK_MASTER_KEY', text) }
}

/** 64 hex digits. */
export function keyBytes(name: string, text: string): Uint8Array {
	if (!/^[0-9a-fA-F]{64}$/.test(text.trim())) throw wrong(name, 'must hold 32 bytes as 64 hex digits, as `openssl rand -hex 32` makes them')
	const bytes = fromHex(text.trim())
	if (new Set(bytes).size < 8) throw wrong(name, 'is no random key; make one with `openssl rand -hex 32`')
	return bytes
}

function proxies(text = ''): readonly string[] {
	const all = text
		.split(',')
		.map((one) => one.trim())
		.filter(Boolean)
	for (const one of all)
		if (isIP(one.replace(/\/\d{1,3}$/, '')) === 0) throw wrong('LATCHWORK_PROXIES', `must be IP addresses or networks like 10.0.0.0/8, not "${one}"`)
	return all
}

/** Undefined: one is drawn and said once. */
function password(text: string | undefined, email: string): string | undefined {
	const fault = text === undefined ? undefined : passwordFault(text, email)
	if (fault !== undefined) throw wrong('LATCHWORK_ADMIN_PASSWORD', fault)
	return text
}

/** Of an administrator. */
export function emailAddress(text = 'admin@localhost', name = 'LATCHWORK_ADMIN_EMAIL'): string {
	if (!/^[^\s@]{1,64}@[^\s@]{1,190}$/.test(text)) throw wrong(name, `must be an e-mail address, not "${text}"`)
	return text
}
