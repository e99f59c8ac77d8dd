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
	rekeyCodes,
	revokeCodes,
} from './code-write.ts'
export { awaitingApproval, type Command, findCommand, isApprovalLate, messageOf, waitingCommands } from './command-read.ts'
export { commandApplier, expireCommands, type NewCommand, requestCommand, sentCommand, settleCommand } from './command-write.ts'
export { forgetReadings, keepReading } from './reading-write.ts'
export { endReservations, reservationsOf, reserve } from './reservation-write.ts'
export { spaceRoutes } from './routes.ts'
