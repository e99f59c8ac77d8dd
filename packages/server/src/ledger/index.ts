export { type AppendContext, append } from './append-write.ts'
export type { ServerDraft, ServerEvent } from './server-event.ts'
