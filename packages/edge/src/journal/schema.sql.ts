import { Fault } from '@latchwork/core/base'

/** Version of the tables below; a data directory of a newer one is refused, an older one is migrated in `open`. */
export const SCHEMA_VERSION = 1

export const newerThanThis = (found: number): Fault =>
	new Fault(
		'data-newer',
		`This data directory was written by a newer Latchwork (format ${found}, this one knows ${SCHEMA_VERSION}). Install that version, or start with another directory.`,
	)

/**
 * `event`: the controller's stream, bytes as minted, never updated or deleted before the server has acknowledged them.
 * `fact`: present state of compartments, visits, cases, budgets … one JSON document a key, written with the events that explain it.
 * It keeps its row ids: in a table without, SQLite copies a whole row to compare its key, and the kept bundle is one row of
 * megabytes (45 ms a commit with 50,000 people).
 * `intent`: one row a pulse (R1). The uniqueness of command, session and (compartment, fence) is the database's own guard
 * behind the reducer's: a bug above cannot make two leases of one number or pulse for one command twice.
 */
export const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
CREATE TABLE IF NOT EXISTS event (
  stream TEXT NOT NULL, seq INTEGER NOT NULL, bytes BLOB NOT NULL, hash TEXT NOT NULL, type TEXT NOT NULL,
  PRIMARY KEY (stream, seq)
) STRICT;
CREATE TABLE IF NOT EXISTS fact (kind TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, PRIMARY KEY (kind, key)) STRICT;
CREATE TABLE IF NOT EXISTS intent (
  command TEXT PRIMARY KEY, session TEXT NOT NULL UNIQUE, compartment TEXT NOT NULL, fence INTEGER NOT NULL, UNIQUE (compartment, fence)
) STRICT, WITHOUT ROWID;
`
