import { readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { Fault, ID_PREFIXES, type Id, type IdKind, isId } from '@latchwork/core/base'
import { z } from 'zod'
import { wiringComplaint } from './wiring.ts'

/**
 * `edge.json`: how this controller is wired and whom it trusts; written at commissioning (or by `latchwork dev`), read at
 * start. Rights come in the bundle, never here. Paths are relative to the file.
 */
const id = <K extends IdKind>(kind: K) => z.custom<Id<K>>((v) => isId(kind, v), `must be an id like ${ID_PREFIXES[kind]}_…`)
const transport = z.discriminatedUnion('kind', [
	z.strictObject({ kind: z.literal('serial'), path: z.string().min(1), baud: z.int().positive() }),
	z.strictObject({ kind: z.literal('tcp'), host: z.string().min(1), port: z.int().min(1).max(65535) }),
])

const edgeConfig = z.strictObject({
	controller: id('controller'),
	bank: id('bank'),
	/** Loopback only; the kiosk browser runs on the same machine. 0 = any free port. */
	port: z.int().min(0).max(65535),
	/** Built kiosk page. */
	web: z.string(),
	/** Files of a controller that works alone. */
	bundle: z.string().optional(),
	lease: z.string().optional(),
	/** Written at enrolment (`latchwork edge --server … --claim …`): then bundle and lease come from there, and events go there. */
	server: z
		.strictObject({
			tenant: id('tenant'),
			site: id('site'),
			https: z.url({ protocol: /^https$/ }),
			mqtt: z.url({ protocol: /^(wss|mqtts)$/ }),
			/** The name under which the server knows the device key, by which heads are signed. */
			head: z.string().min(1).max(100),
			/** PEM files: the key of the link and its certificate, and all that the server's certificate may rest on. */
			key: z.string(),
			certificate: z.string(),
			ca: z.string(),
		})
		.optional(),
	/** Ed25519 keys whose bundles, leases and codes are accepted: raw public key, hex. */
	makers: z.array(z.strictObject({ keyId: z.string().min(1), publicKey: z.string().regex(/^[0-9a-f]{64}$/) })).min(1),
	/** Files readable by this user only: 32 bytes hex (site key), PKCS#8 PEM (device key). Storage level L0, stated in SECURITY.md. */
	siteKey: z.string(),
	deviceKey: z.string(),
	/** `--virtual-clock`, dev and tests only. */
	clock: z.string().optional(),
	buses: z.array(
		z.strictObject({
			id: z.string().min(1),
			family: z.string(),
			product: z.string(),
			transport,
			boards: z.array(z.int().nonnegative()).min(1),
			polarity: z.enum(['bit1Closed', 'bit1Open']).optional(),
			statusOrder: z.enum(['lowFirst', 'highFirst']).optional(),
		}),
	),
	readers: z.array(
		z.strictObject({
			id: id('reader'),
			family: z.string(),
			/** One of the family's products; the family's first where it is left out. */
			product: z.string().optional(),
			transport,
			address: z.int().min(0).max(126).optional(),
			/** File with the 16-byte key of the secure channel, hex; without it the reader must say `allowPlain`. */
			key: z.string().optional(),
			allowPlain: z.boolean().optional(),
			prefix: z.string().optional(),
		}),
	),
	compartments: z
		.array(
			z.strictObject({
				id: id('compartment'),
				/** The door's number, for whoever reads the file; what the bundle says counts. */
				door: z.int().optional(),
				bus: z.string(),
				board: z.int().nonnegative(),
				channel: z.int().nonnegative(),
			}),
		)
		.min(1),
})
export type EdgeConfig = z.infer<typeof edgeConfig>

/** Reads and checks the file; every complaint names the field. */
export function readConfig(path: string): EdgeConfig {
	let raw: unknown
	try {
		raw = JSON.parse(readFileSync(path, 'utf8'))
	} catch (cause) {
		throw new Fault(
			'config-invalid',
			`${path} cannot be read: ${cause instanceof Error ? cause.message : cause}. Run \`latchwork dev\` once, or write it by docs/guides/installer.md.`,
			{ cause },
		)
	}
	return checkConfig(raw, path)
}

/** `path`: where it lies, or will; paths in it are relative to that. */
export function checkConfig(raw: unknown, path: string): EdgeConfig {
	const parsed = edgeConfig.safeParse(raw)
	if (!parsed.success) {
		const first = parsed.error.issues[0]
		throw new Fault('config-invalid', `${path}: ${first?.path.join('.') || 'the file'}: ${first?.message}`)
	}
	const base = dirname(resolve(path))
	const at = (p: string) => resolve(base, p)
	const c = parsed.data
	const complaint = sourceComplaint(c) ?? wiringComplaint(c)
	if (complaint !== undefined) throw new Fault('config-invalid', `${path}: ${complaint}`)
	return {
		...c,
		web: at(c.web),
		...(c.bundle !== undefined && { bundle: at(c.bundle) }),
		...(c.lease !== undefined && { lease: at(c.lease) }),
		...(c.server && { server: { ...c.server, key: at(c.server.key), certificate: at(c.server.certificate), ca: at(c.server.ca) } }),
		siteKey: at(c.siteKey),
		deviceKey: at(c.deviceKey),
		...(c.clock !== undefined && { clock: at(c.clock) }),
		readers: c.readers.map((r) => ({ ...r, ...(r.key !== undefined && { key: at(r.key) }) })),
	}
}

/** One source of authority: two would each undo what the other says. */
function sourceComplaint({ bundle, lease, server }: EdgeConfig): string | undefined {
	if (server && (bundle !== undefined || lease !== undefined))
		return 'server: a controller that is enrolled reads no files; leave out bundle and lease.'
	if (server || (bundle !== undefined && lease !== undefined)) return undefined
	return `${bundle === undefined ? 'bundle' : 'lease'}: name the file, or enrol the controller to a server with \`latchwork edge --server URL --claim TOKEN\`.`
}
