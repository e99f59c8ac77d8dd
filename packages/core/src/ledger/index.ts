export { EVENT_TYPES, type EventDraft, type EventType, MAX_EVENT_BYTES, NO_PREVIOUS, type StreamEvent } from './event.ts'
export { type MintContext, type Minted, mint, openStream, type SignedHead, type StreamHead, signHead, streamStarted } from './stream.ts'
