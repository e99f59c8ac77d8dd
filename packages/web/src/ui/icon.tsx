import type { ReactNode } from 'react'

/** Drawn by us on a 24 grid, round caps, no fill: one idea an icon, one icon an idea (visual-language.md §5). */
const SHAPES = {
	alarm: <path d="M12 3.5 2.5 20h19zM12 10v4.5M12 17.2v.1" />,
	back: <path d="M21 5.5H9L2.5 12 9 18.5h12zM12 9.5l5 5M17 9.5l-5 5" />,
	badge: (
		<>
			<rect x="3" y="5.5" width="18" height="13" rx="2" />
			<circle cx="8.5" cy="11" r="2" />
			<path d="M5.5 15.7c.6-1.5 1.6-2.2 3-2.2s2.4.7 3 2.2M14.5 10.5h4M14.5 14h2.5" />
		</>
	),
	bank: (
		<>
			<rect x="3" y="3" width="18" height="17" rx="1.5" />
			<path d="M9 3v17M15 3v17M3 9h6M9 13h6M15 8h6M15 14h6M5 20v1.5M19 20v1.5" />
		</>
	),
	bell: <path d="M6 16.5V11a6 6 0 0 1 12 0v5.5l1.5 1.5h-15zM10 20.5h4" />,
	bolt: <path d="M13 2.5 5 13.5h6l-1 8 8.5-11.5H12z" />,
	box: <path d="M3.5 8 12 3.5 20.5 8v8L12 20.5 3.5 16zM3.5 8 12 12.5 20.5 8M12 12.5v8" />,
	case: (
		<>
			<circle cx="5.5" cy="6" r="2.5" />
			<circle cx="18.5" cy="18" r="2.5" />
			<path d="M8 6h7a3.5 3.5 0 0 1 0 7H9a2.5 2.5 0 0 0 0 5h7" />
		</>
	),
	chain: <path d="M9.5 14.5l5-5M11 6.5l2-2a4.2 4.2 0 0 1 6 6l-2 2M13 17.5l-2 2a4.2 4.2 0 0 1-6-6l2-2" />,
	check: <path d="m4.5 12.5 5 5L19.5 7" />,
	clock: (
		<>
			<circle cx="12" cy="12" r="9" />
			<path d="M12 7v5.3l3.5 2" />
		</>
	),
	contrast: (
		<>
			<circle cx="12" cy="12" r="9" />
			<path d="M12 3v18a9 9 0 0 0 0-18z" fill="currentColor" />
		</>
	),
	door: (
		<>
			<rect x="5" y="3" width="14" height="18" rx="1.5" />
			<path d="M15.5 11v2.5" />
		</>
	),
	'door-open': <path d="M11 4.5 4 3v18l7-1.5zM11 5h8.5v14H11M8.3 11.5v1.5" />,
	empty: <circle cx="12" cy="12" r="7.5" />,
	hand: (
		<path d="M8 12.5V5.7a1.5 1.5 0 0 1 3 0V11V4.3a1.5 1.5 0 0 1 3 0V11V5.7a1.5 1.5 0 0 1 3 0V14c0 4-2.2 7-6 7-3 0-4.3-1.3-5.7-4l-1.8-3.4c-.9-1.8 1.1-3 2.3-1.7z" />
	),
	help: (
		<>
			<circle cx="12" cy="12" r="9" />
			<path d="M9.3 9.5a2.8 2.8 0 1 1 4.2 2.5c-1 .6-1.5 1.2-1.5 2.2M12 17.2v.1" />
		</>
	),
	key: (
		<>
			<circle cx="7.5" cy="14.5" r="4" />
			<path d="m10.5 11.5 8-8M15.5 6.5l3 3" />
		</>
	),
	keypad: <path d="M6 5.5v.1M12 5.5v.1M18 5.5v.1M6 12v.1M12 12v.1M18 12v.1M6 18.5v.1M12 18.5v.1M18 18.5v.1" />,
	laptop: (
		<>
			<rect x="5" y="5" width="14" height="10" rx="1.5" />
			<path d="M2.5 18.5h19" />
		</>
	),
	leave: <path d="M10 4H5v16h5M14.5 8l4 4-4 4M18 12H9.5" />,
	lens: (
		<>
			<circle cx="10.5" cy="10.5" r="6.5" />
			<path d="m15.5 15.5 5 5M10.5 7.5V11M10.5 13.4v.1" />
		</>
	),
	lock: (
		<>
			<rect x="5" y="10.5" width="14" height="10" rx="2" />
			<path d="M8.5 10.5V7.5a3.5 3.5 0 0 1 7 0v3M12 14.5v2" />
		</>
	),
	low: (
		<>
			<rect x="5" y="3" width="14" height="18" rx="2" />
			<path d="M8.5 16.5h7M8.5 13h7M12 5.5v4M10.3 8 12 9.7 13.7 8" />
		</>
	),
	menu: <path d="M4 7h16M4 12h16M4 17h16" />,
	offline: (
		<path d="M6 12.8a9 9 0 0 1 4-2.3M14.5 10.7a9 9 0 0 1 3.5 2.1M2.5 9a14 14 0 0 1 5-3.1M11.5 5a14 14 0 0 1 10 4M9.3 16.5a4.3 4.3 0 0 1 5.4 0M12 20v.1M4 3.5l16 17" />
	),
	outside: <path d="M14 4h6v6M20 4l-9 9M18 14v5.5H4.5V6H10" />,
	overview: <path d="M4 4h7v7H4zM13 4h7v4h-7zM13 11h7v9h-7zM4 14h7v6H4z" />,
	pause: <path d="M8.5 5v14M15.5 5v14" />,
	people: (
		<>
			<circle cx="9" cy="8" r="3.5" />
			<path d="M2.5 20c.6-4 3-6 6.5-6s5.9 2 6.5 6M16 4.8a3.5 3.5 0 0 1 0 6.4M18 14.5c2 .8 3.2 2.7 3.5 5.5" />
		</>
	),
	person: (
		<>
			<circle cx="12" cy="8" r="4" />
			<path d="M4.5 20.5c.8-4.3 3.5-6.5 7.5-6.5s6.7 2.2 7.5 6.5" />
		</>
	),
	phone: <path d="M7 3.5 4.5 5c-.7 7.5 7 15.2 14.5 14.5l1.5-2.5-4.2-3-2.3 1.7c-2-.9-3.7-2.6-4.7-4.7L11 8.7z" />,
	plus: <path d="M12 5v14M5 12h14" />,
	pulse: <path d="M2.5 12.5h4l2.5-7 4.5 13 2.5-6h5.5" />,
	put: <path d="M4 13v6.5h16V13M12 14.5v-11M7.5 8 12 3.5 16.5 8" />,
	qr: (
		<>
			<rect x="3.5" y="3.5" width="6.5" height="6.5" rx="1" />
			<rect x="14" y="3.5" width="6.5" height="6.5" rx="1" />
			<rect x="3.5" y="14" width="6.5" height="6.5" rx="1" />
			<path d="M14 14h2.5v2.5M20.5 14v2.5M14 20.5h2.5M20.5 20.5v.1" />
		</>
	),
	reader: (
		<>
			<rect x="6" y="3" width="12" height="18" rx="2.5" />
			<path d="M9.5 14.5a3.8 3.8 0 0 1 5 0M8 12a6.3 6.3 0 0 1 8 0M11 17.5h2" />
		</>
	),
	refresh: <path d="M19.5 8A8 8 0 1 0 20 14M20 3.5v5h-5" />,
	return: <path d="M5 9.5h9.5a5 5 0 0 1 0 10H9M9 5 4.5 9.5 9 14" />,
	right: <path d="m9 5 7 7-7 7" />,
	search: (
		<>
			<circle cx="10.5" cy="10.5" r="6.5" />
			<path d="m15.5 15.5 5 5" />
		</>
	),
	shield: (
		<>
			<path d="M12 3 4.5 6v6c0 4.5 3 7.5 7.5 9 4.5-1.5 7.5-4.5 7.5-9V6z" />
			<path d="m8.5 12 2.5 2.5 4.5-5" />
		</>
	),
	slash: (
		<>
			<circle cx="12" cy="12" r="9" />
			<path d="m5.8 5.8 12.4 12.4" />
		</>
	),
	speaker: <path d="M4 9.5v5h4l5 4.5V5L8 9.5zM16.5 8.5a5 5 0 0 1 0 7M19 6a8.5 8.5 0 0 1 0 12" />,
	stop: (
		<>
			<path d="M8.3 3h7.4L21 8.3v7.4L15.7 21H8.3L3 15.7V8.3z" />
			<path d="M12 7.5V13M12 16.4v.1" />
		</>
	),
	take: <path d="M4 13v6.5h16V13M12 3.5v11M7.5 10l4.5 4.5 4.5-4.5" />,
	text: <path d="M2.5 18 7.5 6l5 12M4.3 14h6.4M14.5 18l3.2-8 3.3 8M15.7 15.3h4.2" />,
	ticket: <path d="M3.5 7h17v3.5a1.7 1.7 0 0 0 0 3.3V17h-17v-3.2a1.7 1.7 0 0 0 0-3.3zM14 7v2M14 11v2M14 15v2" />,
	undo: <path d="M4 4v6h6M4.5 10A8 8 0 1 1 5 16" />,
	unknown: (
		<>
			<rect x="4" y="4" width="16" height="16" rx="2" />
			<path d="M9.7 9.7a2.4 2.4 0 1 1 3.6 2.1c-.9.5-1.3 1-1.3 1.9M12 16.5v.1" />
		</>
	),
	wrench: (
		<path d="M14.5 6.5a4.5 4.5 0 0 1 5.7-2.3l-3 3 .6 2.4 2.4.6a4.5 4.5 0 0 1-6.3 3.2L7.2 20A2.2 2.2 0 0 1 4 16.8l6.7-6.6a4.5 4.5 0 0 1 3.8-3.7z" />
	),
	x: <path d="m6 6 12 12M18 6 6 18" />,
} satisfies Record<string, ReactNode>

export type IconName = keyof typeof SHAPES

/** An icon stands beside its word, so assistive technology skips it. */
export function Icon({ name }: { readonly name: IconName }) {
	return (
		<svg className="icon" viewBox="0 0 24 24" aria-hidden="true">
			{SHAPES[name]}
		</svg>
	)
}

/** The shapes alone, for use inside another drawing. */
export function IconShape({ name }: { readonly name: IconName }) {
	return SHAPES[name]
}

export function Logo() {
	return (
		<span className="logo">
			<svg viewBox="0 0 28 28" aria-hidden="true">
				<rect width="28" height="28" rx="7" fill="var(--mark-bg)" />
				<path
					d="M9 6.5v12.2c0 1.7 1.1 2.8 2.8 2.8H20"
					fill="none"
					stroke="var(--mark-fg)"
					strokeWidth="3.4"
					strokeLinecap="round"
					strokeLinejoin="round"
				/>
				<circle cx="18.3" cy="10.2" r="3" fill="var(--mark-dot)" />
			</svg>
			Latchwork
		</span>
	)
}
