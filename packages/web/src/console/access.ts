import type { Me } from './shapes.ts'

/** Where something is, as far as the screen knows. `undefined`: anywhere is enough. */
export interface At {
	readonly site?: string | undefined
	readonly area?: string | undefined
	readonly bank?: string | undefined
}

/** Whether it is worth offering; the server decides. */
export function may(me: Me, permission: string, at?: At): boolean {
	return me.holdings.some(
		({ scope, permissions }) => permissions.includes(permission) && (at === undefined || scope.kind === 'tenant' || at[scope.kind] === scope.id),
	)
}
