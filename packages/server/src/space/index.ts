export {
	type CodeState,
	type CodeTerms,
	codesOfCase,
	digitsOf,
	extendCodes,
	issueCode,
	type LiveCode,
	liveCodes,
	markCodeUsed,
	revokeCodes,
} from './code-write.ts'
export { SIZES } from './fit.ts'
export { endReservations, type Reservation, reservationsOf, reserve, type Wanted } from './reservation-write.ts'
