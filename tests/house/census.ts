import { readdirSync, readFileSync, readlinkSync } from 'node:fs'

/**
 * What runs and what listens on this machine, and what lies in a folder, so that two moments can be compared.
 * A process belongs to the run when it carries `mark` in its environment (children inherit it), when its session is one of
 * `sessions`, or when its parent belongs. Reads Linux's /proc; elsewhere `supported` is false and the caller says so.
 */
export interface CensusScope {
	/** `NAME=value` that only processes of this run have. */
	readonly mark: string
	/** Session ids (`setsid`) of the processes that the run started. */
	readonly sessions: ReadonlySet<number>
	/** Folder whose entries count; `prefix` limits which. */
	readonly folder: string
	readonly prefix: string
}

export interface Census {
	/** Process id -> command line, of processes that belong to the run. */
	readonly processes: ReadonlyMap<number, string>
	/** Listening TCP port -> its owner: a process of the run, somebody else's, or not to be seen. */
	readonly ports: ReadonlyMap<number, 'run' | 'other' | 'unknown'>
	readonly folders: ReadonlySet<string>
}

export const censusSupported = process.platform === 'linux'

export function takeCensus(scope: CensusScope): Census {
	const processes = censusSupported ? processesOf(scope) : new Map<number, string>()
	return {
		processes,
		ports: censusSupported ? listeningPorts(new Set(processes.keys())) : new Map(),
		folders: new Set(list(scope.folder).filter((name) => name.startsWith(scope.prefix))),
	}
}

/** What is there afterwards and was not before, one line each; empty when the run left the machine as it found it. */
export function leftovers(before: Census, after: Census): string[] {
	return [
		...[...after.processes].filter(([pid]) => !before.processes.has(pid)).map(([pid, command]) => `process ${pid}: ${command}`),
		...[...after.ports].filter(([port, owner]) => owner !== 'other' && !before.ports.has(port)).map(([port]) => `listening TCP port ${port}`),
		...[...after.folders].filter((name) => !before.folders.has(name)).map((name) => `temporary folder ${name}`),
	]
}

function processesOf(scope: CensusScope): Map<number, string> {
	const all = list('/proc')
		.filter((name) => /^\d+$/.test(name))
		.map(Number)
		.filter((pid) => pid !== process.pid)
		.map((pid) => ({ pid, ...statOf(pid) }))
		.filter((p) => p.state !== 'Z' && p.state !== '')
	const ours = new Set(all.filter((p) => scope.sessions.has(p.session) || environmentOf(p.pid).includes(scope.mark)).map((p) => p.pid))
	for (let grown = true; grown; ) {
		const children = all.filter((p) => ours.has(p.parent) && !ours.has(p.pid))
		for (const child of children) ours.add(child.pid)
		grown = children.length > 0
	}
	return new Map([...ours].map((pid) => [pid, commandOf(pid)]))
}

/** Fields 3, 4 and 6 of /proc/pid/stat (proc(5)); the name in field 2 may hold spaces and brackets, so read after the last one. */
function statOf(pid: number): { state: string; parent: number; session: number } {
	const fields = read(`/proc/${pid}/stat`)
		.replace(/^.*\) /s, '')
		.split(' ')
	return { state: fields[0] ?? '', parent: Number(fields[1]), session: Number(fields[3]) }
}

const environmentOf = (pid: number): string[] => read(`/proc/${pid}/environ`).split('\0')
const commandOf = (pid: number): string => read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim().slice(0, 200)

function listeningPorts(ours: ReadonlySet<number>): Map<number, 'run' | 'other' | 'unknown'> {
	const owners = socketOwners()
	const ports = new Map<number, 'run' | 'other' | 'unknown'>()
	for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
		for (const row of read(table).split('\n').slice(1)) {
			// proc(5): local address is hex ip:port, state 0A is LISTEN, the tenth column the socket's inode.
			const [, local, , state, , , , , , inode] = row.trim().split(/\s+/)
			if (state !== '0A' || local === undefined) continue
			const pid = owners.get(inode ?? '')
			ports.set(
				Number.parseInt(local.slice(local.lastIndexOf(':') + 1), 16),
				pid === undefined ? 'unknown' : ours.has(pid) || pid === process.pid ? 'run' : 'other',
			)
		}
	}
	return ports
}

function socketOwners(): Map<string, number> {
	const owners = new Map<string, number>()
	for (const pid of list('/proc').filter((name) => /^\d+$/.test(name))) {
		for (const fd of list(`/proc/${pid}/fd`)) {
			const inode = /^socket:\[(\d+)\]$/.exec(link(`/proc/${pid}/fd/${fd}`))?.[1]
			if (inode !== undefined) owners.set(inode, Number(pid))
		}
	}
	return owners
}

// A process may end while it is being read: what is gone reads as nothing.
const read = (path: string): string => orElse('', () => readFileSync(path, 'utf8'))
const list = (path: string): string[] => orElse([], () => readdirSync(path))
const link = (path: string): string => orElse('', () => readlinkSync(path))
function orElse<T>(fallback: T, get: () => T): T {
	try {
		return get()
	} catch {
		return fallback
	}
}
