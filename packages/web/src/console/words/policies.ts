import type { Action, Outcome, PolicyReplay, PolicyStatement, Reach } from '../shapes.ts'
import { count } from './shell.ts'

export const policies = {
	title: 'Policies',
	lead: 'What people may do at the banks. A draft decides nothing until it is published.',
	none: 'There is no policy yet.',
	noneNote: 'Without one nobody takes anything out, and what people have they can still bring back.',
	list: 'All policies',
	add: 'New policy…',
	addTitle: 'New policy',
	addLead: 'Choose what it says first; more sentences can be added.',
	addSubmit: 'Make the draft',
	name: 'Name',
	code: 'Code',
	codeHint: 'Letters, digits, - and _. Decisions name the policy by it, so it does not change.',
	where: 'Where it holds',
	everywhere: 'Everywhere',
	begin: 'Begin with',
	cedarKind: 'Cedar text, for experts',
	live: (number: number, since: string) => `Version ${number} is in force since ${since}.`,
	notLive: 'Nothing of it is in force.',
	retired: 'Taken out of force',
	draft: 'Draft',
	draftState: { none: 'Draft, not reviewed', approved: 'Draft, approved', rejected: 'Draft, rejected' },
	inForce: 'In force',
	versions: 'Versions…',
	versionsTitle: (name: string) => `Versions of ${name}`,
	version: 'Version',
	published: 'Published',
	publishedBy: 'By',
	reviewedBy: 'Reviewed by',
	back: 'Bring back…',
	backTitle: (number: number) => `Bring version ${number} back`,
	backLead: 'It decides again at once, at every bank that is connected. The draft stays as it is.',
	backSubmit: 'Bring it back',
	returned: (number: number) => `the text of version ${number}`,
	approve: 'Approve',
	reject: 'Reject',
	publish: 'Publish…',
	publishTitle: (name: string) => `Publish ${name}`,
	publishLead: 'Banks that are connected decide by it within seconds, the others when they are back.',
	publishSubmit: 'Publish',
	meant: 'The warnings are meant so.',
	retire: 'Take out of force…',
	retireTitle: (name: string) => `Take ${name} out of force`,
	retireLead: 'Nothing is decided by it any more. Its versions stay, and can be brought back.',
	retireFine: 'What can be taken now can still be taken without it, and nothing opens to everybody.',
	retireSubmit: 'Take it out of force',
	plain: 'In plain words',
	plainNone: 'This draft is written in Cedar.',
	plainNoneNote: 'Its text stands beside this.',
	always: 'What somebody holds can always be brought back, and what waits for somebody can be collected: that needs no rule.',
	addSentence: 'Add a sentence…',
	change: 'Change…',
	remove: (n: number) => `Remove sentence ${n}`,
	sentence: (n: number) => `Sentence ${n}`,
	changes: (n: number) => (n === 1 ? '1 change' : `${n} changes`),
	said: (version: number) => `Version ${version} said: `,
	saidNothing: (version: number) => `Version ${version} had no such sentence.`,
	gone: (version: number) => `Version ${version} also said: `,
	sentenceTitle: 'A sentence',
	sentenceSubmit: 'Put it into the draft',
	kind: 'What it says',
	groups: 'Groups',
	groupsNone: 'There is no group yet. People are put into groups on their own page.',
	groupsOptional: 'Only for these groups; none chosen: for everybody',
	except: 'But not for these groups',
	types: 'Asset types',
	typesNone: 'There is no asset type yet.',
	acts: 'What they do',
	deposit: 'drop parcels off',
	collect: 'take out parcels that nobody collected',
	timed: 'Only at certain times',
	days: 'Days',
	from: 'From',
	to: 'Until',
	loans: 'Things at a time',
	qualification: 'Code of the qualification',
	qualificationHint: 'It is given to people on their own page.',
	approvers: 'How many others',
	approversOf: { 1: 'One other person', 2: 'Two other people' } as const,
	level: 'How well the controller keeps the key of its site, at least',
	levelOf: {
		1: 'Level 1: in memory alone, fetched at each start',
		2: 'Level 2: sealed by a security chip. No controller can yet',
		3: 'Level 3: sealed, and wiped by a tamper switch. No controller can yet',
	} as const,
	about: 'What it is about',
	aboutHigh: 'Things of high value',
	aboutAnything: 'Whatever is taken but parcels',
	aboutTypes: 'Things of these types',
	cedar: 'Cedar text',
	lines: 'Lines of the text',
	fits: 'Fits the schema',
	broken: 'Cannot be published',
	edit: 'Edit the text…',
	editWarn: 'This draft was made in plain words. Once its text is changed by hand, it stays Cedar.',
	editTitle: 'Cedar text',
	editSubmit: 'Keep as draft',
	checked: 'Checked for you',
	checking: 'Trying the draft on your people and things …',
	fine: 'It can be read, and each of its rules is about somebody and something that is here.',
	warned: {
		'denies-everybody': 'Denies everybody',
		'opens-everything': 'Opens everything',
		'never-applies': 'Never applies',
		'unknown-name': 'Unknown name',
	},
	line: (line: number) => `line ${line}`,
}

export const whatIf = {
	title: 'What if?',
	lead: 'Decided by the same code as at the bank. Nothing is opened, nothing is recorded.',
	wants: 'Wants to',
	at: 'At',
	when: 'When, at the site',
	whenHint: 'Empty: now',
	by: 'Shows',
	offline: 'The bank has no network',
	offlineMinutes: 'For how many minutes already?',
	offlineMinutesHint: 'Empty: since just now. It counts for people whose time without the server is limited.',
	submit: 'Decide',
	nobody: 'Choose a person first.',
	byDraft: 'By the draft',
	byForce: 'By what is in force',
	allowed: 'Allowed',
	denied: 'Refused',
	kiosk: 'At the bank it says',
	wouldHelp: 'It would be allowed',
	inSentence: (n: number, policy: string) => `sentence ${n} of ${policy}`,
	inLine: (n: number, policy: string) => `line ${n} of ${policy}`,
	because: 'Decided by',
	storage: (level: number | undefined) =>
		level === undefined
			? 'The controller there has not said how it keeps the key of its site: decided as for level 0.'
			: `Decided for a controller that keeps the key of its site ${LEVELS[level]}, as the one there does.`,
}

/** Where the key of a site lies, for the level that a controller says. */
const LEVELS: Readonly<Record<number, string>> = { 0: 'on its disk (level 0)', 1: 'in memory alone (level 1)' }

export const replays = {
	title: 'Replay on the last 30 days',
	lead: 'What banks decided, decided again with this draft.',
	submit: 'Replay',
	running: 'Deciding again …',
	none: 'No decision of the last 30 days says what was asked.',
	same: (n: number) => `${count(n)} stay the same`,
	of: (n: number, banks: number) => `${n === 1 ? '1 decision' : `${count(n)} decisions`} at ${banks === 1 ? '1 bank' : `${count(banks)} banks`}`,
	change: 'Would change',
	times: 'Times',
	people: 'People',
	nowDenied: 'Allowed, then refused',
	nowAllowed: 'Refused, then allowed',
	/** A sentence for each kind of what is not in the figures. */
	left: ({ gone, untold, banksLeftOut, decisionsLeftOut }: PolicyReplay): readonly string[] => {
		const many = (n: number, text: string) => (n > 0 ? [`${n === 1 ? '1 decision' : `${count(n)} decisions`} ${text}`] : [])
		return [
			...many(decisionsLeftOut, 'more could not be looked at: of each bank the newest were.'),
			...(banksLeftOut > 0
				? [`Nothing was looked at of ${banksLeftOut === 1 ? '1 bank, which decided' : `${count(banksLeftOut)} banks, which decided`} least.`]
				: []),
			...many(gone, 'about people whom the bank does not know any more, or of banks that are no more, could not be decided again.'),
			...many(untold, 'did not say all that the policies ask, as those of older controllers.'),
		]
	},
	newest: 'Those that would change, the newest first',
}

export const openers = {
	ask: 'Who can open this?',
	title: (door: number) => `Who can open door ${door}?`,
	lead: 'Now, with what lies behind it, by the policies in force; each with the least of what they have that is enough.',
	none: 'Nobody, but those who hold a key to the cabinet.',
	whoever: (who: 'recipient' | 'delegate', hint: string | undefined) =>
		`Whoever has the code of ${who === 'recipient' ? 'the recipient' : 'the recipient’s helper'}${hint === undefined ? '' : `, ${hint}`}`,
	until: (when: string) => `a code, until ${when}`,
	who: 'Who',
	how: 'How',
	by: 'By',
}

export const reach = {
	title: 'At the banks, now',
	lead: 'What this person may do there now, and why the rest is refused.',
	none: 'There is no bank yet.',
	bank: 'Bank',
	what: 'What',
	answer: 'Answer',
	own: 'take out what waits for them',
	/** Which of them it is about, where not all get the same answer. */
	at: ({ doors, tags }: Pick<Reach, 'doors' | 'tags'>): string =>
		doors ? `${doors.length === 1 ? 'door' : 'doors'} ${doors.join(', ')}` : (tags?.join(', ') ?? ''),
	/** What they lack, as it would be allowed with it. */
	missing: (method: string): string => MISSING[method] ?? method,
}
const MISSING: Readonly<Record<string, string>> = {
	badge: 'They have no badge.',
	pin: 'They have no PIN.',
	code: 'It takes a code, which they have not.',
	'badge-and-pin': 'It takes a badge and a PIN, which they have not both.',
	remote: 'No role of theirs opens doors from afar here.',
}

export const decisions = {
	title: 'Decisions',
	lead: 'What banks allowed and refused, the newest first. Each names the rules that decided.',
	all: 'All',
	allowed: 'Allowed',
	denied: 'Refused',
	anyBank: 'All banks',
	empty: 'No decision fits.',
	emptyNote: 'A decision is recorded when somebody asks a bank for something.',
	time: 'Time',
	who: 'Who',
	wanted: 'Wanted',
	answer: 'Answer',
	rules: 'By',
	where: 'Where',
	unknown: 'Nobody was recognised',
	offline: 'without network',
	record: 'Record',
}

/** What people want at a bank, after "wants to". */
export const ACTIONS: Readonly<Record<Action, string>> = {
	collect: 'take something out',
	deposit: 'put something in',
	service: 'open for service',
	'open-remote': 'open from afar',
}
export function wants(action: Action | undefined, type: string | undefined): string {
	if (action === 'collect') return type === undefined ? 'take parcels out' : `take a ${type}`
	if (action === 'deposit') return type === undefined ? 'drop parcels off' : `bring a ${type}`
	return action === undefined ? 'be let in' : ACTIONS[action]
}

export const METHODS: Readonly<Record<string, string>> = {
	badge: 'a badge',
	pin: 'a PIN',
	code: 'a code',
	'badge-and-pin': 'a badge and a PIN',
	remote: 'the console',
}

/** Why a bank refused, for whoever looks at it from the desk. */
const REASONS: Readonly<Record<string, string>> = {
	'unknown-credential': 'The bank does not know this person: no policy there could allow them anything.',
	'credential-revoked': 'The badge, PIN or code was revoked.',
	'overdue-block': 'Something is overdue and has to come back first.',
	'not-authorised': 'No rule allows it.',
	'bundle-expired': 'The bank was without its server for too long.',
	'lease-expired': 'The bank was without its server for longer than it may decide this alone.',
	'time-uncertain': 'The clock of the bank cannot be trusted just now.',
	'outside-hours': 'It is outside the hours in which this is allowed.',
	'quota-exceeded': 'This person has as many things on loan as they may have.',
	'needs-second-factor': 'One proof is not enough: a badge and a PIN are needed.',
	'qualification-missing': 'A qualification is missing, or has run out.',
	'approval-needed': 'Somebody else has to approve it first.',
	'policy-denied': 'A rule forbids it.',
	'door-open': 'Another door stood open.',
	'compartment-unavailable': 'No compartment that would do could be opened.',
	'wrong-pin': 'The PIN was wrong.',
	'code-used': 'The code was used before.',
	'code-expired': 'The code had run out.',
	'code-unknown': 'Nobody knows this code.',
}
export const reasonWords = (reason: string | undefined): string =>
	reason === undefined ? 'Refused.' : (REASONS[reason] ?? `${reason.replaceAll('-', ' ').replace(/^./, (c) => c.toUpperCase())}.`)

const BUILT_IN: Readonly<Record<string, string>> = {
	'builtin/walk-up-return': 'what belongs here may always come back',
	'builtin/own-pick-up': 'what waits for somebody may be collected',
	'builtin/no-permit': 'no rule allows it',
	'builtin/known-person': 'the bank does not know them',
	'builtin/revoked': 'the credential is revoked',
	'builtin/suspended': 'the person is suspended',
	'builtin/overdue-block': 'something is overdue',
	'builtin/bundle-expired': 'the bank’s authority has run out',
	'builtin/lease-expired': 'the bank’s lease has run out',
	'builtin/offline-for': 'this person may not be let in for so long without the server',
	'builtin/max-loans': 'the loan limit of the person or the settings',
	'builtin/remote-open-needs-link': 'opening from afar needs the network',
	'latchwork.openers/role-opens-from-afar': 'a role lets them open from afar',
}
export const ruleWords = (rule: string): string => BUILT_IN[rule] ?? rule

const INSTEAD: Readonly<Record<string, string>> = {
	'second-factor': 'with a badge and a PIN',
	online: 'once the bank has its network again',
	loans: 'with nothing on loan',
	overdue: 'with nothing overdue',
}
/** `when`: how the moment is written. */
export const insteadWords = (one: Outcome['instead'][number], when: (at: string) => string): string =>
	one.change === 'time' ? `from ${when(one.at ?? '')}` : (INSTEAD[one.change] ?? one.change)

export const KINDS = {
	take: 'People of some groups may take things of some types',
	carry: 'People of some groups carry parcels',
	serve: 'People of some groups open compartments for service',
	hours: 'Nothing is taken outside the opening hours',
	'second-factor': 'It is taken with a badge and a PIN',
	online: 'It is taken only while the bank has its network',
	'storage-level': 'Without its network a PIN counts only where keys are kept well',
	qualified: 'It is taken only by people with a qualification',
	approved: 'It is taken only with the approval of others',
	limit: 'At most so many things on loan',
	overdue: 'What is overdue comes back first',
} as const satisfies Readonly<Record<PolicyStatement['kind'], string>>

export const DAYS = ['Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday', 'Sunday']

/** "Monday to Friday", "Saturday and Sunday", "every day". */
export function daysWords(days: readonly number[]): string {
	const sorted = [...new Set(days)].sort((a, b) => a - b)
	const [first = 1] = sorted
	const last = sorted.at(-1) ?? first
	const name = (day: number) => DAYS[day - 1] ?? ''
	if (sorted.length === 7) return 'every day'
	if (sorted.length > 2 && last - first === sorted.length - 1) return `${name(first)} to ${name(last)}`
	return listWords(sorted.map(name), 'and')
}

const listWords = (all: readonly string[], joined: 'and' | 'or'): string =>
	all.length < 2 ? (all[0] ?? '') : `${all.slice(0, -1).join(', ')} ${joined} ${all.at(-1)}`

/** Names for the codes that sentences hold. */
export interface CodeNames {
	group(code: string): string
	type(code: string): string
}

/** A sentence in parts; what its author chose stands in bold. */
export type Part = string | { readonly chosen: string }
export function sentenceOf(statement: PolicyStatement, { group, type }: CodeNames): readonly Part[] {
	const groups = (codes: readonly string[], joined: 'and' | 'or' = 'and') => ({ chosen: listWords(codes.map(group), joined) })
	const about = (of: Extract<PolicyStatement, { kind: 'online' }>['about']): Part =>
		'types' in of
			? { chosen: listWords(of.types.map(type), 'or') }
			: { chosen: 'valueClass' in of ? 'a thing of high value' : 'whatever is taken but parcels' }
	switch (statement.kind) {
		case 'take': {
			const { times } = statement
			const when: readonly Part[] = times
				? [', ', { chosen: daysWords(times.days) }, ', ', { chosen: `${times.from} to ${times.to}` }, ' at the site']
				: []
			return ['People in ', groups(statement.groups, 'or'), ' may take a ', { chosen: listWords(statement.types.map(type), 'or') }, ...when, '.']
		}
		case 'carry':
			return [
				'People in ',
				groups(statement.groups, 'or'),
				' may ',
				{
					chosen: listWords(
						[...new Set(statement.acts)]
							.sort()
							.reverse()
							.map((act) => policies[act]),
						'and',
					),
				},
				'.',
			]
		case 'serve':
			return ['People in ', groups(statement.groups, 'or'), ' may open compartments ', { chosen: 'for service' }, ', there and from afar.']
		case 'hours':
			return [
				'Outside the opening hours of the site ',
				{ chosen: 'nothing is taken' },
				...(statement.except ? [', but by people in ', groups(statement.except, 'or')] : []),
				'.',
			]
		case 'second-factor':
			return ['For ', about(statement.about), ' a ', { chosen: 'badge and a PIN' }, ' are needed.']
		case 'online':
			return ['For ', about(statement.about), ' the bank needs ', { chosen: 'its network' }, '.']
		case 'storage-level':
			return [
				'While the bank has no network, a PIN counts for ',
				about(statement.about),
				', alone or with a badge, only where keys are kept at ',
				{ chosen: statement.level === 3 ? 'level 3' : `level ${statement.level} or above` },
				'.',
			]
		case 'qualified':
			return [
				'For ',
				about(statement.about),
				' the qualification ',
				{ chosen: statement.qualification },
				' is needed, as long as it has not run out.',
			]
		case 'approved':
			return [
				'For ',
				about(statement.about),
				' the approval of ',
				{ chosen: statement.people === 1 ? 'one other person' : 'two other people' },
				' is needed.',
			]
		case 'limit':
			return [
				...(statement.groups ? ['Somebody in ', groups(statement.groups, 'or'), ' has '] : ['Everybody has ']),
				'at most ',
				{ chosen: statement.loans === 1 ? 'one thing' : statement.loans === 0 ? 'nothing' : `${statement.loans} things` },
				' on loan at a time.',
			]
		case 'overdue':
			return ['Whoever has something ', { chosen: 'overdue' }, ' brings it back before taking more.']
	}
}
