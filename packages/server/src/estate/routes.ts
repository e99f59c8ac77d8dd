import type { Random } from '@latchwork/core/base'
import type { Route } from '../http/index.ts'
import { bankRoutes } from './bank-routes.ts'
import { compartmentRoutes } from './compartment-routes.ts'
import { controllerRoutes } from './controller-routes.ts'
import { siteRoutes } from './site-routes.ts'

/** The estate's part of the API. */
export const estateRoutes = (random: Random): Route[] => [
	...siteRoutes(random),
	...bankRoutes(random),
	...compartmentRoutes(random),
	...controllerRoutes(random),
]
