import { test } from 'node:test'
import { readerConformance } from '../testing/reader-suite.ts'
import { realClock } from '../testing/real-clock.ts'
import { OSDP_FAMILY } from './conformance.ts'

readerConformance(test, OSDP_FAMILY, realClock)
