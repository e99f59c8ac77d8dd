/**
 * Why somebody did what a desk or a program asked for: codes of closed lists, so that the ledger holds no free text of people and every reader knows what
 * a code means. What is already recorded stays as it is, so whoever reads one takes any code.
 */

/** Why a door is opened from afar. */
export const OPEN_REASONS = ['person-at-the-door', 'check-content', 'take-out', 'put-in', 'repair'] as const
/** Why a delivery is called back. */
export const RECALL_REASONS = ['sender-asks', 'wrong-recipient', 'order-cancelled', 'unsafe'] as const
/** Why a compartment is out of service. */
export const OUT_REASONS = ['broken', 'dirty', 'kept-free', 'misused'] as const
/** How a task was settled. */
export const TASK_WAYS = [
	'checked-and-in-order',
	'item-taken-out',
	'item-put-back',
	'door-closed',
	'settled-with-the-person',
	'nothing-to-do',
] as const
