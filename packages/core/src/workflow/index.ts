export type { Case, CaseStart, Effected, Env, Facts, Input, Line, Link, Moved, RefusalCode, Refused, Stepped } from './case.ts'
export { newCase } from './case.ts'
export type { Act, Effect, Evidence, Guard, LoadedTable, Move, Outcome, Role, Sha256, Table, Trigger } from './table.ts'
export { tableHash } from './table.ts'
