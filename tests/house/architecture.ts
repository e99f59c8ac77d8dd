import { posix } from 'node:path'
import { type Import, importsOf, type Token, tokens } from './lexer.ts'

/**
 * The dependency rules of the architecture (ARCHITECTURE.md, "Rules"), as one function from the repository's files to what breaks them.
 * Files come in as a map, so that a test can plant a violation and see its rule find it.
 */
export interface Finding {
	readonly rule: keyof typeof RULES
	readonly file: string
	readonly line: number
	readonly text: string
}

export interface Verdict {
	readonly findings: readonly Finding[]
	/** Source files that were read to their end. */
	readonly read: number
}

interface Source {
	readonly file: string
	readonly package: string | undefined
	/** Path inside the package's `src`. */
	readonly inner: string
	/** A test, or what only core's tests are built from (`core/<folder>/testing`; that of drivers is part of the product). */
	readonly isTest: boolean
	readonly tokens: readonly Token[]
	readonly imports: readonly (Import & { readonly target: string | undefined })[]
	readonly text: string
}
type Report = (source: Source, line: number, text: string) => void
type Rule = (sources: readonly Source[], report: Report, files: ReadonlyMap<string, string>) => void

/** Which packages a package may import; nothing imports `cli`. */
const DIRECTIONS: Readonly<Record<string, readonly string[]>> = {
	core: [],
	drivers: ['core'],
	edge: ['core', 'drivers'],
	server: ['core'],
	web: ['core'],
	cli: ['core', 'drivers', 'edge', 'server', 'web'],
}
/** From left to right: a domain imports only domains to its left, through their index. */
const DOMAINS = ['store', 'tenants', 'ledger', 'estate', 'people', 'access', 'assets', 'space', 'cases', 'authority', 'fleet', 'privacy', 'insight']
const DOORS = ['link', 'connect', 'http']
/** The schema language is the one library that rules are written in. */
const CORE_LIBRARIES = new Set(['zod'])
/** Makers and brands of boards, relays, readers, outlets and chips. */
const VENDORS =
	/\b(?:kerong|yunchuan|winnsen|waveshare|shelly|tasmota|hongjiali|jinglun|cyberpower|eastron|uhubctl|salto|desfire|seos|wiegand26|hid global|assa abloy|deister|nedap|elatec)\b/i
const HIDING_NAMES = /^(?:utils?|helpers?|common|managers?|services?|misc)$|-(?:utils?|helpers?|manager|service)$/
/** A default export that somebody else's contract asks for: Vite's configuration, node:test's reporter. */
const MAY_DEFAULT_EXPORT = /(?:^|\/)vite\.config\.ts$|^tests\/house\/reporter\.ts$/
/**
 * Where the real clock may be asked: composition roots, the one file that makes it, what tests are built from, and the keep-alive of a page
 * (the patience of a browser is real even where time is virtual).
 */
const REAL_TIME = /^(?:link\/broker-)?main\.ts$|^works\.ts$|^clock-file\.ts$|(?:^|\/)testing\/|^kiosk\/http\.ts$/
const TIME_AND_CHANCE = new Set(['Date.now', 'new Date()', 'Math.random', 'performance.now', 'crypto randomness', 'setTimeout', 'setInterval'])

export const RULES = {
	'core-is-pure': (sources, report) => {
		for (const s of sources) {
			if (s.package !== 'core' || s.isTest) continue
			for (const i of s.imports) {
				if (!i.specifier.startsWith('.') && !CORE_LIBRARIES.has(i.specifier))
					report(s, i.line, `core imports ${i.specifier}; what it needs comes as an argument`)
			}
			for (const t of ambient(s.tokens)) report(s, t.line, `core uses ${t.text}; time, randomness and I/O are arguments`)
		}
	},
	'package-direction': (sources, report, files) => {
		for (const s of sources) {
			if (s.package === undefined) continue
			for (const i of s.imports) {
				const to = packageOf(i.target) ?? /^@latchwork\/([^/]+)/.exec(i.specifier)?.[1]
				if (to === undefined || to === s.package) continue
				if (!DIRECTIONS[s.package]?.includes(to)) report(s, i.line, `${s.package} imports ${to}`)
				else if (i.specifier.startsWith('.')) report(s, i.line, `${to} is imported by path, not by its name`)
				else if (i.target === undefined) report(s, i.line, `${i.specifier} is not among the exports of ${to}`)
			}
		}
		for (const [file, text] of files) {
			const from = /^packages\/([^/]+)\/package\.json$/.exec(file)?.[1]
			if (from === undefined) continue
			const { dependencies = {} } = JSON.parse(text) as { dependencies?: Record<string, string> }
			for (const name of Object.keys(dependencies)) {
				const to = /^@latchwork\/(.+)$/.exec(name)?.[1]
				if (to !== undefined && !DIRECTIONS[from]?.includes(to)) report(blank(file), 1, `${from} depends on ${to}`)
			}
		}
	},
	'server-order': (sources, report) => {
		for (const s of sources) {
			// A test of a domain speaks to it through the doors, and may look behind an index.
			if (s.package !== 'server' || s.isTest || s.inner.includes('testing/')) continue
			const from = folderOf(s.inner)
			for (const i of s.imports) {
				if (packageOf(i.target) !== 'server' || i.target === undefined) continue
				const inner = innerOf(i.target)
				const to = folderOf(inner)
				if (from === to || from === '' || to === '') continue
				if (DOMAINS.includes(from) && DOORS.includes(to) && !(to === 'http' && s.inner.endsWith('routes.ts')))
					report(s, i.line, `domain ${from} imports the door ${to}`)
				// A request is one transaction of the store, which knows no domain.
				else if (from === 'http' && to !== 'store' && DOMAINS.includes(to)) report(s, i.line, `http imports the domain ${to}`)
				else if (DOMAINS.includes(from) && DOMAINS.indexOf(to) > DOMAINS.indexOf(from))
					report(s, i.line, `${from} imports ${to}, which stands to its right`)
				else if (DOMAINS.includes(to) && inner !== `${to}/index.ts`) report(s, i.line, `${to} is imported past its index`)
			}
		}
	},
	'sql-places': (sources, report) => {
		const allowed = /^(?:store|link|connect)\/|(?:^|[/-])(?:read|write)\.ts$/
		for (const s of sources) {
			if (s.package !== 'server' || s.isTest || s.inner.includes('testing/') || allowed.test(s.inner)) continue
			for (const i of s.imports) if (i.specifier === 'kysely') report(s, i.line, 'kysely outside read and write files')
			for (const t of s.tokens) if (isSql(t)) report(s, t.line, 'SQL outside read and write files')
		}
	},
	'sql-clock': (sources, report) => {
		const clock = /\bnow\s*\(\s*\)|\bcurrent_(?:timestamp|date|time)\b|'now'|\bunixepoch\s*\(\s*\)/i
		for (const s of sources) {
			if (s.package === undefined || s.isTest) continue
			for (const t of s.tokens) if (isSql(t) && clock.test(t.text)) report(s, t.line, 'SQL asks the database for the time')
		}
	},
	'vendor-names': (sources, report) => {
		for (const s of sources) {
			if (s.package === undefined || s.package === 'drivers' || (s.package === 'server' && s.inner.startsWith('connect/'))) continue
			for (const [n, line] of s.text.split('\n').entries()) {
				const name = VENDORS.exec(line)?.[0]
				if (name !== undefined) report(s, n + 1, `names the vendor ${name}`)
			}
		}
	},
	'environment-places': (sources, report) => {
		const roots = /^(?:main|config)\.ts$/
		for (const s of sources) {
			if (s.package === undefined || s.package === 'cli' || s.package === 'web' || s.isTest || roots.test(s.inner)) continue
			for (const [i, t] of s.tokens.entries()) if (isUse(s.tokens, i, 'process', 'env')) report(s, t.line, 'reads the environment')
		}
	},
	'clock-places': (sources, report) => {
		for (const s of sources) {
			if ((s.package !== 'drivers' && s.package !== 'edge' && s.package !== 'server') || s.isTest || REAL_TIME.test(s.inner)) continue
			for (const t of ambient(s.tokens)) if (TIME_AND_CHANCE.has(t.text)) report(s, t.line, `uses ${t.text}; time and randomness are arguments`)
		}
	},
	'console-places': (sources, report) => {
		for (const s of sources) {
			if (s.package === undefined || s.package === 'cli' || s.isTest) continue
			for (const [i, t] of s.tokens.entries()) if (isUse(s.tokens, i, 'console')) report(s, t.line, 'writes to the console')
		}
	},
	'no-cycles': (sources, report) => {
		const byFile = new Map(sources.map((s) => [s.file, s]))
		for (const cycle of cycles(
			new Map(sources.map((s) => [s.file, s.imports.flatMap((i) => (i.target && byFile.has(i.target) ? [i.target] : []))])),
		)) {
			const first = byFile.get(cycle[0] ?? '')
			if (first)
				report(
					first,
					first.imports.find((i) => i.target === cycle[1 % cycle.length])?.line ?? 1,
					`import cycle: ${[...cycle, cycle[0]].join(' -> ')}`,
				)
		}
	},
	'no-default-export': (sources, report) => {
		for (const s of sources) {
			if (MAY_DEFAULT_EXPORT.test(s.file)) continue
			for (const [i, t] of s.tokens.entries()) {
				const after = s.tokens[i + 1]
				if (t.kind === 'word' && t.text === 'export' && after?.text === 'default') report(s, t.line, 'default export')
				if (t.kind === 'word' && t.text === 'as' && after?.text === 'default' && inExport(s.tokens, i)) report(s, t.line, 'default export')
			}
		}
	},
	'file-names': (sources, report) => {
		for (const s of sources) {
			const parts = s.file.split('/').map((part) => part.replace(/\.[a-z.]+$/, ''))
			const bad = parts.find((part) => HIDING_NAMES.test(part))
			if (bad !== undefined) report(s, 1, `the name "${bad}" hides what is inside`)
		}
	},
} as const satisfies Readonly<Record<string, Rule>>

/** Judges the repository's files (path from its root -> text). */
export function judge(files: ReadonlyMap<string, string>): Verdict {
	const sources = [...files].filter(([file]) => /\.(?:ts|tsx|mts|mjs)$/.test(file)).map(([file, text]) => parse(file, text, files))
	const findings: Finding[] = []
	for (const [rule, find] of Object.entries(RULES) as [keyof typeof RULES, Rule][]) {
		find(sources, (source, line, text) => findings.push({ rule, file: source.file, line, text }), files)
	}
	return { findings, read: sources.length }
}

function parse(file: string, text: string, files: ReadonlyMap<string, string>): Source {
	const all = tokens(text)
	return {
		file,
		package: packageOf(file),
		inner: innerOf(file),
		isTest: /\.test\.tsx?$/.test(file) || /^packages\/core\/src\/[^/]+\/testing\//.test(file),
		tokens: all,
		imports: importsOf(all).map((i) => ({ ...i, target: resolve(file, i.specifier, files) })),
		text,
	}
}

const blank = (file: string): Source => ({ file, package: packageOf(file), inner: innerOf(file), isTest: false, tokens: [], imports: [], text: '' })
const packageOf = (file: string | undefined): string | undefined => (file === undefined ? undefined : /^packages\/([^/]+)\//.exec(file)?.[1])
const innerOf = (file: string): string => file.replace(/^packages\/[^/]+\/(?:src\/)?/, '')
const folderOf = (inner: string): string => (inner.includes('/') ? inner.slice(0, inner.indexOf('/')) : '')
const isSql = (t: Token): boolean =>
	t.kind === 'string' &&
	/^\s*(?:select|insert\s+(?:or\s+\w+\s+)?into|update|delete\s+from|create\s+(?:table|index|unique|trigger)|alter\s+table|with\s+\w+\s+as)\b[\s\S]*\s/i.test(
		t.text,
	)

/** The file behind an import: relative, or by a package's name through the `exports` of its package.json. */
function resolve(file: string, specifier: string, files: ReadonlyMap<string, string>): string | undefined {
	if (specifier.startsWith('.')) return posix.join(posix.dirname(file), specifier)
	const found = /^@latchwork\/([^/]+)(?:\/(.+))?$/.exec(specifier)
	const manifest = files.get(`packages/${found?.[1]}/package.json`)
	if (found === null || manifest === undefined) return undefined
	const { exports = {} } = JSON.parse(manifest) as { exports?: Record<string, string> }
	const wanted = found[2] === undefined ? '.' : `./${found[2]}`
	const path = exports[wanted] ?? exports['./*']?.replace('*', found[2] ?? '')
	return path === undefined ? undefined : posix.join(`packages/${found[1]}`, path)
}

/** Uses of the clock, of randomness and of the surroundings that no import shows. */
function ambient(all: readonly Token[]): Token[] {
	const found: Token[] = []
	for (const [i, t] of all.entries()) {
		const named = (text: string) => found.push({ kind: 'word', text, line: t.line })
		if (isUse(all, i, 'Date', 'now')) named('Date.now')
		else if (t.text === 'new' && all[i + 1]?.text === 'Date' && all[i + 2]?.text === '(' && all[i + 3]?.text === ')') named('new Date()')
		else if (isUse(all, i, 'Math', 'random')) named('Math.random')
		else if (isUse(all, i, 'performance', 'now')) named('performance.now')
		else if (isUse(all, i, 'crypto', 'randomUUID') || isUse(all, i, 'crypto', 'getRandomValues')) named('crypto randomness')
		else
			for (const name of ['setTimeout', 'setInterval', 'setImmediate', 'process', 'console', 'fetch', 'globalThis'])
				if (isUse(all, i, name)) named(name)
	}
	return found
}

/** Nobody calls these: `process(…)` is a method that somebody declares. */
const OBJECTS = new Set(['process', 'console', 'globalThis'])

/** The global `name` (or its `member`) is used here: not a field of something, not a key, not a parameter's name. */
function isUse(all: readonly Token[], i: number, name: string, member?: string): boolean {
	const t = all[i]
	if (t?.kind !== 'word' || t.text !== name || all[i - 1]?.text === '.') return false
	if (member !== undefined)
		return (all[i + 1]?.text === '.' && all[i + 2]?.text === member) || (all[i + 1]?.text === '?' && all[i + 3]?.text === member)
	const after = ['.', '?', ')', ',', ...(OBJECTS.has(name) ? [] : ['('])]
	return after.includes(all[i + 1]?.text ?? '')
}

function inExport(all: readonly Token[], i: number): boolean {
	for (let at = i; at >= 0; at--) if (all[at]?.text === '{') return all[at - 1]?.text === 'export'
	return false
}

/** Strongly connected groups of more than one file, and files that import themselves (Tarjan's algorithm), each as a path of the group. */
function cycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
	const index = new Map<string, number>()
	const low = new Map<string, number>()
	const stack: string[] = []
	const found: string[][] = []
	const visit = (node: string) => {
		index.set(node, index.size)
		low.set(node, index.get(node) ?? 0)
		stack.push(node)
		for (const next of graph.get(node) ?? []) {
			if (!index.has(next)) visit(next)
			if (stack.includes(next)) low.set(node, Math.min(low.get(node) ?? 0, low.get(next) ?? 0))
		}
		if (low.get(node) !== index.get(node)) return
		const group = stack.splice(stack.indexOf(node))
		if (group.length > 1 || graph.get(node)?.includes(node)) found.push(group)
	}
	for (const node of graph.keys()) if (!index.has(node)) visit(node)
	return found
}
