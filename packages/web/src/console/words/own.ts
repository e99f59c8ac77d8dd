import type { DenyReason } from '@latchwork/core/wire'
import { capital } from '../../ui/words.ts'
import type { OwnDecision, OwnOpening } from '../shapes.ts'
import { insteadWords } from './policies.ts'
import { general } from './shell.ts'

/** What everybody who can sign in sees of themselves. */
export const own = {
	title: 'Your badges and PINs',
	lead: (name: string) => `What opens doors in the name of ${name}. Lost one? Say so here: it stops at once.`,
	none: 'You have no badge and no PIN.',
	noneNote: 'The help desk gives you one.',
	lost: { badge: 'I have lost it…', pin: 'Somebody knows it…' },
	lostTitle: { badge: 'Report the badge as lost', pin: 'Report the PIN as known to somebody else' },
	lostLead: {
		badge:
			'It stops at every bank, and cannot be taken back. The help desk gives you another one. Whoever shows the lost one is noticed. What you have on loan can still be returned.',
		pin: 'It stops at every bank, and cannot be taken back. The help desk gives you another one.',
	},
	lostSubmit: 'Report it',
}

/** Why somebody was refused, and what they can do about it; said to themselves. */
const WHY: Readonly<Record<DenyReason, readonly [why: string, help: string]>> = {
	'unknown-credential': ['The bank did not know you.', 'The help desk can tell whether you belong there.'],
	'wrong-pin': ['The PIN was wrong.', 'The help desk gives you another one.'],
	'pin-suspended': ['Too many wrong PINs were typed there that day.', 'PINs are taken again after midnight; a badge always is.'],
	'credential-revoked': ['The badge, PIN or code had ended.', 'The help desk gives you another one.'],
	'code-used': ['The code had been used.', 'The help desk can see what it opened.'],
	'code-expired': ['The time to collect was over.', 'The help desk can give you more time.'],
	'code-other-bank': ['The code is for another bank.', 'The message with the code says for which.'],
	'not-authorised': ['No rule lets you do that.', 'The help desk knows who decides about it.'],
	'policy-denied': ['A rule forbids it.', 'The help desk knows who decides about it.'],
	'outside-hours': ['It was outside the hours in which you may.', 'Come within the hours.'],
	'quota-exceeded': ['You had as many things on loan as you may have.', 'Bring something back first.'],
	'overdue-block': ['Something that you have was overdue.', 'Bring it back first.'],
	'needs-second-factor': ['One proof was not enough.', 'Show your badge, and type your PIN.'],
	'qualification-missing': ['A qualification was missing, or had run out.', 'The help desk can tell which one.'],
	'approval-needed': ['Somebody else has to approve it first.', 'Ask somebody who may.'],
	'bundle-expired': ['The bank had been without its network for too long.', 'Try again when it has it. What you have you can always bring back.'],
	'lease-expired': ['The bank had been without its network for too long.', 'Try again when it has it. What you have you can always bring back.'],
	'time-uncertain': ['The bank did not know for certain what time it was.', 'Try again when it has its network.'],
	'nothing-available': ['Nothing of the kind was there.', 'Try again later, or at another bank.'],
	'bank-full': ['No compartment was free.', 'Try again later, or at another bank.'],
	'storage-full': ['The bank could not record any more.', 'Tell the help desk.'],
	'history-lost': ['The bank had lost a part of its record.', 'Tell the help desk.'],
	'door-open': ['Another door stood open.', 'Close it, and try again.'],
	'compartment-unavailable': ['Its door could not be opened.', 'Tell the help desk.'],
	'workflow-unknown': ['The bank did not know how that is done.', 'Tell the help desk.'],
	'not-ready': ['The bank was not ready.', 'Try again.'],
}
const OTHER = ['It was refused.', 'The help desk can tell you why.'] as const
const whyOf = (reason: string | undefined) => (reason !== undefined && Object.hasOwn(WHY, reason) ? WHY[reason as DenyReason] : OTHER)

export const said = {
	title: 'What banks said to you',
	lead: 'What you asked for, the newest first, why something was refused, and what would help.',
	none: 'You have asked no bank for anything.',
	noneNote: 'What you do at a bank stands here a moment later.',
	what: 'What',
	when: 'When',
	where: 'Where',
	answer: 'Answer',
	allowed: 'Allowed',
	refused: 'Refused',
	place: (place: OwnDecision['place']) => (place ? `${place.bank}, ${place.site}` : '–'),
	wanted({ action, thing, door }: OwnDecision): string {
		const what =
			action === 'collect'
				? thing === undefined
					? 'Take a parcel out'
					: `Take ${thing}`
				: action === 'deposit'
					? thing === undefined
						? 'Put something in'
						: `Bring ${thing}`
					: action === 'service'
						? 'Open a door for service'
						: action === 'open-remote'
							? 'Open a door from afar'
							: 'Be let in'
		return door === undefined ? what : `${what}, ${general.door(door).toLowerCase()}`
	},
	/** `longTime`: how a moment at the place is written. */
	why({ reason, now }: OwnDecision, longTime: (at: string) => string): readonly [why: string, help: string] {
		const [why] = whyOf(reason)
		if (now?.effect === 'allow') return [why, 'Now it would be allowed.']
		if (now && now.instead.length > 0) return [why, `It would be allowed ${now.instead.map((one) => insteadWords(one, longTime)).join(', or ')}.`]
		return [why, whyOf(now?.reason ?? reason)[1]]
	},
}

const FOR: Readonly<Record<string, string>> = {
	'person-at-the-door': 'Somebody stood at the door and could not open it.',
	'check-content': 'To see what was inside.',
	'take-out': 'To take something out.',
	'put-in': 'To put something in.',
	repair: 'The door or the lock was repaired.',
}

/** What others opened of theirs without standing there. */
export const afar = {
	title: 'Opened from afar',
	lead: 'Each time that staff open a door with something of yours behind it, without standing there, it is told here.',
	none: 'Nobody has opened a door of yours from afar.',
	what: 'What lay there',
	when: 'When',
	where: 'Where',
	why: 'Why',
	who: 'By whom',
	became: 'What became of it',
	place: ({ place, door }: OwnOpening) => `${door === undefined ? '' : `${general.door(door)}, `}${place.bank}, ${place.site}`,
	reason: (reason: string | undefined) =>
		reason === undefined ? 'No reason is known.' : (FOR[reason] ?? `${capital(reason.replaceAll('-', ' '))}.`),
	reasons: FOR,
	/** By their roles: who of staff it was their organisation knows. */
	by({ roles, agreed, secondRoles }: OwnOpening): string {
		const who = rolesWords(roles)
		if (agreed === 'second-person') return `${who}; a second person agreed: ${rolesWords(secondRoles).replace(/^./, (c) => c.toLowerCase())}`
		return agreed === 'owner-on-phone' ? `${who}; you agreed on the phone` : agreed === 'emergency' ? `${who}, alone, in an emergency` : who
	},
	states: {
		requested: 'Asked for',
		sent: 'Asked for',
		accepted: 'Being opened',
		done: 'Opened',
		failed: 'Nobody is sure',
		refused: 'Stayed shut',
		expired: 'Stayed shut',
	} satisfies Readonly<Record<OwnOpening['state'], string>>,
}

const rolesWords = (roles: readonly string[] | undefined): string =>
	roles === undefined || roles.length === 0
		? 'Staff'
		: roles.map((role, i) => (i === 0 ? capital(role.replaceAll('-', ' ')) : role.replaceAll('-', ' '))).join(', ')
