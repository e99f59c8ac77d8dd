import { inspect } from 'node:util'
import type { TestEvent } from './results.ts'

/** What node:test hands a custom reporter; only the fields read here (Node 24, `node:test` "Custom reporters"). */
interface RunnerEvent {
	readonly type: string
	readonly data: {
		readonly name?: string
		readonly file?: string
		readonly line?: number
		readonly testId?: number
		readonly parentId?: number
		readonly skip?: boolean | string
		readonly todo?: boolean | string
		readonly details?: { readonly duration_ms?: number; readonly type?: string; readonly passed?: boolean; readonly error?: unknown }
	}
}

/**
 * One JSON line an event, flushed as it happens, so that whoever started the tests knows what ran even when it has to kill them.
 * The default export is what `--test-reporter` asks for.
 */
export default async function* reporter(source: AsyncIterable<RunnerEvent>): AsyncGenerator<string> {
	for await (const { type, data } of source) {
		if (type === 'test:dequeue')
			yield line({ kind: 'begin', id: data.testId ?? 0, parent: data.parentId ?? 0, name: data.name ?? '', file: data.file ?? '' })
		if (type === 'test:complete') {
			yield line({
				kind: 'end',
				id: data.testId ?? 0,
				line: data.line ?? 0,
				ms: data.details?.duration_ms ?? 0,
				suite: data.details?.type === 'suite',
				outcome: data.details?.passed === false ? 'failed' : data.skip || data.todo ? 'skipped' : 'passed',
				...(data.details?.error === undefined ? {} : { error: explain(data.details.error) }),
			})
		}
	}
}

const line = (event: TestEvent) => `${JSON.stringify(event)}\n`

function explain(error: unknown): NonNullable<Extract<TestEvent, { kind: 'end' }>['error']> {
	const { failureType, cause } = error as { failureType?: string; cause?: unknown }
	return { subtestsOnly: failureType === 'subtestsFailed', text: inspect(cause ?? error, { depth: 6 }) }
}
