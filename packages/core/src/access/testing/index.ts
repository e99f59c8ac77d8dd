export { DECISIONS, type DecisionRow } from '../decisions.table.ts'
export { type TestKey, testKey } from './node-crypto.ts'
export { askRow, rowMismatch, rowRequest } from './run-row.ts'
export {
	SAMPLE_ASSETS,
	SAMPLE_PEOPLE,
	SAMPLE_POLICIES,
	SAMPLE_SITE_KEY,
	SAMPLE_START,
	type SamplePerson,
	sampleBadge,
	sampleBundle,
	sampleId,
	samplePin,
	sampleSubject,
} from './sample-bundle.ts'
