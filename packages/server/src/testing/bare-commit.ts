import pg from 'pg'

const ROW_BYTES = 400

/** The floor of a request that changes something: one row, committed in one round trip over a connection that is open. */
export async function bareCommit(url: string): Promise<{ once(): Promise<void>; close(): Promise<void> }> {
	const client = new pg.Client({ connectionString: url })
	await client.connect()
	await client.query('CREATE TABLE IF NOT EXISTS public.bare_commit (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text NOT NULL)')
	const insert = { name: 'bare-commit', text: 'INSERT INTO public.bare_commit (body) VALUES ($1)', values: ['x'.repeat(ROW_BYTES)] }
	return {
		once: async () => void (await client.query(insert)),
		close: () => client.end(),
	}
}
