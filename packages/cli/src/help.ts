/** What `latchwork help` says. A test holds it against the options that the commands read. */
export interface CommandHelp {
	readonly words: string
	/** What can stand behind the command, where that is more than options. */
	readonly forms?: Readonly<Record<string, string>>
	readonly options?: Readonly<Record<string, string>>
}

const DATA = 'the data directory; default LATCHWORK_DATA, or .latchwork in the current directory'

export const HELP = {
	dev: {
		words: 'start everything on this machine: server, database, broker, two virtual banks with their controllers, demo people',
		options: {
			'--data DIR': DATA,
			'--port N':
				'port of the kiosk; the next ones are of the virtual bank, the API with the console, the device port, the second kiosk; default LATCHWORK_PORT, or 4180, or the next that are free',
			'--alone': 'one controller and its virtual bank, without a server',
			'--fresh': 'begin anew: remove what earlier starts made in the data directory, and nothing else',
			'--no-demo': 'no people and no laptops',
			'--virtual-clock': 'a time that can be moved (POST /clock of the virtual bank)',
			'--edge FILE': 'run this bundled controller (latchwork-edge.js) instead of the one in the repository',
		},
	},
	edge: {
		words: 'run one controller, or tell a running one what staff found',
		forms: {
			'[EDGE.JSON]': 'run it; default: edge.json of the data directory',
			'--server URL --claim-file FILE': 'enrol it to a server first; the next starts need neither',
			'wiring --server URL --bank BANK': 'prints a beginning of the file for --config: the doors of that bank, to be corrected by hand',
			'settle DOOR nothing|TAG': 'after a look into a held compartment: what is in it',
			'settle --history': 'records were lost, and staff have counted what is inside',
		},
		options: {
			'--data DIR': DATA,
			'--server URL': 'enrol: address of the server’s device port; wiring: address of the server',
			'--claim-file FILE': 'enrol: file with the token that the console shows once, good for 15 minutes; else LATCHWORK_CLAIM',
			'--claim TOKEN': 'enrol: the token itself; everybody on the machine can read it while the command runs',
			'--token T': 'wiring: an API token that may see the bank; default LATCHWORK_TOKEN',
			'--bank BANK': 'wiring: the bank, bnk_…',
			'--config FILE': 'enrol: how the hardware is wired; default: edge.json of the data directory',
			'--returned': 'settle: an item that is on loan is back, and its loan ends',
			'--sure': 'settle: looked at twice, the content sensor is wrong',
			'--history': 'settle: see above',
		},
	},
	server: {
		words: 'run the server: many banks, one ledger, API and console',
		options: {
			'--data DIR': DATA,
			'--clock DIR': 'a time that can be moved, shared with the other processes of `latchwork dev`; tests only',
			'--child': 'end when the standard input closes',
		},
	},
	tenant: {
		words: 'organisations of a server, for whoever operates it; with the environment of the server, which may be running',
		forms: {
			'add --name NAME --admin EMAIL': 'one more organisation; prints the password of its first owner, once',
			list: 'ids and names',
		},
		options: { '--data DIR': DATA, '--name NAME': 'add: what it is called', '--admin EMAIL': 'add: the address by which its first owner signs in' },
	},
	admin: {
		words: 'a lost password, for whoever operates the server; with the environment of the server, which may be running',
		forms: { 'reset EMAIL': 'draws another one, prints it once, and ends the sessions of that person' },
		options: { '--data DIR': DATA, '--tenant ID': 'reset: which organisation, where several have that address' },
	},
	driver: {
		words: 'which hardware is known; whether a driver keeps its contract; work at the cabinet, with the controller stopped',
		forms: {
			list: 'families and products',
			'test FAMILY': 'the conformance suite against the emulator',
			'probe EDGE.JSON|DEVICE|HOST:PORT': 'which lock boards answer; no door opens',
			'learn EDGE.JSON BUS BOARD OUTPUT': 'opens that output and says how its sensor is wired; or DEVICE|HOST:PORT BOARD OUTPUT',
			'install-key EDGE.JSON [READER]': 'brings a key of its own into a reader; or DEVICE|HOST:PORT --key FILE',
		},
		options: {
			'--family F': 'probe, learn: a family of lock boards',
			'--product P': 'learn, install-key: one of the family’s products',
			'--baud N': 'probe, learn, install-key: speed of a serial line that is named by itself',
			'--key FILE': 'install-key: the file that is to hold the key',
			'--address N': 'install-key: address of the reader on its line, 0 to 126',
			'--rotate': 'install-key: another key for a reader in service',
		},
	},
	ledger: {
		words: 'prove what controllers and the server recorded',
		forms: {
			'verify [DIR|FILE]': 'that no event was changed, removed or moved: a data directory (default), an exported stream or log',
			'proof DIR --position N': 'that one entry is in an exported log, as a text for whoever has the log’s key',
			'export FILE': 'a controller’s newest stream up to its last signed head',
			'export --server URL --out DIR': 'the audit log of a tenant, for anybody’s verifier; again into the same folder: what is new',
		},
		options: {
			'--data DIR': DATA,
			'--key KEY': 'verify, proof: public key of the controller in hex, or the log’s verifier key, as you were given it',
			'--kept FILE': 'verify: a checkpoint that was kept; the log must have grown out of it',
			'--position N': 'proof: number of the entry, the first is 0',
			'--server URL': 'export: address of the server',
			'--token T': 'export: an API token that may read the audit log; default LATCHWORK_TOKEN',
			'--out DIR': 'export: the folder to write',
		},
	},
	bench: {
		words: 'measure, each figure beside its floor',
		forms: { '[NAME …]': 'only these; an unknown name lists all' },
		options: { '--out DIR': 'where JSON and SVG go; default bench-results', '--effort N': 'times as many samples; 1 is what is published' },
	},
	bundle: {
		words: 'make what is shipped to a controller, without Node itself',
		forms: { 'edge --out DIR': 'an empty folder, or one with an earlier bundle, whose own files are replaced' },
		options: { '--out DIR': 'see above', '--platform P': 'for another processor: linux-arm64, linux-x64 …; default: this machine’s' },
	},
	doctor: {
		words: 'look for what keeps Latchwork from running here, and say what to do',
		options: { '--data DIR': DATA },
	},
} as const satisfies Readonly<Record<string, CommandHelp>>

export type CommandName = keyof typeof HELP
export const isCommand = (name: string): name is CommandName => Object.hasOwn(HELP, name)

/** All commands, or one of them, each with all its options. */
export function helpText(one?: CommandName): string {
	const all: [string, CommandHelp][] = Object.entries(HELP)
	const blocks = all.filter(([name]) => one === undefined || name === one).map(([name, help]) => block(name, help))
	const last = one === undefined ? '\n\n  latchwork help COMMAND, latchwork COMMAND --help, latchwork --version' : ''
	return `Latchwork: the open operating layer for smart lockers\n\n${blocks.join('\n\n')}${last}\n`
}

function block(name: string, { words, forms = {}, options = {} }: CommandHelp): string {
	const lines = [...Object.entries(forms).map(([form, text]) => [`${name} ${form}`, text] as const), ...Object.entries(options)]
	return [`  latchwork ${name.padEnd(8)} ${words}`, ...lines.map(([left, right]) => `      ${left.padEnd(40)} ${right}`)].join('\n')
}
