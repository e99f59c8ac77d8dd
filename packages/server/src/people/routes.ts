import type { Route } from '../http/index.ts'
import { badgeListRoutes } from './badge-list-routes.ts'
import { type CheckPins, credentialRoutes } from './credential-routes.ts'
import { groupRoutes } from './group-routes.ts'
import { type KnownAt, oneTimeCodeRoutes } from './one-time-code-routes.ts'
import { qualificationRoutes } from './qualification-routes.ts'
import { type SignInRouteParts, signInRoutes } from './sign-in-routes.ts'
import { userRoutes } from './user-routes.ts'

/** People's part of the API. What only rights can say comes as functions. */
export const peopleRoutes = (parts: SignInRouteParts & { readonly checkPins: CheckPins; readonly knownAt: KnownAt }): Route[] => [
	...signInRoutes(parts),
	...userRoutes(parts.terms, parts.rights),
	...groupRoutes(parts.terms, parts.rights),
	...credentialRoutes(parts.terms, parts.rights, parts.checkPins),
	...oneTimeCodeRoutes(parts.terms, parts.rights, parts.knownAt),
	...badgeListRoutes(parts.terms),
	...qualificationRoutes(parts.terms),
]
