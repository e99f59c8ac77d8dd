import { DummyDriver, Kysely, PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, type RawBuilder, sql } from 'kysely'

/**
 * SQL in the open: kysely's `sql` tag and nothing else of it. Values become parameters, fragments compose, the row type stands beside the text:
 * sql<{ id: string }>`SELECT id FROM site WHERE tenant_id = ${tenant}`
 */
export { type RawBuilder as Sql, sql }

const compiler = new Kysely<Record<string, never>>({
	dialect: {
		createAdapter: () => new PostgresAdapter(),
		createDriver: () => new DummyDriver(),
		createIntrospector: (db) => new PostgresIntrospector(db),
		createQueryCompiler: () => new PostgresQueryCompiler(),
	},
})

/** Text with `$1 …` and its values, as the database client takes them. */
export function compiled(statement: RawBuilder<unknown>): { text: string; values: readonly unknown[] } {
	const { sql: text, parameters } = statement.compile(compiler)
	return { text, values: parameters }
}
