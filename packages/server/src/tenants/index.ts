export type { DeviceCaKey, KeyKind, Signer } from './keys.ts'
export {
	allTenants,
	deviceCaOf,
	inheritedAt,
	type KeyTerms,
	publicKeysOf,
	settingsAt,
	settingsOf,
	signerOf,
	type Tenant,
	tenantOf,
	tenantSealing,
} from './read.ts'
export { type SettingsParts, tenantRoutes } from './routes.ts'
export { type Inherited, type Level, SETTINGS, type SettingName, type Settings } from './settings.ts'
export { changeSettings, createTenant, type NewTenant } from './write.ts'
