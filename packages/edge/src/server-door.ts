import type { Clock } from '@latchwork/core/base'
import type { EdgeConfig } from './config.ts'
import { claimAnew } from './enrolment.ts'
import { openIdentity } from './identity.ts'
import { deviceHttp } from './sync/device-http.ts'
import { mqttConnect } from './sync/mqtt.ts'
import type { ServerDoor } from './sync/server.ts'

/** Loaded by those who have a server only, and a file of its own in the shipped program: it costs a controller that works alone nothing. */
export { enrolOnce } from './enrolment.ts'

/** The sockets to the server that `edge.json` names. Throws `Fault` config-invalid. */
export function doorTo(
	server: NonNullable<EdgeConfig['server']>,
	about: { readonly config: EdgeConfig; readonly path: string; readonly clock: Pick<Clock, 'after'> } & Pick<ServerDoor, 'software' | 'restart'>,
): ServerDoor {
	const { config, path, clock, software, restart } = about
	const identity = openIdentity(server)
	const http = deviceHttp(server.https, identity.tls)
	return {
		address: server.https,
		identity,
		http,
		connect: mqttConnect({ controller: config.controller, url: server.mqtt, tls: identity.tls, clock }),
		claim: (code) => claimAnew(code, { config, path, identity, http }),
		software,
		restart,
	}
}
