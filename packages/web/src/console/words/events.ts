export const events = {
	title: 'Events',
	lead: 'Everything that happened, in the order of the ledger. New ones come by themselves.',
	personLead: 'All that is recorded of one person: what they did, and what was done to them, their badges, PINs and cases.',
	personOf: 'All of',
	personAll: 'Events of everybody',
	type: 'Type',
	anyType: 'All types',
	bank: 'Bank',
	anyBank: 'All banks',
	subject: 'Subject',
	subjectHint: 'An id, such as cas_…',
	pause: 'Pause',
	resume: 'Go on',
	paused: (n: number) => (n === 0 ? 'Paused.' : `Paused. ${n === 1 ? '1 new event waits' : `${n} new events wait`}.`),
	verify: 'Verify',
	verifyOne: (position: number) => `Verify record ${position}`,
	verifyThese: (n: number) => `Verify these ${n}`,
	position: 'Record',
	time: 'Time',
	what: 'What',
	who: 'Who',
	where: 'Where',
	proof: 'Proof',
	proven: 'Proven',
	refused: 'Refused',
	waiting: 'Not signed yet',
	unchecked: 'Not checked',
	checking: 'Checking…',
	data: 'What it says',
	empty: 'No event fits.',
	emptyNote: 'Change the filters.',
	clear: 'Clear the filters',
	checkpoint: 'Newest checkpoint',
	checkpointSays: (size: number, ago: string) => `${size} records are signed, ${ago} ago.`,
	checkpointNone: 'Nothing is signed yet: the first checkpoint comes within a minute of the first event.',
	export: 'Export for an auditor',
	exportNote: 'The whole log as files that a stranger’s program verifies, without trusting this server. Type this in the folder of Latchwork:',
	exportToken: 'Make a token for it',
	exportTokenNote: 'The token reads and exports the log, nothing else, for one day. It is shown once.',
	exportTokenName: 'Export of the log',
	older: 'Older events',
	newest: 'Back to the newest',
}

const TYPES: Readonly<Record<string, string>> = {
	'door-session.requested': 'A door was asked for',
	'door-session.denied': 'A door was refused',
	'door-session.releasing': 'Lock pulsed',
	'door-session.opened': 'Door opened',
	'door-session.closed': 'Door closed',
	'door-session.committed': 'Door session proven',
	'door-session.no-change': 'Nothing changed inside',
	'door-session.not-opened': 'Door did not open',
	'door-session.left-open': 'Door left open',
	'door-session.after-revocation': 'Opened after the rights were gone',
	'door-session.ambiguous': 'Nobody can prove what happened',
	'decision.allowed': 'Allowed by the bank',
	'decision.denied': 'Refused by the bank',
	'door.forced': 'Door forced',
	'door.stuck': 'Door stuck',
	'door.closed': 'Door closed by itself',
	'compartment.occupied': 'Compartment occupied',
	'compartment.emptied': 'Compartment emptied',
	'compartment.reserved': 'Compartment reserved',
	'compartment.released': 'Compartment released',
	'compartment.pending-inspection': 'Compartment must be checked',
	'compartment.quarantined': 'Compartment in quarantine',
	'compartment.taken-out-of-service': 'Compartment out of use',
	'compartment.returned-to-service': 'Compartment back in use',
	'compartment.changed': 'Compartment changed',
	'case.opened': 'Case opened',
	'case.moved': 'Case went on',
	'case.closed': 'Case closed',
	'case.conflict': 'Two truths met',
	'case.extended': 'More time given',
	'controller.lost': 'A box was reported lost',
	'controller.power-lost': 'Power was lost',
	'controller.power-restored': 'Back after an outage',
	'site.key-rotated': 'The site has another key',
	'command.requested': 'Opening asked for from afar',
	'break-glass.started': 'Glass broken in an emergency',
	'break-glass.ended': 'The emergency is over',
	'command.approved': 'A second person agreed',
	'command.owner-not-verified': 'A caller could not prove to be the owner',
	'command.sent': 'Order sent to the bank',
	'command.accepted': 'Order accepted by the bank',
	'command.finished': 'Order ended',
	'command.expired': 'Order ran out',
	'delivery.booked': 'Delivery booked',
	'delivery.code-shown': 'Pick-up code shown',
	'delivery.deposited': 'Parcel put in',
	'delivery.ready': 'Ready to collect',
	'delivery.collected': 'Collected',
	'delivery.recalled': 'Recalled',
	'delivery.collected-after-recall': 'Collected after it was recalled',
	'delivery.expired': 'Time ran out',
	'credential.issued': 'Badge, PIN or code given',
	'credential.revoked': 'Badge, PIN or code revoked',
	'credential.lock-out-ended': 'PINs are taken again',
	'credential.at-two-sites': 'Badge at two sites at once',
	'credential.reported-lost': 'Badge or PIN reported lost',
	'credential.code-used': 'Pick-up code used',
	'session.started': 'Signed in',
	'session.ended': 'Signed out',
	'session.refused': 'Sign-in refused',
	'custody.transferred': 'Custody passed on',
	'loan.started': 'Loan started',
	'loan.returned': 'Returned',
	'loan.overdue': 'Overdue',
	'reservation.made': 'Space kept',
	'reservation.released': 'Space given free',
	'notice.due': 'A notice is due',
	'task.created': 'A task for a person',
	'task.done': 'Task done',
	'policy.published': 'Policy published',
	'policy.reviewed': 'Policy draft reviewed',
	'bundle.published': 'Rules published to a bank',
	'bundle.accepted': 'Rules taken up by the bank',
	'bank.offline': 'Bank is silent',
	'bank.outage-confirmed': 'Outage confirmed',
	'bank.online': 'Bank is heard again',
	'audit.exported': 'Log exported',
	'audit.checkpoint-signed': 'Checkpoint signed',
}

/** `lockers.door-session.opened.v1` as `door-session.opened`. */
export const bareType = (type: string): string => /^lockers\.(.+)\.v1$/.exec(type)?.[1] ?? type

/** A sentence for a type; one that has none says its name in plain words. */
export function eventWords(type: string): string {
	const bare = bareType(type)
	return TYPES[bare] ?? bare.replaceAll(/[.-]/g, ' ').replace(/^./, (c) => c.toUpperCase())
}

/** For the filter. */
export const EVENT_NAMES: readonly (readonly [type: string, words: string])[] = Object.entries(TYPES).sort(([, a], [, b]) => a.localeCompare(b))

/** A word, or something that has a name: an id is never a word. */
export type Fact = string | { readonly id: string }

const SAID = ['reason', 'how', 'why', 'code', 'state', 'outcome', 'act', 'kind', 'method'] as const
const ID = /^[a-z]{3}_[0-9a-f]{8}-[0-9a-f-]{27}$/
const isId = (value: unknown): value is string => typeof value === 'string' && ID.test(value)

/** What an event says besides its type, in a few facts, each of one or more parts: doors, states, reasons, from whom to whom. */
export function eventFacts(data: Readonly<Record<string, unknown>>): readonly (readonly Fact[])[] {
	const part = (value: unknown): Fact[] => (typeof value !== 'string' ? [] : isId(value) ? [{ id: value }] : [plain(value)])
	const [from, to] = [part(data.from), part(data.to)]
	const moved = from.length > 0 && to.length > 0 ? [...from, '→', ...to] : to
	const number = typeof data.number === 'string' ? [data.number] : []
	const facts = [number, part(data.compartment), moved, ...SAID.map((name) => part(data[name]))]
	return facts.filter((fact) => fact.length > 0)
}
const plain = (code: string): string => code.replaceAll('-', ' ')
