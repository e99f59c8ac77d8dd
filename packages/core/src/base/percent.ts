/** "2.9 %", "52 %": two digits say enough, and never less than there are before the point. */
export function percentOf(chance: number): string {
	const percent = 100 * chance
	if (percent === 0) return '0 %'
	if (percent < 0.01) return 'below 0.01 %'
	return `${percent < 9.95 ? percent.toPrecision(2) : Math.round(percent)} %`
}
