export { asIf } from './as-if.ts'
export { type Authority, type AuthorityNews, type AuthorityParts, openAuthority } from './authority.ts'
export { custodyApplier } from './bind-write.ts'
export type { Published } from './read.ts'
