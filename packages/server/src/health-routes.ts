import { z } from 'zod'
import { named, type Route, route } from './http/index.ts'
import type { Store } from './store/index.ts'

const health = named(
	'Health',
	z.object({
		status: z.enum(['good', 'database-full']).describe('`database-full`: reading works, and the last write found no room'),
		version: z.string(),
	}),
)

/** For load balancers and people. It says good when the database answers and takes writes; a fault says what does not. */
export const healthRoutes = (store: Store, version: string): Route[] => [
	route({
		method: 'GET',
		path: '/v1/health',
		tag: 'Health',
		summary: 'Whether the server and its database answer.',
		permission: 'public',
		answers: { 200: health },
		handle: async () => {
			await store.system(async () => {})
			return { status: store.isFull() ? ('database-full' as const) : ('good' as const), version }
		},
	}),
]
