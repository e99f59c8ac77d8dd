/** Words of the frame around every room, of signing in, and of what every room says when it has nothing to show. */
export const shell = {
	name: 'Console',
	product: 'Latchwork',
	organisation: 'Organisation',
	skip: 'Skip to the page',
	menu: 'Menu',
	crumbs: 'You are here',
	operate: 'Operate',
	peopleAndRules: 'People and rules',
	conflicts: 'Conflicts',
	policies: 'Policies',
	roles: 'Roles',
	credentials: 'Credentials',
	decisions: 'Decisions',
	evidence: 'Evidence',
	overview: 'Overview',
	banks: 'Banks',
	cases: 'Cases',
	people: 'People',
	events: 'Events',
	needsAPerson: (n: number) => `${n} need a person`,
	find: 'Find a case, door, person or action',
	findShort: 'Find',
	findKey: 'Ctrl K',
	signOut: 'Sign out',
	signedInAs: (name: string) => `Signed in as ${name}`,
	live: 'Live',
	notLive: 'Nothing is heard from the server. What you see may be old. This page tries again by itself.',
	notKnown: 'Not known now',
	away: 'The server does not answer. What you see may be old. This page tries again by itself.',
	back: 'Back',
	close: 'Close',
	cancel: 'Cancel',
	title: (page: string) => `${page} – Latchwork`,
}

export const password = {
	title: 'Change the password',
	lead: 'All your sessions end, this one too. Then sign in with the new password.',
	current: 'Present password',
	next: 'New password',
	hint: '15 characters or more; several words do well.',
	submit: 'Change it',
}

export const general = {
	loading: 'Loading…',
	notShown: 'Not to be shown',
	noSuch: {
		bank: 'There is no such bank',
		site: 'There is no such site',
		case: 'There is no such case',
		person: 'There is no such person',
		role: 'There is no such role',
		policy: 'There is no such policy',
	} as const,
	noSuchNote: 'The address may be mistyped, or it was removed.',
	toList: { bank: 'All banks', site: 'All banks', case: 'All cases', person: 'All people', role: 'All roles', policy: 'All policies' } as const,
	failed: 'This could not be loaded.',
	again: 'Try again',
	more: 'Show more',
	notPermitted: 'You may not see this. Ask an administrator for the permission.',
	notFound: 'There is nothing here. The address may be mistyped, or it was removed.',
	noPage: 'There is no such page.',
	toOverview: 'Go to the overview',
	somebody: 'Somebody',
	erased: 'A person who was erased',
	server: 'The server',
	edge: 'The bank',
	staff: 'Staff at the bank',
	choose: 'Choose…',
	timesAt: (site: string) => `Times at ${site}`,
	timesOf: (zone: string) => `Times of ${zone}`,
	timesWhere: 'Each time names its place',
	door: (number: number) => `Door ${number}`,
	sender: 'the sender',
	aCase: 'a case',
	record: (position: number) => `Record ${count(position)}`,
}

export const signIn = {
	title: 'Sign in',
	lead: 'To the console of your banks.',
	email: 'E-mail address',
	password: 'Password',
	submit: 'Sign in',
	submitting: 'Signing in…',
	organisation: 'Organisation',
	organisationHint: 'Its name; only if you belong to several.',
	ended: 'Your session has ended. Sign in to go on where you were.',
	forgotten: 'Password forgotten? An administrator of your organisation gives you a new one.',
}

/** Groups of three, parted by a thin space. */
export const count = (n: number): string => String(n).replaceAll(/\B(?=(\d{3})+$)/g, ' ')

const NUMBERS = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten', 'eleven', 'twelve']
/** "Three", "14". */
export const numberWord = (n: number): string => {
	const word = NUMBERS[n]
	return word === undefined ? count(n) : word.slice(0, 1).toUpperCase() + word.slice(1)
}

/** How long, in the two largest units that matter: "1 min 40 s", "3 days 5 h". */
export function span(ms: number): string {
	const seconds = Math.max(0, Math.floor(ms / 1_000))
	const [days, hours, minutes] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3_600) % 24, Math.floor(seconds / 60) % 60]
	if (days > 0) return `${days === 1 ? '1 day' : `${days} days`}${hours > 0 && days < 7 ? ` ${hours} h` : ''}`
	if (hours > 0) return `${hours} h${minutes > 0 ? ` ${minutes} min` : ''}`
	if (minutes > 0) return `${minutes} min${minutes < 10 && seconds % 60 > 0 ? ` ${seconds % 60} s` : ''}`
	return `${seconds} s`
}
