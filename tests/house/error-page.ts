import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { FAULTS, type FaultCode } from '@latchwork/core/base'
import { type DenyReason, denyReason } from '@latchwork/core/wire'

/** Run as a program, this writes docs/guides/errors.md; a test compares the page with the code. */
export const ERROR_PAGE = 'docs/guides/errors.md'

/** What a person does about it. A new code does not compile without its line. */
const REMEDIES: Readonly<Record<FaultCode, string>> = {
	'config-invalid': 'Correct the field that the text names; `latchwork help` lists options, the installer’s guide the file.',
	'data-newer': 'Start the newer version, or give this one its own directory with `LATCHWORK_DATA`. Nothing was changed.',
	'data-in-use': 'Stop the other process, or give this one its own directory with `LATCHWORK_DATA`.',
	'port-in-use': 'Stop the other program, or choose another port with `LATCHWORK_PORT`.',
	'journal-full':
		'Make room on the disk that holds the data directory. Doors open again by themselves; returns that were under way are settled first.',
	'journal-damaged': 'Do not delete anything. Copy the data directory, run `latchwork ledger verify` on the copy, and look at the disk.',
	'bundle-invalid': 'Fetch the bundle again from its maker. If its key was changed on purpose, pin the new public key in `edge.json`.',
	'bundle-rollback': 'Somebody put an older bundle in place: find out who. The newer one stays in force.',
	'table-invalid':
		'The text names the state and the line of the table. The workflow is not offered until it is mended; known items can still be returned.',
	'event-invalid': 'A programming error: report it with the log. Nothing was written.',
	'transport-closed': 'Look at the cable, the power of the board, and the address in `edge.json`. The driver keeps trying.',
	'transport-denied': 'Add the user to the group that owns the port (`dialout` on Debian) and start again.',
	'board-timeout': 'Check power, the A and B wires, the address switch and the speed. Only the doors of this board are out of service.',
	'board-refused': 'Read the board’s own lights; a board that is still busy takes the next command. The door stays as it was.',
	'out-of-range': 'Compare the boards and compartments in `edge.json` with the switches on the boards. No byte was sent.',
	'not-supported': 'Choose a product that has the ability, or leave out what needs it.',
	'command-expired': 'Nothing was sent and no door moved. Try again; if it repeats, the bus is overloaded or a board does not answer.',
	'reader-insecure':
		'Do not switch to plain text. Check the key of the reader; for a new or reset reader run `latchwork driver install-key` once, at the cabinet.',
	'not-found': 'Check the identifier; the text says where to list what exists.',
	'request-invalid': 'Compare the request with the API’s own description (`/openapi.json`); the text names the field.',
	'request-refused': 'The text says what stands in the way. Change that, then repeat the request.',
	'rate-limited': 'Wait as long as `Retry-After` says. A program of many requests gets a token of its own.',
	'database-unavailable': 'Look whether PostgreSQL runs and `DATABASE_URL` is right; the server goes on by itself when it answers again.',
	'database-denied': 'Give the login the rights that the text names, or another login in `DATABASE_URL`.',
	'database-full': 'Make room on the disk of the database. Controllers keep their records and send them again.',
	'database-busy': 'Send the same request again, with the same `Idempotency-Key`.',
	'sealed-unreadable':
		'Start the server with the master key that it had when this was written (`LATCHWORK_MASTER_KEY`, or the key file of the data directory).',
	'migration-failed': 'Nothing is half done: each migration is one transaction. Correct what the text names and start again.',
	'not-signed-in': 'Sign in again, or send a valid token in `Authorization: Bearer …`.',
	'not-permitted': 'Ask an administrator for a role with the permission that the text names.',
	'version-conflict': 'Read the record again, look at what changed, and send your change with the new `ETag`.',
	'version-missing': 'Read the record and send its `ETag` back in `If-Match`.',
	'already-exists': 'Choose another value for the field that the text names, or use the record that is there.',
	'idempotency-mismatch': 'Use a fresh key for each new request; repeat a key only with the very same request.',
	'claim-invalid':
		'Make a new claim token or code in the console; it works once, within 15 minutes, and a code only at the machine that the controller was before.',
	'certificate-invalid':
		'Renew the certificate at the renewal endpoint; type a claim code at the kiosk; or enrol the controller again with a claim token.',
	'message-invalid': 'Compare the sender’s version with the server’s; the message was dropped and counted, nothing was changed.',
	'log-invalid': 'The export was altered, cut or mixed up: the text names the first bad place. Keep it as evidence and export again.',
	'server-unreachable':
		'Compare the address with the one in the console, and look whether the network lets the controller reach it; it goes on alone and tries again by itself.',
	'broker-unavailable': 'Look whether the broker runs and `MQTT_URL` is right; controllers go on alone and reconnect by themselves.',
	'bank-full': 'Choose another bank, or wait until something is collected; the console shows what is free.',
	'no-suitable-compartment': 'Choose another bank, or split the delivery into smaller parts.',
	'policy-warned': 'Read the warnings. Change the draft, or do it with `acceptWarnings` if it is meant so.',
	'approval-needed': 'Ask somebody else with the permission that the action asks for to look at it; the text says who may not.',
	'prerequisite-missing': 'Install it with the command that the text gives.',
}

const REASONS: Readonly<Record<DenyReason, string>> = {
	'unknown-credential': 'The badge or code is not known at this bank: ask the desk to add it.',
	'wrong-pin': 'Try again after the wait that the screen shows; each wrong try doubles it.',
	'pin-suspended': 'Too many wrong tries at this bank. Use a badge, or wait until midnight, or ask the desk.',
	'credential-revoked': 'The desk has blocked it: ask there.',
	'code-used': 'A code opens once. Ask for a new one.',
	'code-expired': 'Ask for a new one.',
	'code-other-bank': 'Go to the bank that the message names.',
	'not-authorised': 'Nobody has granted this here: ask the desk.',
	'policy-denied': 'A rule of the site forbids it; the decision record names the rule.',
	'outside-hours': 'Come back during opening hours. Returning is always possible.',
	'quota-exceeded': 'Bring something back first.',
	'overdue-block': 'Bring back what is overdue first.',
	'needs-second-factor': 'Show the badge and type the PIN.',
	'qualification-missing': 'Ask the desk which qualification is needed, and have it entered once you have it.',
	'approval-needed': 'Ask whoever decides about it; the console has it on your page.',
	'bundle-expired': 'The bank has not heard from its server for too long. Returning still works; tell the desk.',
	'lease-expired':
		'As above, for everybody or for this person alone, whose time without the server is shorter; it ends when the bank is online again.',
	'time-uncertain': 'The bank has lost the time and cannot judge time limits; it recovers when it is online again.',
	'nothing-available': 'All are out. Try another bank or later.',
	'bank-full': 'No free compartment fits. Try another bank, or ask the desk.',
	'storage-full': 'The controller cannot record anything more, so it opens nothing. Tell the desk.',
	'history-lost':
		'Records of the bank were lost. Staff look behind the doors that `latchwork doctor` names, settle each with `latchwork edge settle`, then confirm with `latchwork edge settle --history`. Known items can still be returned.',
	'door-open': 'Close the open door first.',
	'compartment-unavailable': 'That door is out of service; choose another.',
	'workflow-unknown': 'This bank’s software is too old for it. Returning still works.',
	'not-ready': 'The code is right, and nothing of its order has been put in yet. It works once it has.',
}

export function errorPage(): string {
	return `# Errors and refusals

A **fault** is something that should not happen: it has a code, and its text says what to do. A **refusal** is an answer: the system works and says no.
This page is written by \`node tests/house/error-page.ts\` from the code; do not edit it by hand.

## Faults

| code | what it means | what to do |
| --- | --- | --- |
${rows((Object.keys(FAULTS) as FaultCode[]).map((code) => [`\`${code}\``, FAULTS[code], REMEDIES[code]]))}

Over HTTP a fault is a problem document (RFC 9457) with the code in \`code\` and the text in \`detail\`. The code \`internal\` stands for a failure that the program did
not foresee: look into its log and report it.

## Refusals at a bank

| reason | what to do |
| --- | --- |
${rows(denyReason.options.map((reason) => [`\`${reason}\``, REASONS[reason]]))}
`
}

const rows = (cells: readonly (readonly string[])[]): string => cells.map((row) => `| ${row.join(' | ')} |`).join('\n')

if (import.meta.main) writeFileSync(join(import.meta.dirname, '../..', ERROR_PAGE), errorPage())
