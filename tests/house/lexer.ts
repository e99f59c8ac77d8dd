/**
 * Words, strings, regular expressions and signs of a TypeScript file, without comments: enough to see what it imports, which names it uses, and whether
 * it still says the same.
 * (TypeScript 7 offers no scanner to other programs yet.) A text in JSX that looks like a string ends at its line.
 */
export interface Token {
	readonly kind: 'word' | 'string' | 'regexp' | 'sign'
	/** A string's text without its quotes, escapes as written. */
	readonly text: string
	readonly line: number
}

const SPACE = /\s+/y
const COMMENT = /\/\/[^\n]*|\/\*[\s\S]*?(?:\*\/|$)/y
const WORD = /[\p{ID_Start}$_#@][\p{ID_Continue}$]*|\d[\w.]*/uy
const QUOTED = /'((?:\\[\s\S]|[^'\\\n])*)'?|"((?:\\[\s\S]|[^"\\\n])*)"?/y
const REGEXP = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/y
const TEMPLATE = /((?:\\[\s\S]|\$(?!\{)|[^`\\$])*)(`|\$\{|$)/y
/** After these a slash begins a regular expression, after anything else it divides. */
const BEFORE_REGEXP = new Set([
	'(',
	',',
	'=',
	':',
	'[',
	'!',
	'&',
	'|',
	'?',
	'{',
	'}',
	';',
	'+',
	'-',
	'*',
	'%',
	'<',
	'>',
	'~',
	'^',
	'return',
	'typeof',
	'case',
	'in',
	'of',
	'do',
	'else',
	'void',
	'await',
	'yield',
])

export function tokens(source: string): Token[] {
	const out: Token[] = []
	/** Open braces of each template expression that we are inside of. */
	const templates: number[] = []
	let at = source.startsWith('#!') ? source.indexOf('\n') : 0
	let line = 1
	const take = (pattern: RegExp): RegExpExecArray | null => {
		pattern.lastIndex = at
		const found = pattern.exec(source)
		if (found === null || found[0] === '') return null
		at += found[0].length
		return found
	}
	const push = (kind: Token['kind'], text: string) => out.push({ kind, text, line })
	const template = () => {
		TEMPLATE.lastIndex = at
		const found = TEMPLATE.exec(source)
		push('string', found?.[1] ?? '')
		at += found?.[0].length ?? 0
		if (found?.[2] === '${') templates.push(0)
	}
	while (at >= 0 && at < source.length) {
		const from = at
		const last = out.at(-1)
		if (take(SPACE) || take(COMMENT)) line += newlines(source, from, at)
		else if (source[at] === '`') {
			at += 1
			template()
			line += newlines(source, from, at)
		} else if (source[at] === '}' && templates.at(-1) === 0) {
			templates.pop()
			at += 1
			template()
			line += newlines(source, from, at)
		} else if (take(WORD)) push('word', source.slice(from, at))
		else if (source[at] === '/' && (last === undefined || (['word', 'sign'].includes(last.kind) && BEFORE_REGEXP.has(last.text))) && take(REGEXP))
			push('regexp', source.slice(from, at))
		else {
			const quoted = take(QUOTED)
			if (quoted) push('string', quoted[1] ?? quoted[2] ?? '')
			else {
				const sign = source[at++] ?? ''
				if (templates.length > 0 && (sign === '{' || sign === '}')) templates.push((templates.pop() ?? 0) + (sign === '{' ? 1 : -1))
				push('sign', sign)
			}
		}
	}
	return out
}

function newlines(source: string, from: number, to: number): number {
	let n = 0
	for (let i = source.indexOf('\n', from); i >= 0 && i < to; i = source.indexOf('\n', i + 1)) n++
	return n
}

export interface Import {
	readonly specifier: string
	readonly line: number
}

/** `import … from`, `export … from`, `import '…'`, `import('…')`, `require('…')`; also imports of types. */
export function importsOf(all: readonly Token[]): Import[] {
	const found: Import[] = []
	for (const [i, token] of all.entries()) {
		if (token.kind !== 'word' || all[i - 1]?.text === '.') continue
		const next = all[i + 1]
		if ((token.text === 'import' || token.text === 'require') && next?.text === '(' && all[i + 2]?.kind === 'string') {
			found.push({ specifier: all[i + 2]?.text ?? '', line: token.line })
		} else if (token.text === 'import' && next?.kind === 'string') found.push({ specifier: next.text, line: token.line })
		else if (token.text === 'import' || token.text === 'export') {
			const specifier = fromClause(all, i + 1)
			if (specifier !== undefined) found.push({ specifier, line: token.line })
		}
	}
	return found
}

/** Walks `type`, names, braces, commas and stars up to `from '…'`; any other sign means that this is no import. */
function fromClause(all: readonly Token[], start: number): string | undefined {
	for (let i = start; i < all.length; i++) {
		const token = all[i]
		if (token?.kind === 'word' && token.text === 'from' && all[i + 1]?.kind === 'string') return all[i + 1]?.text
		if (token?.kind === 'string' || (token?.kind === 'sign' && !['{', '}', ',', '*'].includes(token.text))) return undefined
		if (token?.kind === 'word' && ['const', 'let', 'function', 'class', 'interface', 'default', 'async'].includes(token.text)) return undefined
	}
	return undefined
}
