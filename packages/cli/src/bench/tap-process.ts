import { randomBytes } from 'node:crypto'
import type { KioskScreen } from '@latchwork/core/wire'
import { openTransport } from '@latchwork/drivers/transport'
import { systemClock } from '@latchwork/edge/clock-file'
import { readConfig } from '@latchwork/edge/config'
import { type Edge, startEdge } from '@latchwork/edge/main'
import { cedarEngine } from '@latchwork/edge/policy-engine'
import { type BankSize, makeBank } from './bank.ts'
import { type EnrolledPlan, enrolledBank, openRelay } from './enrolled-bank.ts'
import { openFloor } from './floor.ts'
import { nanoseconds } from './hardware.ts'
import { startHardware } from './start-hardware.ts'

/** What one process measures: taps at one bank of one size, each paired with its floor. */
export interface TapJob {
	readonly folder: string
	readonly web: string
	readonly size: BankSize
	readonly samples: number
	/** Taps before the first that counts, so that the program is warm, as a controller in service is. */
	readonly warmUp: number
	/** Enrolled to a server that runs: as many taps again are made while it is online, in turns with those of a cut network. */
	readonly enrolled?: EnrolledPlan
}

/** Milliseconds, one number a tap. */
export interface TapSeries {
	/** Reader's bytes → open frame on the bus, taking something out (policies are asked). */
	readonly borrow: readonly number[]
	/** Of that: inside the policy engine, for all its questions together. */
	readonly deciding: readonly number[]
	/** The same way, bringing it back (never refused, trust.md §3.7). */
	readonly bringBack: readonly number[]
	readonly floor: readonly number[]
}

export interface TapTimes extends TapSeries {
	/** Durable part of the floor in a tight loop, per second. */
	readonly floorRate: number
	/** Of a controller that is enrolled: while it was online; the other series is that of the cut network. */
	readonly online?: TapSeries
}

/** A solenoid supply takes two pulses a second (`maxConcurrent`, longest pulse); a person is slower, so a tap never waits for it here either. */
const PULSES_APART_MS = 1_050
/** How often a controller that is enrolled goes online and is cut off again. */
const TURNS = 2

async function main(jobFile: string): Promise<TapTimes> {
	const { default: job } = (await import(jobFile, { with: { type: 'json' } })) as { default: TapJob }
	const policies = timedPolicies()
	const relay = job.enrolled && (await openRelay(job.enrolled.device))
	const bank = job.enrolled ? enrolledBank(job.folder, job.enrolled, relay) : makeBank(job.folder, job.size, 'pty', Date.now())
	const hardware = await startHardware(job.folder, bank.hardware)
	const edge = await startEdge(readConfig(await bank.configure(hardware.lines, job.web)), job.folder)
	const clock = { ...systemClock, random: (n: number) => new Uint8Array(randomBytes(n)) }
	const floor = openFloor(job.folder, await openTransport(hardware.lines.floor, clock))
	await ready(edge, job.size.doors)

	const kiosk = followKiosk(edge)
	const series = () => ({ borrow: [] as number[], deciding: [] as number[], bringBack: [] as number[], floor: [] as number[] })
	const [times, online] = [series(), series()]
	const pulses: number[] = []
	const tap = async (person: number, kind: 'borrow' | 'return'): Promise<number> => {
		await pause(PULSES_APART_MS - (performance.now() - (pulses.at(-2) ?? 0)))
		const frame = hardware.next('open-frame')
		const open = kiosk.choose(kind)
		hardware.send({ do: 'tap', badge: bank.badge(person) })
		const { door, tapped, at } = await frame
		pulses.push(performance.now())
		const { item } = await open
		const done = kiosk.until('done')
		hardware.send(kind === 'borrow' ? { do: 'hand', door, present: false } : { do: 'hand', door, present: true, ...(item && { tag: item.tag }) })
		await done
		kiosk.finish()
		return (at - tapped) / 1e6
	}
	let taps = 0
	const measure = async (into: ReturnType<typeof series> | undefined): Promise<void> => {
		const person = (taps++ * 37) % job.size.people
		policies.spentMs = 0
		const borrow = await tap(person, 'borrow')
		const deciding = policies.spentMs
		const bringBack = await tap(person, 'return')
		const heard = hardware.next('floor-frame')
		const began = nanoseconds()
		await floor.once()
		const { at } = await heard
		into?.borrow.push(borrow)
		into?.deciding.push(deciding)
		into?.bringBack.push(bringBack)
		into?.floor.push((at - began) / 1e6)
	}
	const repeat = async (count: number, into?: ReturnType<typeof series>): Promise<void> => {
		for (let i = 0; i < count; i++) await measure(into)
	}
	if (relay) await linked(edge, true)
	await repeat(job.warmUp)
	if (!relay) await repeat(job.samples, times)
	else
		for (let turn = 0; turn < TURNS; turn++) {
			relay.mend()
			await linked(edge, true)
			await repeat(Math.ceil(job.samples / TURNS), online)
			relay.cut()
			await linked(edge, false)
			await repeat(Math.ceil(job.samples / TURNS), times)
		}
	const floorRate = rateOf(floor.durable)
	await edge.stop()
	await floor.close()
	await hardware.stop()
	await relay?.close()
	return { ...times, floorRate, ...(relay && { online }) }
}

/** Online with every record at the server, or off for good. */
async function linked(edge: Edge, wanted: boolean): Promise<void> {
	const link = async () => ((await (await fetch(`${edge.url}health`)).json()) as { link: { online: boolean; pending: number } | null }).link
	for (let now = await link(); now?.online !== wanted || (wanted && now.pending > 0); now = await link()) await pause(50)
}

/** From here on the engine's time is counted, in the very questions that a tap asks. */
function timedPolicies(): { spentMs: number } {
	const time = { spentMs: 0 }
	const { load } = cedarEngine
	cedarEngine.load = (given) => {
		const answer = load(given)
		if (!answer.ok) return answer
		const ask: typeof answer.loaded.ask = (question) => {
			const began = performance.now()
			const found = answer.loaded.ask(question)
			time.spentMs += performance.now() - began
			return found
		}
		return { ok: true, loaded: { ...answer.loaded, ask } }
	}
	return time
}

/** Screens as they come; what the code of the bench does where a person would touch. */
function followKiosk(edge: Edge) {
	const { session } = edge
	let wanted: 'borrow' | 'return' = 'borrow'
	let waiting: { name: KioskScreen['name']; resolve: (screen: never) => void; reject: (why: Error) => void } | undefined
	const choose = () => {
		const screen = session.screen()
		const choice = screen.name === 'choose' ? screen.choices.find((c) => c.kind === wanted && c.denied === undefined) : undefined
		if (choice) session.act(session.turn(), { kind: 'choose', id: choice.id })
		else waiting?.reject(new Error(`Nothing to ${wanted}: ${JSON.stringify(screen)}`))
	}
	const look = () => {
		const screen = session.screen()
		if (waiting && screen.name === waiting.name) {
			waiting.resolve(screen as never)
			waiting = undefined
		} else if (!['attract', 'choose', 'opening', 'open', 'done'].includes(screen.name))
			waiting?.reject(new Error(`Not the way of a loan: ${JSON.stringify(screen)}`))
	}
	// The composition root calls both through the session object: after each the screen may be another one.
	const { reader, stepped } = session
	session.reader = (event, family) => {
		reader(event, family)
		if (event.kind === 'card') choose()
	}
	session.stepped = (step) => {
		stepped(step)
		look()
	}
	const until = <N extends KioskScreen['name']>(name: N) =>
		new Promise<Extract<KioskScreen, { name: N }>>((resolve, reject) => {
			waiting = { name, resolve: resolve as (screen: never) => void, reject }
		})
	return {
		/** Resolves with the open door; the choice is made in the same tick in which it is offered. */
		choose(kind: 'borrow' | 'return') {
			wanted = kind
			return until('open')
		},
		until,
		finish: () => void session.act(session.turn(), { kind: 'finish' }),
	}
}

/** Every door of every board has been read, and the reader is in its secure channel. */
async function ready(edge: Edge, doors: number): Promise<void> {
	const known = () => Object.values(edge.bank.state().compartments).filter((c) => c.door === 'closed').length === doors
	const reader = async () => ((await (await fetch(`${edge.url}health`)).json()) as { readers: { secure: boolean }[] }).readers.every((r) => r.secure)
	while (!known() || !(await reader())) await pause(50)
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, Math.max(0, ms)))

function rateOf(run: () => void): number {
	const rounds = 200
	const began = performance.now()
	for (let i = 0; i < rounds; i++) run()
	return Math.round((rounds * 1000) / (performance.now() - began))
}

if (import.meta.main) process.stdout.write(`${JSON.stringify(await main(process.argv[2] ?? ''))}\n`)
