export { type SampleTerms, sampleEntries, sampleExport } from './sample-log.ts'
