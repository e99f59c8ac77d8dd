export { makeClaim } from './claims.ts'
export type { LinkHandlers } from './handlers.ts'
export { type ExternalBroker, type Link, openLink } from './link.ts'
export { linkRoutes } from './routes.ts'
