import type { FastifyInstance } from 'fastify'
import { type Described, STYLE, writePage } from './api-html.ts'

/** `/openapi.json` for programs, and `/docs`: the same for a person, without script and without anything from elsewhere. */
export function apiPage(app: FastifyInstance, url: () => string): void {
	let made: { json: string; html: string } | undefined
	const description = () => {
		if (made) return made
		const tidied = { ...tidy(app.swagger() as unknown as Described), servers: [{ url: url() }] }
		made = { json: JSON.stringify(tidied), html: writePage(tidied) }
		return made
	}
	const hide = { schema: { hide: true } as object }
	app.get('/openapi.json', hide, (_request, reply) => reply.type('application/json; charset=utf-8').send(description().json))
	app.get('/docs', hide, (_request, reply) => reply.type('text/html; charset=utf-8').send(description().html))
	app.get('/docs/style.css', hide, (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLE))
}

/** Without the twin of every schema that nothing refers to, and without the page-long pattern that stands for "a date". */
function tidy(document: Described): Described {
	// The rest of a path is a parameter without a name to the server, and `path` to everybody else.
	const named = JSON.stringify(document).replaceAll('/{*}"', '/{path}"').replaceAll('"name":"*"', '"name":"path"')
	const plain = JSON.parse(named, (_key, value: { format?: string; pattern?: string }) => {
		if (value !== null && typeof value === 'object' && value.format === 'date-time') delete value.pattern
		return value
	}) as Described
	const texts = new Map(Object.entries(plain.components?.schemas ?? {}).map(([name, schema]) => [name, JSON.stringify(schema)]))
	const paths = JSON.stringify(plain.paths)
	for (;;) {
		const unused = [...texts.keys()].filter((name) => {
			const reference = `"#/components/schemas/${name}"`
			return !paths.includes(reference) && ![...texts].some(([other, text]) => other !== name && text.includes(reference))
		})
		if (unused.length === 0) break
		for (const name of unused) texts.delete(name)
	}
	const schemas = Object.fromEntries(Object.entries(plain.components?.schemas ?? {}).filter(([name]) => texts.has(name)))
	return { ...plain, components: { ...plain.components, schemas } }
}
