import type { ServerConfig } from './config.ts'
import { openInstallation } from './installation.ts'
import { addOrganisation, type NewPassword, organisations, resetPassword } from './organisation.ts'
import type { ServerHost } from './parts.ts'
import type { Tenant } from './tenants/index.ts'

/** What whoever operates a server can do to its database, with the server running or not. */
export interface Operating {
	organisations(): Promise<Tenant[]>
	addOrganisation(wanted: { readonly name: string; readonly email: string }): Promise<NewPassword>
	resetPassword(of: { readonly email: string; readonly tenant?: string | undefined }): Promise<NewPassword>
}

export async function operate<T>(config: ServerConfig, host: ServerHost, work: (operating: Operating) => Promise<T>): Promise<T> {
	const { parts, close } = await openInstallation(config, host, 'visit')
	try {
		return await work({
			organisations: () => organisations(parts),
			addOrganisation: (wanted) => addOrganisation(parts, wanted),
			resetPassword: (of) => resetPassword(parts, of),
		})
	} finally {
		await close()
	}
}
