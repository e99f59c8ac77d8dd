import { connect } from 'node:net'
import mqtt, { type IClientOptions } from 'mqtt'
import type { Broker } from './broker.ts'

/** The server's own client of its broker child, over a socket that nobody else can reach, with a secret that nobody else knows. */
export const internalClient = ({ internal: { path, secret } }: Pick<Broker, 'internal'>, options: IClientOptions = {}): mqtt.MqttClient =>
	new mqtt.MqttClient(() => connect(path), {
		clientId: 'server',
		username: 'server',
		password: secret,
		clean: true,
		// Who uses it subscribes at each connect.
		resubscribe: false,
		protocolVersion: 4,
		keepalive: 30,
		reconnectPeriod: 250,
		connectTimeout: 5_000,
		...options,
	})
