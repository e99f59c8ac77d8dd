/**
 * How Node is started for a controller. What it allocates lives for one tap or for ever, so a small young generation loses nothing, and one
 * helper thread is enough where a person taps once a second; together they save a fifth of its memory (docs/guides/performance.md, P11).
 */
export const EDGE_FLAGS: readonly string[] = ['--max-semi-space-size=1', '--v8-pool-size=1']
