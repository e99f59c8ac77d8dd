import type { Id } from '@latchwork/core/base'
import { downTopic, MAX_LINK_BYTES, readTopic } from '@latchwork/core/wire'

/**
 * What a controller may do at the broker, by the name in its certificate and nothing else (trust.md T10). Kept apart from the broker's library,
 * so that every cell of the matrix of controllers and topics is one call.
 */
export type Refusal = 'topic' | 'retained' | 'size'

/** Undefined: let through. A refused message is dropped and counted; a controller with a fault is not cut off from its own door. */
export function refusesPublish(
	controller: Id<'controller'>,
	packet: { readonly topic: string; readonly retain: boolean; readonly payload: { readonly length: number } },
): Refusal | undefined {
	const topic = readTopic(packet.topic)
	if (topic?.way !== 'up' || topic.controller !== controller) return 'topic'
	// Nothing here is worth keeping at the broker: what is old is sent again by who owns it.
	if (packet.retain) return 'retained'
	return packet.payload.length > MAX_LINK_BYTES ? 'size' : undefined
}

/** Its own `down` topics, one by one or all; no wildcard above them, no shared subscription. */
export function maySubscribe(controller: Id<'controller'>, filter: string): boolean {
	const root = downTopic(controller, 'acks').slice(0, -'acks'.length)
	if (!filter.startsWith(root)) return false
	const rest = filter.slice(root.length)
	return rest === '#' || rest === '+' || readTopic(filter)?.way === 'down'
}

/** Asked once more for every single message on its way out. */
export function mayReceive(controller: Id<'controller'>, topic: string): boolean {
	const read = readTopic(topic)
	return read?.way === 'down' && read.controller === controller
}
