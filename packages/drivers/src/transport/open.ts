import type { DriverClock, Transport, TransportAddress } from './contract.ts'
import { serialTransport } from './serial.ts'
import { tcpTransport } from './tcp.ts'

/** Opens what a configuration names. Resolves with the hardware absent: the transport then keeps trying. Rejects with `Fault` transport-denied. */
export function openTransport(address: TransportAddress, clock: DriverClock): Promise<Transport> {
	return address.kind === 'serial' ? serialTransport(address, clock) : tcpTransport(address, clock)
}
