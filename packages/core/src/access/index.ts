export { type BadgeBits, type BadgeImage, type BadgeReading, type BadgeRefusal, badgeFromBits, badgeToBits } from './badge.ts'
export {
	type BadgeForm,
	type BadgeMapping,
	type BadgeSample,
	badgeForms,
	badgeText,
	distinguishes,
	FEWEST_SAMPLES,
	type Learned,
	type LearnRefusal,
	learnMapping,
	readListed,
	writeBadge,
} from './badge-form.ts'
export { acceptBundle, type BundleAnswer, type BundleRefusal, type BundleTerms, sealBundle } from './bundle.ts'
export type {
	Asset,
	Assurance,
	Bundle,
	BundleSettings,
	Credential,
	LoanDue,
	OfferedCase,
	PickUpCode,
	PolicySet,
	Schedule,
	Subject,
} from './bundle-schema.ts'
export { type CompiledBundle, compile } from './compile.ts'
export {
	type IdentifyAnswer,
	type IdentifyTerms,
	type Identity,
	identify,
	knowsVerifier,
	otherBadges,
	type Presented,
	siteKeyMark,
	strengthen,
	verifierOf,
} from './credential.ts'
export { decide, GRANT_LIFE_MS, REASON_ORDER } from './decide.ts'
export type { AccessAction, AccessDecision, AccessRequest, AccessResource, DecisionRecord, Grant, Method, Moment, StorageLevel } from './decision.ts'
export {
	acceptDelta,
	type Delta,
	type DeltaAnswer,
	type DeltaMark,
	heldUpTo,
	isNews,
	knownElsewhere,
	type LoansChange,
	type LoansTold,
	loansElsewhere,
	NO_DELTA,
	readChanges,
	sealDelta,
	without,
} from './delta.ts'
export { dueTime } from './due.ts'
export { type AuthorityState, acceptLease, authorityState, type Lease, type LeaseAnswer, type LeaseRefusal, sealLease } from './lease.ts'
export {
	isMintable,
	isMintedId,
	isReadBack,
	MINTED_AHEAD_MS,
	MINTED_AT_ONCE,
	MINTED_DIGITS,
	MINTED_HOURS,
	type MintedCode,
	type MintKeys,
	mintDigits,
	mintedHit,
	mintedId,
	mintedUntil,
	mintKeyOf,
	mintKeysAt,
	mintWeek,
	readBackOf,
	readMinted,
	readMintKeys,
	writeMintKeys,
} from './minted-code.ts'
export { type CodeAnswer, type CodeTerms, isCodeText, mintCode, type OneTimeCode, verifyCode } from './one-time-code.ts'
export {
	acceptPeopleDelta,
	grantedIn,
	isPeopleDelta,
	MOST_PEOPLE,
	namesNew,
	type PeopleDelta,
	type PersonRows,
	type PersonTold,
	sealPeopleDelta,
	withPeople,
} from './people-delta.ts'
export {
	BUILT_IN_ROLES,
	type BuiltInRole,
	type Caller,
	covers,
	type Holding,
	isPermission,
	mayDo,
	PERMISSIONS,
	type Permission,
	type Place,
	type Scope,
	scopesOf,
} from './permissions.ts'
export { type CodeRule, codeNormal, codeRule, drawDigits, type PickUp } from './pick-up-code.ts'
export {
	asAtOneKiosk,
	checkGuessing,
	checkPinSettings,
	type GuessingBound,
	giveBack,
	HIGHEST_CHANCE,
	hitChance,
	isSuspended,
	lengthFormula,
	localDay,
	NEW_PIN_BUDGET,
	type PinBudget,
	type PinTerms,
	spendTry,
	type TryAnswer,
	yearChance,
} from './pin-budget.ts'
export type { Entity, EntityRef, LoadedPolicies, PolicyAnswer, PolicyEngine, PolicyQuestion, PolicyRefusal, PolicyValue } from './policy-engine.ts'
export { entityRef, POLICY_SCHEMA } from './policy-schema.ts'
export { cedarOf, type PolicyStatement, policyStatements, statementOf } from './policy-statement.ts'
export { isOpen, nextOpening, openingAt } from './schedule.ts'
export { type Envelope, type PinnedKeys, type RefusalCode, refusalCode } from './signed.ts'
export { acceptTime, sealTime, type TimeStatement } from './time-answer.ts'
export { heardSigned, LONGEST_SLEEP_MS, sawSigned, startTime, type TimeReading, type TimeState, TOLERANCE_MS, trustedNow } from './trusted-time.ts'
