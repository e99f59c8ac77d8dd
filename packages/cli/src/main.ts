#!/usr/bin/env node
import { readFileSync } from 'node:fs'
import { readArgs } from './config.ts'
import { type CommandName, helpText, isCommand } from './help.ts'

/** The `latchwork` command. Each command is a file that is loaded only when it is asked for. */
const COMMANDS: Readonly<Record<CommandName, (args: readonly string[]) => Promise<void>>> = {
	dev: async (args) => (await import('./commands/dev.ts')).dev(args),
	edge: async (args) => (await import('./commands/edge.ts')).edge(args),
	server: async (args) => (await import('./commands/server.ts')).server(args),
	tenant: async (args) => (await import('./commands/tenant.ts')).tenant(args),
	admin: async (args) => (await import('./commands/admin.ts')).admin(args),
	driver: async (args) => (await import('./commands/driver.ts')).driver(args),
	ledger: async (args) => (await import('./commands/ledger.ts')).ledger(args),
	bench: async (args) => (await import('./commands/bench.ts')).bench(args),
	bundle: async (args) => (await import('./commands/bundle.ts')).bundle(args),
	doctor: async (args) => (await import('./commands/doctor.ts')).doctor(args),
}

/** What the system refuses most, in words. */
const SYSTEM: Readonly<Record<string, string>> = {
	EACCES: 'this user may not do that there. Change its owner, or choose another place.',
	EEXIST: 'something else has that name already.',
	EISDIR: 'that is a directory.',
	ENOENT: 'there is no such file or directory, or it cannot be made there.',
	ENOSPC: 'the disk is full.',
	ENOTDIR: 'a part of that path is a file, not a directory.',
	EROFS: 'that disk can only be read.',
}

async function main([name = 'help', ...args]: readonly string[]): Promise<void> {
	const asksHelp = args.includes('--help') || args.includes('-h')
	if (isCommand(name)) return asksHelp ? say(helpText(name)) : COMMANDS[name](args)
	if (name === '--version' || name === '-v') return version(args)
	const isHelp = name === 'help' || name === '--help' || name === '-h'
	const [topic] = isHelp ? args : [name]
	if (topic === undefined || isCommand(topic)) return say(helpText(topic))
	process.stderr.write(`There is no command "${topic}". There are: ${Object.keys(COMMANDS).join(', ')}. \`latchwork help\` tells more.\n`)
	process.exitCode = 2
}

const say = (text: string) => void process.stdout.write(text)

function version(args: readonly string[]): void {
	readArgs(args, {})
	const { version: number } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
	say(`latchwork ${number} (Node ${process.version})\n`)
}

if (Number(process.versions.node.split('.')[0]) < 24) {
	process.stderr.write(
		`Latchwork needs Node 24, this is ${process.version}. In the repository \`npm ci\` brings it along: use \`npm start\` or \`npx latchwork\`.\n`,
	)
	process.exit(1)
}
main(process.argv.slice(2)).catch((fault: unknown) => {
	process.stderr.write(`${wordsFor(fault)}\n`)
	process.exitCode = 1
})

/** A fault of ours is a sentence for a person, and so is what the system refuses; anything else is a defect, and its place helps to mend it. */
function wordsFor(fault: unknown): string {
	if (!(fault instanceof Error)) return String(fault)
	const { code, path } = fault as { code?: string; path?: string }
	if (fault.name === 'Fault') return fault.message
	if (path !== undefined && code && /^E[A-Z]+$/.test(code)) return `${path}: ${SYSTEM[code] ?? fault.message}`
	return fault.stack ?? fault.message
}
