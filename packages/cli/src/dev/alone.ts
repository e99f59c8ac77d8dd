import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Clock } from '@latchwork/core/base'
import { resumeClock, sharedClock, systemClock } from '@latchwork/edge/clock-file'
import { writeJson, writeText } from '@latchwork/edge/durable'
import { secretBytes } from '@latchwork/edge/keys'
import type { DevConfig } from '../config.ts'
import { startChild } from './child.ts'
import { demo, demoContents, demoParcels, demoPeople, LAYOUT, MAKER_KEY_ID, maker, SITE } from './demo.ts'
import { type Files, filesOf, makeKeys } from './directory.ts'
import { keepMaking } from './making.ts'
import { metalOf, startMetal } from './metal.ts'
import type { DevParts, Running } from './parts.ts'
import { supervise } from './supervise.ts'

/** `--alone`: one controller, its virtual bank, and the maker of what it may decide by; no server and no network. */
export async function startAlone({ config, log, web, ports, open }: DevParts): Promise<Running> {
	const files = filesOf(config.data)
	const estate = demo(files.demo, Math.floor(systemClock.now()), config.demo)
	makeKeys(files)
	const clock = siteClock(config, files, open)
	const made = maker(files, estate, secretBytes(files.siteKey, 32))
	const now = Math.floor(clock.now())
	const parcels = demoParcels(estate, made, now)
	const bank = { ...estate, id: estate.bank, name: SITE.bank, layout: LAYOUT }
	const [kiosk = 0, virtual = 0] = ports
	const metal = await startMetal(
		{
			port: virtual,
			web: join(web, 'virtual'),
			kiosk: `http://127.0.0.1:${kiosk}/`,
			...(config.virtualClock && { clock: files.clock }),
			keep: files.keep,
			people: demoPeople(estate, made, now),
			parcels,
			banks: [
				metalOf(
					bank,
					demoContents(estate),
					estate.parcels.filter((p) => p.door === undefined).map((p) => p.tag),
				),
			],
		},
		files,
		log,
	)
	open.push(metal.stop)
	const page = join(config.edge === undefined ? web : dirname(config.edge), 'kiosk')
	writeJson(files.edge, {
		controller: estate.controller,
		bank: estate.bank,
		bundle: files.bundle,
		lease: files.lease,
		makers: [{ keyId: MAKER_KEY_ID, publicKey: made.publicKey }],
		siteKey: files.siteKey,
		deviceKey: files.deviceKey,
		...metal.wiring(bank, { port: kiosk, web: page, readerKey: files.readerKey, ...(config.virtualClock && { clock: files.clock }) }),
	})
	const put = { bundle: (text: string) => writeText(files.bundle, text), lease: (text: string) => writeText(files.lease, text) }
	open.push(keepMaking({ made, clock, put, log }))

	const edgeMain = config.edge ?? fileURLToPath(import.meta.resolve('@latchwork/edge/main'))
	const edge = await supervise<{ url: string }>({
		what: 'controller',
		start: () => startChild(edgeMain, [files.edge, '--child'], 'EDGE', files.cache, log),
		clock: systemClock,
		log,
		restarted: (pid) => void process.stdout.write(`LATCHWORK EDGE ${JSON.stringify({ pid })}\n`),
	})
	open.push(edge.stop)
	const failed = Promise.race([edge.failed, metal.failed])
	failed.catch(() => {})
	return {
		ready: {
			kiosk: edge.ready.url,
			virtual: metal.url,
			dataDir: config.data,
			pids: { dev: process.pid, edge: edge.pid(), virtual: metal.pid },
			people: estate.people.map(({ name, badge, pin }) => ({ name, badge, pin })),
			parcels: await metal.parcels(),
		},
		failed,
	}
}

function siteClock(config: DevConfig, files: Files, open: (() => unknown)[]): Clock {
	if (!config.virtualClock) return systemClock
	resumeClock(files.clock)
	const shared = sharedClock(files.clock, 'maker')
	open.push(shared.stop)
	return shared
}
