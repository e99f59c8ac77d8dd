#!/usr/bin/env node
/** The `latchwork` command. Each command is a file that is loaded only when it is asked for. */
interface Command {
	readonly words: string
	readonly run: (args: readonly string[]) => Promise<void>
}

const COMMANDS: Readonly<Record<string, Command>> = {
	dev: {
		words:
			'start everything on this machine: a controller, a virtual bank and demo people  [--fresh] [--no-demo] [--virtual-clock] [--edge FILE] [--data DIR] [--port N]',
		run: async (args) => (await import('./commands/dev.ts')).dev(args),
	},
	edge: {
		words: 'run one controller from its edge.json; `edge settle DOOR nothing|TAG` after looking into a held compartment',
		run: async (args) => (await import('./commands/edge.ts')).edge(args),
	},
	driver: {
		words:
			'`driver list`, `driver test FAMILY`: the conformance suite against the emulator; at the cabinet `driver probe | learn | install-key EDGE.JSON`',
		run: async (args) => (await import('./commands/driver.ts')).driver(args),
	},
	ledger: {
		words: "`ledger verify [DIR|FILE]`: proves that a controller's stream is whole; `ledger export FILE [--data DIR]`",
		run: async (args) => (await import('./commands/ledger.ts')).ledger(args),
	},
	bench: {
		words: 'measure, each figure beside its floor  [NAME …]',
		run: async (args) => (await import('./commands/bench.ts')).bench(args),
	},
	bundle: {
		words: '`bundle edge --out DIR`: the controller as it is shipped, one program, Node itself apart  [--platform linux-arm64]',
		run: async (args) => (await import('./commands/bundle.ts')).bundle(args),
	},
	doctor: {
		words: 'look for what keeps Latchwork from running here, and say what to do  [--data DIR]',
		run: async (args) => (await import('./commands/doctor.ts')).doctor(args),
	},
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
	const command = COMMANDS[name]
	if (command) return command.run(args)
	const list = Object.entries(COMMANDS).map(([word, { words }]) => `  latchwork ${word.padEnd(8)} ${words}`)
	process.stdout.write(`Latchwork: the open operating layer for smart lockers\n\n${list.join('\n')}\n`)
	if (name === 'help' || name === '--help' || name === '-h') return
	process.stderr.write(`\nThere is no command "${name}".\n`)
	process.exitCode = 2
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
