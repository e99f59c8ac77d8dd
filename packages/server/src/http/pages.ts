import { existsSync } from 'node:fs'
import { join } from 'node:path'
import fastifyStatic from '@fastify/static'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'

/** Addresses that belong to programs: what is not there is a problem document, never a page. */
const NO_PAGE = /^\/(?:v1|device|docs|assets|openapi\.json|healthz|readyz)(?:[/?]|$)/

/** Whether a folder holds a built console. */
export const hasPages = (folder: string): boolean => existsSync(join(folder, 'index.html'))

/** The console's files at `/`. What it loads is named by its content and kept for good; the page itself is asked for each time. */
export async function pages(app: FastifyInstance, folder: string): Promise<void> {
	await app.register(fastifyStatic, {
		root: folder,
		index: 'index.html',
		cacheControl: false,
		setHeaders: (response, path) => response.header('cache-control', path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'),
	})
}

/** An address inside the console, such as that of a bank: the page finds its way by itself. */
export const isPageAddress = ({ method, url, headers }: FastifyRequest): boolean =>
	(method === 'GET' || method === 'HEAD') && !NO_PAGE.test(url) && (headers.accept ?? '').includes('text/html')

export const sendPage = (reply: FastifyReply): FastifyReply => reply.code(200).sendFile('index.html')
