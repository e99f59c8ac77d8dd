export interface Schema {
	readonly $ref?: string
	readonly type?: string | readonly string[]
	readonly format?: string
	readonly description?: string
	readonly enum?: readonly unknown[]
	readonly const?: unknown
	readonly items?: Schema
	readonly properties?: Readonly<Record<string, Schema>>
	readonly required?: readonly string[]
	readonly additionalProperties?: boolean | Schema
	readonly anyOf?: readonly Schema[]
	readonly oneOf?: readonly Schema[]
	readonly pattern?: string
	readonly minimum?: number
	readonly maximum?: number
	readonly minLength?: number
	readonly maxLength?: number
	readonly maxItems?: number
	readonly default?: unknown
}
type Content = Readonly<Record<string, { readonly schema?: Schema }>>

export interface Operation {
	readonly operationId: string
	readonly summary?: string
	readonly tags?: readonly string[]
	readonly 'x-permission'?: string
	readonly parameters?: readonly { readonly name: string; readonly in: string; readonly required?: boolean; readonly schema?: Schema }[]
	readonly requestBody?: { readonly content: Content }
	readonly responses?: Readonly<Record<string, { readonly description?: string; readonly content?: Content }>>
}

export interface Described {
	readonly info: { readonly title: string; readonly version: string; readonly description?: string }
	readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>
	readonly components?: { readonly schemas?: Readonly<Record<string, Schema>> }
}

/** The API for a person: what there is, by subject; each call with its permission, what goes in and what comes out; every shape once. */
export function writePage({ info, paths, components }: Described): string {
	const calls = Object.entries(paths).flatMap(([path, methods]) =>
		Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
	)
	const tags = [...new Set(calls.map(({ operation }) => operation.tags?.[0] ?? 'Other'))]
	const shapes = Object.entries(components?.schemas ?? {}).sort(([a], [b]) => (a < b ? -1 : 1))
	const content = tags.map((tag) => {
		const own = calls.filter(({ operation }) => (operation.tags?.[0] ?? 'Other') === tag)
		return `<section><h2 id="${anchor(tag)}">${text(tag)}</h2>${own.map(call).join('')}</section>`
	})
	return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${text(info.title)} API ${text(info.version)}</title>
<link rel="stylesheet" href="/docs/style.css">
</head>
<body>
<a class="skip" href="#top">Skip to the calls</a>
<nav aria-label="Subjects"><p><strong>${text(info.title)} API</strong> ${text(info.version)}<br><a href="/openapi.json">openapi.json</a></p>
<ul>${tags.map((tag) => `<li><a href="#${anchor(tag)}">${text(tag)}</a></li>`).join('')}<li><a href="#shapes">Shapes</a></li></ul></nav>
<main id="top">
<h1>${text(info.title)} API</h1>
${prose(info.description ?? '')}
${content.join('\n')}
<section><h2 id="shapes">Shapes</h2>${shapes.map(([name, schema]) => `<article id="shape-${anchor(name)}"><h3>${text(name)}</h3>${body(schema)}</article>`).join('')}</section>
</main>
</body>
</html>
`
}

function call({ path, method, operation }: { path: string; method: string; operation: Operation }): string {
	const permission = operation['x-permission'] ?? ''
	const who =
		permission === 'public' ? 'everybody' : permission === 'signed-in' ? 'whoever is signed in' : `permission <code>${text(permission)}</code>`
	const parameters = (operation.parameters ?? []).map(
		(one) => [`<code>${text(one.name)}</code> <small>${text(one.in)}${one.required ? '' : ', optional'}</small>`, one.schema ?? {}] as const,
	)
	const given = Object.values(operation.requestBody?.content ?? {})[0]?.schema
	const answers = Object.entries(operation.responses ?? {}).filter(([, { content }]) => content?.['application/problem+json'] === undefined)
	return `<article id="${anchor(operation.operationId)}">
<h3><span class="method ${anchor(method)}">${text(method.toUpperCase())}</span> <code>${text(path)}</code></h3>
<p>${inline(operation.summary ?? '')} <small>For ${who}.</small></p>
${parameters.length > 0 ? table('Parameters', parameters) : ''}
${given ? `<h4>Body</h4>${body(given)}` : ''}
${answers.map(([status, answer]) => answered(status, Object.entries(answer.content ?? {})[0])).join('')}
</article>`
}

function answered(status: string, content: [string, { readonly schema?: Schema }] | undefined): string {
	const [type, { schema = {} }] = content ?? ['', {}]
	return `<h4>Answer ${text(status)} ${type === '' || type === 'application/json' ? '' : `<small>${text(type)}</small>`}</h4>${content ? body(schema) : '<p>Without a body.</p>'}`
}

function body(schema: Schema): string {
	const union = schema.oneOf ?? schema.anyOf
	if (union && union.length > 1 && union.every((one) => one.properties)) return union.map(body).join('<p>or</p>')
	if (!schema.properties) return `<p>${kind(schema)}</p>`
	return table(
		'',
		Object.entries(schema.properties).map(([name, one]) => [
			`<code>${text(name)}</code>${schema.required?.includes(name) ? '' : ' <small>optional</small>'}`,
			one,
		]),
	)
}

const table = (caption: string, rows: readonly (readonly [string, Schema])[]): string =>
	`<table>${caption === '' ? '' : `<caption>${text(caption)}</caption>`}<tbody>${rows
		.map(
			([name, schema]) =>
				`<tr><th scope="row">${name}</th><td>${kind(schema)}${schema.description ? `<br>${inline(schema.description)}` : ''}</td></tr>`,
		)
		.join('')}</tbody></table>`

/** A type in few words: `id`, `list of Site`, `one of a, b`, `number from 1 to 200`. */
function kind(schema: Schema): string {
	const { $ref, type, items, properties, additionalProperties, format, minimum, maximum, maxLength } = schema
	if ($ref) {
		const name = $ref.split('/').at(-1) ?? ''
		return `<a href="#shape-${anchor(name)}">${text(name)}</a>`
	}
	if (schema.const !== undefined) return `<code>${text(JSON.stringify(schema.const))}</code>`
	if (schema.enum) return `one of ${schema.enum.map((one) => `<code>${text(String(one))}</code>`).join(', ')}`
	const union = schema.oneOf ?? schema.anyOf
	if (union) return union.map(kind).join(' or ')
	if (type === 'array') return `list of ${kind(items ?? {})}`
	if (properties)
		return `<ul>${Object.entries(properties)
			.map(([name, one]) => `<li><code>${text(name)}</code> ${kind(one)}</li>`)
			.join('')}</ul>`
	if (type === 'object') return typeof additionalProperties === 'object' ? `map of ${kind(additionalProperties)}` : 'object'
	const bounds = [
		...(minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? [`from ${minimum}`] : []),
		...(maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? [`to ${maximum}`] : []),
		...(maxLength === undefined ? [] : [`up to ${maxLength} characters`]),
		...(schema.default === undefined ? [] : [`default ${JSON.stringify(schema.default)}`]),
	]
	const name = /^\^([a-z]{3})_\[0-9a-f\]/.exec(schema.pattern ?? '')?.[1]
	const word = name ? `id <code>${name}_…</code>` : text(format ?? String(type ?? 'any JSON'))
	return `${word}${bounds.length > 0 ? ` ${text(bounds.join(' '))}` : ''}`
}

/** Of the words of a description, which are CommonMark: paragraphs, lists of single lines, and code. */
const prose = (raw: string): string =>
	raw
		.split('\n\n')
		.map((block) =>
			block.startsWith('- ')
				? `<ul class="list">${block
						.split('\n')
						.map((one) => `<li>${inline(one.slice(2))}</li>`)
						.join('')}</ul>`
				: `<p>${inline(block)}</p>`,
		)
		.join('')
const inline = (raw: string): string => text(raw).replaceAll(/`([^`]+)`/g, '<code>$1</code>')

const anchor = (name: string): string => name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
const text = (raw: string): string => raw.replaceAll(/[&<>"']/g, (one) => ENTITIES[one] ?? one)

/** Colours are those of the console (ui/tokens.css). */
export const STYLE = `:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif;
	--bg: light-dark(#f3f5f6, #0e1519); --surface: light-dark(#ffffff, #161f25); --sunken: light-dark(#ebeff1, #1d282f); --line: light-dark(#d9dfe3, #2c3941);
	--ink: light-dark(#13212a, #e8eef1); --soft: light-dark(#41515c, #b6c3cb); --brand: light-dark(#0a5260, #7ed2df); --tint: light-dark(#e0eff1, #12343c); --focus: light-dark(#1358d0, #8ab8ff); }
body { margin: 0; display: grid; grid-template-columns: 15rem minmax(0, 60rem); gap: 2rem; background: var(--bg); color: var(--ink); }
a { color: var(--brand); text-underline-offset: 2px; } :focus-visible { outline: 3px solid var(--focus); outline-offset: 2px; } small { color: var(--soft); }
nav { position: sticky; top: 0; height: 100vh; overflow: auto; padding: 1rem; border-inline-end: 1px solid var(--line); background: var(--surface); box-sizing: border-box; }
nav ul { list-style: none; padding: 0; } nav a { display: inline-block; padding: .25rem 0; }
main { padding: 1rem; } h2 { border-block-end: 1px solid var(--line); }
article { margin-block: 1rem; padding: .25rem 1.125rem 1rem; border: 1px solid var(--line); border-radius: .75rem; background: var(--surface); }
code { padding: 0 .25em; border-radius: .25em; background: var(--sunken); font-size: .9em; } h3 code { background: none; }
h3 code { overflow-wrap: anywhere; } h4 { margin-block: 1rem .25rem; }
.method { font-size: .8em; padding: .1em .5em; border-radius: .3em; background: var(--tint); color: var(--brand); }
.list { columns: 22rem; column-gap: 2.5rem; padding-inline-start: 1rem; font-size: .875rem; } .list li { break-inside: avoid; }
table { border-collapse: collapse; width: 100%; } caption { text-align: start; font-weight: bold; }
th, td { text-align: start; vertical-align: top; padding: .3rem .6rem .3rem 0; border-block-start: 1px solid var(--line); overflow-wrap: anywhere; }
th { width: 16rem; font-weight: normal; } td ul { margin: 0; padding-inline-start: 1rem; }
.skip { position: absolute; inset-inline-start: -100vw; } .skip:focus { inset-inline-start: 1rem; top: 1rem; background: var(--surface); padding: .5rem; }
@media (max-width: 50rem) { body { display: block; } nav { position: static; height: auto; border: 0; } th { width: 40%; } }
`
