/** Drawings that say how without words: line art in the colour of the text around them. */

/** A badge comes to the reader. */
export function BadgePicture() {
	return (
		<svg className="art" viewBox="0 0 360 190" aria-hidden="true">
			<rect x="24" y="17" width="104" height="156" rx="20" />
			<path d="M56 112a29 29 0 0 1 40 0M43 94a47 47 0 0 1 66 0M66 138h20" />
			<path className="art-move" d="M198 95h-48M171 72l-23 23 23 23" />
			<g transform="rotate(-7 280 95)">
				<rect className="art-fill" x="216" y="52" width="124" height="86" rx="12" />
				<circle cx="250" cy="84" r="13" />
				<path d="M230 118c4-12 36-12 40 0M286 80h34M286 98h24" />
			</g>
		</svg>
	)
}

/** A phone shows its code to the scanner. */
export function ScanPicture() {
	return (
		<svg className="art" viewBox="0 0 360 190" aria-hidden="true">
			<rect x="24" y="44" width="104" height="102" rx="16" />
			<path d="M46 95h60" className="art-beam" />
			<path d="M46 80V66h14M106 80V66H92M46 110v14h14M106 110v14H92" />
			<path className="art-move" d="M198 95h-48M171 72l-23 23 23 23" />
			<rect className="art-fill" x="232" y="12" width="96" height="166" rx="16" />
			<path d="M270 160h20" />
			<path d="M250 42h24v24h-24zM292 42h18v18h-18zM250 84h18v18h-18zM284 82v22h12M310 82v10M284 118h10M310 106v14M250 118h16" />
		</svg>
	)
}

/** Nine keys. */
export function KeypadPicture() {
	const keys = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => ({ x: 122 + column * 58, y: 37 + row * 58, key: row * 3 + column })))
	return (
		<svg className="art" viewBox="0 0 360 190" aria-hidden="true">
			<rect className="art-fill" x="84" y="4" width="192" height="182" rx="22" />
			{keys.map(({ x, y, key }) => (
				<circle key={key} className={key === 4 ? 'art-dot art-pressed' : 'art-dot'} cx={x} cy={y} r={key === 4 ? 19 : 14} />
			))}
		</svg>
	)
}

/** Your secret goes in here, hidden. */
export function PinPicture() {
	const keys = [0, 1, 2].flatMap((row) => [0, 1, 2].map((column) => ({ x: 258 + column * 32, y: 63 + row * 32, key: row * 3 + column })))
	return (
		<svg className="art" viewBox="0 0 360 190" aria-hidden="true">
			<rect x="24" y="42" width="116" height="106" rx="14" />
			<path d="M24 74h116M44 58h34M50 111h.1M71 111h.1M92 111h.1M113 111h.1" />
			<path className="art-move" d="M158 95h48M184 72l23 23-23 23" />
			<rect className="art-fill" x="226" y="31" width="128" height="128" rx="16" />
			{keys.map(({ x, y, key }) => (
				<circle key={key} className="art-dot" cx={x} cy={y} r={9} />
			))}
		</svg>
	)
}
