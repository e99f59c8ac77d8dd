export {
	type BundleCredential,
	bundleCredentials,
	type CredentialRecord,
	credentialBy,
	findCredential,
	livePins,
	nextExpiry,
	type Proof,
	pinsBySite,
	proofsAt,
	revokedCredentials,
	rotatedSiteKey,
	siteKeyOf,
	siteKeySince,
	takenAwayBy,
	takenAwaySince,
	tracesOf,
} from './credential-read.ts'
export { ensureSiteKey, issueBadge, issuePin, readyCredentials, reportLost, revokeCredential } from './credential-write.ts'
export { createGroup, joinGroup, leaveGroup } from './group-write.ts'
export { mintKeysOf, withdrawnCodes } from './one-time-code-read.ts'
export { usedOneTimeCode } from './one-time-code-write.ts'
export { checkPassword, type Passwords, passwordFault, passwords } from './password.ts'
export { changePerson, createPerson, erasePerson, type PeopleChange, type PersonFields } from './person-write.ts'
export type { Personal } from './personal.ts'
export {
	type BundleSubject,
	bundleSubjects,
	findPerson,
	type Group,
	groupCodes,
	groupsOf,
	isPerson,
	listPeople,
	lockLoanLimit,
	namesOf,
	type PeopleTerms,
	type Person,
	personByEmail,
	type Shown,
	shownSession,
	shownToken,
} from './read.ts'
export type { Rights } from './rights.ts'
export { peopleRoutes } from './routes.ts'
export { type ShownSecret, shownSecret } from './secret.ts'
export { accountsNamed, forgiveName, installationKey, sawSession, sawToken, setPassword, signIn } from './sign-in-write.ts'
export { rotateSiteKey } from './site-key-write.ts'
export { issueToken } from './token-write.ts'
export { forgetTries } from './try-write.ts'
