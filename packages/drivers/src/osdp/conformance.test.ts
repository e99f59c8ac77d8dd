import { test } from 'node:test'
import { realClock } from '../testing/real-clock.ts'
import { readerConformance } from './conformance.ts'
import { osdpReader } from './driver.ts'

readerConformance(test, () => osdpReader(), realClock)
