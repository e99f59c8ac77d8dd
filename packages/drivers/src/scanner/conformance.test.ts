import { test } from 'node:test'
import { readerConformance } from '../testing/reader-suite.ts'
import { realClock } from '../testing/real-clock.ts'
import { SCANNER_FAMILY } from './conformance.ts'

readerConformance(test, SCANNER_FAMILY, realClock)
