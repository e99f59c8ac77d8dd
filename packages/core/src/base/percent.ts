/** "2.9 %", "52 %", "3 %": two digits say enough, and never less than there are before the point. What is not whole does not look so: 1.02 is "1.0 %". */
export function percentOf(chance: number): string {
	const percent = 100 * chance
	const whole = Math.round(percent)
	if (Math.abs(percent - whole) < 1e-9) return `${whole} %`
	if (percent < 0.01) return 'below 0.01 %'
	return `${percent < 9.95 ? percent.toPrecision(2) : whole} %`
}
