import { test } from 'node:test'
import { boardConformance } from '../testing/index.ts'
import { realClock } from '../testing/real-clock.ts'
import { KR16_FAMILY } from './family.ts'

boardConformance(test, KR16_FAMILY, realClock)
