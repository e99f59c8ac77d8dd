import { globSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Fault } from '@latchwork/core/base'
import { rolldown } from 'rolldown'
import { buildPage } from '../dev/web.ts'
import { type EdgeBundle, type Files, refuseForeign, write } from './folder.ts'
import { dependenciesOf, licensesText, packagesOf } from './licenses.ts'

/** This repository: sources, and `node_modules` with what they import. */
const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url))
const NAME = 'latchwork-edge'
const ENTRY = 'latchwork-edge.js'
const PROGRAM = 'controller.js'
const NODE = 24

export interface EdgeBundleOptions {
	/** An empty or new directory, or one with an earlier bundle: its files are replaced, all others stay. */
	readonly out: string
	/** `linux-x64`, `linux-arm64` …: whose serial add-on goes along. Default: this machine's. */
	readonly platform?: string
	/** Root of the sources; default: the repository that this file is part of. */
	readonly root?: string
}

/**
 * The controller as it is shipped (architecture.md §5): one program and what starts it, what it loads only when it needs it, the kiosk page and
 * the licenses. The same sources give the same bytes wherever and whenever they are bundled. Throws `Fault` config-invalid.
 */
export async function bundleEdge({
	out,
	platform = `${process.platform}-${process.arch}`,
	root = REPOSITORY,
}: EdgeBundleOptions): Promise<EdgeBundle> {
	refuseForeign(out)
	const { version } = JSON.parse(readFileSync(join(root, 'packages/edge/package.json'), 'utf8')) as { version: string }
	const program = await bundleProgram(root)
	const files: Files = new Map([
		[ENTRY, Buffer.from(entry(version))],
		...program.files,
		['cedar_wasm_bg.wasm', readFileSync(join(dirname(program.moduleNamed(CEDAR)), 'cedar_wasm_bg.wasm'))],
		...serialAddOn(dirname(dirname(program.moduleNamed(SERIAL))), platform),
		...kioskPage(root),
		['package.json', manifest(version, platform)],
		['LICENSE', readFileSync(join(root, 'LICENSE'))],
		['NOTICE', readFileSync(join(root, 'NOTICE'))],
		['THIRD-PARTY-LICENSES.txt', Buffer.from(licensesText([...packagesOf(program.modules), ...dependenciesOf(join(root, 'packages/web'))]))],
	])
	return write(files, out)
}

/**
 * What is started: plain JavaScript that any Node can read. The program itself imports what an old Node does not have, and would end
 * with a place inside Node before its first line.
 */
const entry = (version: string) => `// Latchwork controller ${version}
if (Number(process.versions.node.split('.')[0]) < ${NODE}) {
	process.stderr.write('Latchwork needs Node ${NODE} or newer, and this is ' + process.version + ' (' + process.execPath + ').\\n')
	process.exit(1)
}
const { run } = await import('./${PROGRAM}')
await run()
`

// ── the program ──

const CEDAR = 'cedar-wasm/nodejs/cedar_wasm.js'
const SERIAL = 'bindings-cpp/dist/serialport-bindings.js'

/**
 * Modules that look for files beside themselves. The first two find them beside the bundle, where we put them; the others do
 * so only for log workers, which the edge does not start. A dependency that is not listed here would fail in the field only.
 */
const LOOK_BESIDE = [CEDAR, SERIAL, 'pino/lib/transport.js', 'thread-stream/index.js']

interface Program {
	/** The program, and beside it what it loads only when it needs it. */
	readonly files: Files
	/** Absolute paths of all that went in. */
	readonly modules: readonly string[]
	moduleNamed(end: string): string
}

async function bundleProgram(root: string): Promise<Program> {
	const bundle = await rolldown({
		input: join(root, 'packages/edge/src/main.ts'),
		cwd: root,
		platform: 'node',
		// Comments with the path of each module would tell where it was built.
		experimental: { attachDebugInfo: 'none' },
		transform: { define: { __dirname: 'import.meta.dirname', __filename: 'import.meta.filename' } },
		plugins: [{ name: 'files-beside-the-bundle', transform: filesBeside }],
		onLog(level, log) {
			if (level === 'warn') throw new Fault('config-invalid', `The bundle would not run: ${log.message}`)
		},
	})
	try {
		const { output } = await bundle.generate({ format: 'esm', entryFileNames: PROGRAM, chunkFileNames: '[name].js' })
		const chunks = output.filter((part) => part.type === 'chunk')
		const ours = new Set(chunks.map(({ fileName }) => fileName))
		const outside = chunks.flatMap((chunk) => [...chunk.imports, ...chunk.dynamicImports]).filter((name) => !isBuiltin(name) && !ours.has(name))
		if (outside.length > 0 || chunks.length < output.length)
			throw new Fault('config-invalid', `The bundle would need more than itself: ${outside.join(', ')}`)
		const modules = chunks.flatMap((chunk) => chunk.moduleIds).filter((id) => id.startsWith('/') || /^[A-Z]:/i.test(id))
		return {
			files: new Map(chunks.map(({ fileName, code }) => [fileName, Buffer.from(code)])),
			modules,
			moduleNamed(end) {
				const found = modules.find((id) => id.replaceAll('\\', '/').endsWith(end))
				if (found === undefined) throw new Fault('config-invalid', `${end} is no longer part of the edge; the bundle must learn what took its place.`)
				return found
			},
		}
	} finally {
		await bundle.close()
	}
}

function filesBeside(code: string, id: string): string | undefined {
	const path = id.replaceAll('\\', '/')
	if (
		path.includes('/packages/') ||
		!/\b__(?:dir|file)name\b|import\.meta\.(?:url|dirname|filename)|require\.resolve/.test(code) ||
		id.startsWith('\0')
	)
		return undefined
	if (!LOOK_BESIDE.some((known) => path.endsWith(known)))
		throw new Fault('config-invalid', `${path} looks for files beside itself; the bundle must learn which.`)
	if (!path.endsWith(SERIAL)) return undefined
	// Its prebuilt add-ons lie one folder above it in the package, and beside us in the bundle.
	const there = "(0, path_1.join)(__dirname, '../')"
	if (!code.includes(there)) throw new Fault('config-invalid', `${path} finds its add-on in a new way; the bundle must learn it.`)
	return code.replace(there, '__dirname')
}

// ── what lies beside it ──

/** The prebuilt add-ons of one platform (two C libraries under Linux); the loader picks by name at run time. */
function serialAddOn(bindings: string, platform: string): [string, Uint8Array][] {
	const built = readdirSync(join(bindings, 'prebuilds')).sort()
	const folder = built.find((name) => {
		const [system, processors] = name.split('-')
		return processors?.split('+').some((processor) => `${system}-${processor}` === platform)
	})
	if (!folder) throw new Fault('config-invalid', `--platform: there is no serial add-on for ${platform}. There are: ${built.join(', ')}.`)
	return filesIn(join(bindings, 'prebuilds', folder), `prebuilds/${folder}`)
}

function kioskPage(root: string): [string, Uint8Array][] {
	const folder = mkdtempSync(join(tmpdir(), 'latchwork-bundle-'))
	try {
		buildPage(join(root, 'packages/web'), 'kiosk', folder)
		return filesIn(folder, 'kiosk')
	} finally {
		rmSync(folder, { recursive: true, force: true })
	}
}

const filesIn = (folder: string, as: string): [string, Uint8Array][] =>
	globSync('**/*', { cwd: folder, withFileTypes: true })
		.filter((entry) => entry.isFile())
		.map((entry) => join(entry.parentPath, entry.name))
		.map((path) => [`${as}${path.slice(folder.length).replaceAll('\\', '/')}`, readFileSync(path)])

function manifest(version: string, platform: string): Uint8Array {
	const [os, cpu] = platform.split('-')
	const text = {
		name: NAME,
		version,
		description: 'Latchwork controller, bundled',
		license: 'Apache-2.0',
		type: 'module',
		main: ENTRY,
		engines: { node: `>=${NODE}` },
		os: [os],
		cpu: [cpu],
	}
	return Buffer.from(`${JSON.stringify(text, null, '\t')}\n`)
}
