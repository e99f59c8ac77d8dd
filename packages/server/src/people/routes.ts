import type { Route } from '../http/index.ts'
import { credentialRoutes } from './credential-routes.ts'
import { groupRoutes, type MayLetIn } from './group-routes.ts'
import { type SignInRouteParts, signInRoutes } from './sign-in-routes.ts'
import { userRoutes } from './user-routes.ts'

export type PeopleRouteParts = SignInRouteParts & { readonly mayLetIn: MayLetIn }

/** People's part of the API. What only rights can say comes as functions. */
export const peopleRoutes = (parts: PeopleRouteParts): Route[] => [
	...signInRoutes(parts),
	...userRoutes(parts.terms),
	...groupRoutes(parts.terms, parts.mayLetIn),
	...credentialRoutes(parts.terms),
]
