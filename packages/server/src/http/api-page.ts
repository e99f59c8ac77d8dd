import type { FastifyInstance } from 'fastify'

/** `/openapi.json`, and `/docs`: the same for a person, without script and without anything from elsewhere. */
export function apiPage(app: FastifyInstance, url: () => string): void {
	let text: string | undefined
	const document = () => (text ??= JSON.stringify({ ...tidy(app.swagger() as Document), servers: [{ url: url() }] }))
	app.get('/openapi.json', { schema: { hide: true } as object }, (_request, reply) => reply.type('application/json; charset=utf-8').send(document()))
}

interface Document {
	readonly components?: { readonly schemas?: Readonly<Record<string, unknown>> }
}

/** Without the twin of every schema that nothing refers to, and without the page-long pattern that stands for "a date". */
function tidy(document: Document): Document {
	const plain = JSON.parse(JSON.stringify(document), (_key, value: { format?: string; pattern?: string }) => {
		if (value !== null && typeof value === 'object' && value.format === 'date-time') delete value.pattern
		return value
	}) as Document
	const schemas = { ...plain.components?.schemas }
	for (;;) {
		const text = JSON.stringify({ ...plain, components: { schemas } })
		const unused = Object.keys(schemas).filter(
			(name) => !text.includes(`"#/components/schemas/${name}"`) && !text.includes(`"#/components/schemas/${name}#`),
		)
		if (unused.length === 0) return { ...plain, components: { ...plain.components, schemas } }
		for (const name of unused) delete schemas[name]
	}
}
