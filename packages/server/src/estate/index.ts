export {
	type BankFields,
	type CompartmentPatch,
	changeBank,
	changeCompartment,
	createBank,
	createModule,
	removeBank,
	removeModule,
} from './bank-write.ts'
export { ALWAYS_OPEN, type Calendar } from './calendar.ts'
export {
	type Change,
	changedFields,
	type Given,
	merged,
	NOTE_COLUMNS,
	type Notes,
	noteValues,
	record,
	touched,
	unchangedSince,
	unlessReferred,
	unlessTaken,
} from './change-write.ts'
export { createController, revokeController, setCertificate } from './controller-write.ts'
export {
	type Dirty,
	type DirtyPerson,
	dirtyOf,
	dirtyPeople,
	markBundles,
	markPeople,
	settleDirty,
	settlePeople,
	tenantsWithDirtyPeople,
} from './dirty-write.ts'
export { CONFIRMED_AFTER_MS, type Heard, heardController, judgeOutages, SILENT_AFTER_MS } from './link-write.ts'
export type { Allocation, BankLive, DoorAlarm, DoorLive } from './live.ts'
export {
	type BankRow,
	type BankSpace,
	bankLive,
	bankSpaces,
	banksLive,
	type ControllerRow,
	controllersLive,
	type DoorRow,
	doorLive,
	doorsHolding,
	doorsLive,
	storageLevelOf,
} from './live-read.ts'
export { applyEdgeEvent, applyEdgeEvents, refreshAllocation, reserveCompartment } from './live-write.ts'
export {
	type Area,
	authorityOf,
	type Bank,
	bankIds,
	bankOf,
	banksOfSite,
	type Compartment,
	type Controller,
	compartmentsOf,
	controllerAnywhere,
	enrolledAt,
	findArea,
	findBank,
	findCompartment,
	findController,
	findSite,
	modulesOf,
	type Noted,
	type Paging,
	placeOf,
	placeOfCompartment,
	present,
	type Site,
	scheduleIds,
	siteIds,
	siteOf,
	within,
} from './read.ts'
export { estateRoutes } from './routes.ts'
export { paging } from './site-routes.ts'
export { createArea, createSite, type SiteFields } from './site-write.ts'
