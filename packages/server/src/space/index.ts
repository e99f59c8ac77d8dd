export {
	type CodeState,
	type CodeTerms,
	codeInUse,
	codesOfCase,
	extendCodes,
	issueCode,
	type LiveCode,
	liveCodes,
	markCodesUsed,
	revokeCodes,
} from './code-write.ts'
export { type Command, findCommand, messageOf, waitingCommands } from './command-read.ts'
export { expireCommands, type NewCommand, requestCommand, sentCommand, settleCommand } from './command-write.ts'
export { SIZES } from './fit.ts'
export { endReservations, type Reservation, reservationsOf, reserve, type Wanted } from './reservation-write.ts'
export { spaceRoutes } from './routes.ts'
