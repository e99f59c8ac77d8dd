import type { Clock, Id } from '@latchwork/core/base'
import type { EdgeConfig } from './config.ts'
import { openIdentity } from './identity.ts'
import { deviceHttp } from './sync/device-http.ts'
import { mqttConnect } from './sync/mqtt.ts'
import type { ServerDoor } from './sync/server.ts'

/** Loaded by those who have a server only, and a file of its own in the shipped program: it costs a controller that works alone nothing. */
export { enrolOnce } from './enrolment.ts'

/** The sockets to the server that `edge.json` names. Throws `Fault` config-invalid. */
export function doorTo(
	server: NonNullable<EdgeConfig['server']>,
	about: { readonly controller: Id<'controller'>; readonly clock: Pick<Clock, 'after'> } & Pick<ServerDoor, 'software' | 'restart'>,
): ServerDoor {
	const { controller, clock, software, restart } = about
	const identity = openIdentity(server)
	return {
		address: server.https,
		identity,
		http: deviceHttp(server.https, identity.tls),
		connect: mqttConnect({ controller, url: server.mqtt, tls: identity.tls, clock }),
		software,
		restart,
	}
}
