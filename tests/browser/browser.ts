import { readFile } from 'node:fs/promises'
import { createServer, type RequestListener, type Server } from 'node:http'
import { extname, join, normalize } from 'node:path'
import { type Browser, chromium } from 'playwright-core'

/**
 * What browser tests stand on: the built pages behind the strict headers of the product, and one quiet Chromium (its headless shell takes half the
 * processor time of the whole browser).
 */
const DIST = join(import.meta.dirname, '../../packages/web/dist')
const TYPES: Readonly<Record<string, string>> = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css' }
/** No inline script, no inline style, nothing from elsewhere: a page that needs more fails here before it fails at a kiosk. */
const CSP = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'"

export interface Served {
	readonly url: string
	close(): Promise<void>
}

/** Serves one built page at `/`; `api` answers first and returns true when the request was its own. */
export async function servePage(page: string, api: (...call: Parameters<RequestListener>) => boolean = () => false, port = 0): Promise<Served> {
	const server = createServer((request, response) => {
		if (api(request, response)) return
		const path = new URL(request.url ?? '/', 'http://page').pathname
		const file = join(DIST, page, normalize(path === '/' ? '/index.html' : path))
		readFile(file).then(
			(body) => {
				response.writeHead(200, { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'content-security-policy': CSP })
				response.end(body)
			},
			() => response.writeHead(404).end(),
		)
	})
	await new Promise<void>((resolve, reject) => server.once('error', reject).listen(port, '127.0.0.1', resolve))
	return { url: `http://127.0.0.1:${portOf(server)}/`, close: () => shut(server) }
}

function portOf(server: Server): number {
	const address = server.address()
	return typeof address === 'object' && address ? address.port : 0
}

function shut(server: Server): Promise<void> {
	return new Promise((resolve) => {
		server.close(() => resolve())
		server.closeAllConnections()
	})
}

export function startBrowser(): Promise<Browser> {
	return chromium.launch({
		executablePath: '/usr/bin/chromium-headless-shell',
		args: [
			'--no-sandbox',
			'--disable-gpu',
			'--disable-quic',
			'--no-first-run',
			'--disable-background-networking',
			'--disable-component-update',
			'--disable-sync',
		],
	})
}
