import { type ChildProcess, spawn } from 'node:child_process'
import { constants } from 'node:fs'
import { type FileHandle, mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Fault } from '@latchwork/core/base'
import type { Attach, EmulatedLine } from './contract.ts'

/** The name of the pty is printed by socat at this point of its log; before it, opening the link would fail. */
const READY = /starting data transfer/

/**
 * Emulated hardware behind a real pseudo-terminal, so that the serial driver of the system is under test as well. The
 * master side is held by `socat`, whose standard input and output are the emulator's wire: when this process dies, the
 * pipe closes and `socat` ends with it. Throws `Fault` prerequisite-missing without that program.
 */
export async function openPty(
	attach: Attach,
	socat = 'socat',
): Promise<EmulatedLine & { readonly address: { kind: 'serial'; path: string; baud: number } }> {
	const folder = await mkdtemp(join(tmpdir(), 'latchwork-pty-'))
	const path = join(folder, 'tty')
	let live: { cut(): Promise<void> } | undefined
	const restore = async () => {
		live ??= await startSocat(socat, path, attach)
	}
	const cut = async () => {
		const running = live
		live = undefined
		await running?.cut()
	}
	const close = async () => {
		await cut()
		await rm(folder, { recursive: true, force: true })
	}
	await restore().catch(async (error: unknown) => {
		await close()
		throw error
	})
	return { address: { kind: 'serial', path, baud: 19200 }, cut, restore, close }
}

async function startSocat(socat: string, path: string, attach: Attach): Promise<{ cut(): Promise<void> }> {
	const child = spawn(socat, ['-d', '-d', `pty,raw,echo=0,link=${path}`, 'stdio'], { stdio: ['pipe', 'pipe', 'pipe'] })
	const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
	child.stdin.on('error', () => {})
	await ready(child)
	// Held open by us, or the master side would fail as soon as the driver closes the port once.
	const held: FileHandle = await open(path, constants.O_RDWR | constants.O_NOCTTY)
	const detach = attach({
		write: (bytes) => void (child.stdin.writable && child.stdin.write(bytes)),
		onData(listener) {
			const onData = (bytes: Buffer) => listener(bytes)
			child.stdout.on('data', onData)
			return () => void child.stdout.off('data', onData)
		},
	})
	return {
		async cut() {
			detach()
			await held.close()
			child.kill('SIGTERM')
			await ended
		},
	}
}

function ready(child: ChildProcess): Promise<void> {
	return new Promise((resolve, reject) => {
		let log = ''
		child.stderr?.on('data', (text: Buffer) => {
			log = (log + text.toString()).slice(-4000)
			if (READY.test(log)) resolve()
		})
		child.once('close', () => reject(new Fault('prerequisite-missing', 'socat could not open a pseudo-terminal.', { detail: { log } })))
		child.once('error', (cause) =>
			reject(new Fault('prerequisite-missing', 'socat is needed for an emulated serial port: apt-get install socat', { cause })),
		)
	})
}
