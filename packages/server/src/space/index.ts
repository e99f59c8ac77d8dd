export { breakGlassRoutes } from './break-glass-routes.ts'
export type { BreakGlass } from './break-glass-write.ts'
export {
	type CodeState,
	type CodeTerms,
	codeInUse,
	codesOfCase,
	codesToldTo,
	extendCodes,
	issueCode,
	liveCodes,
	markCodesUsed,
	markShown,
	rekeyCodes,
	revokeCodes,
	revokeDelegate,
} from './code-write.ts'
export { awaitingApproval, type Command, findCommand, isApprovalLate, messageOf, waitingCommands } from './command-read.ts'
export { commandApplier, expireCommands, type NewCommand, requestCommand, sentCommand, settleCommand } from './command-write.ts'
export { SIZES } from './fit.ts'
export { pinApplier, takePinNews } from './pin-budget-write.ts'
export { checkPins, triesAt } from './pin-guessing-read.ts'
export { pinRoutes } from './pin-routes.ts'
export { forgetReadings, keepReading } from './reading-write.ts'
export { endReservations, reservationsOf, reserve } from './reservation-write.ts'
export { type OwnerFact, type OwnerFactKind, spaceRoutes } from './routes.ts'
