export { checkStored } from './check.ts'
export { type Entry, HISTORY_LOST, type Journal, type Key, openJournal } from './journal.ts'
export { lockDirectory } from './lock.ts'
export { readJournal, type StoredStream } from './read.ts'
