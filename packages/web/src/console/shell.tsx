import { useIsFetching, useQuery, useQueryClient } from '@tanstack/react-query'
import { Link, useRouterState } from '@tanstack/react-router'
import { type ReactNode, useEffect, useRef, useState, useSyncExternalStore } from 'react'
import { Icon, type IconName, Logo } from '../ui/icon.tsx'
import { may } from './access.ts'
import { AWAY, isRefusal } from './api.ts'
import { useSeat } from './context.ts'
import { useLiveState } from './live.ts'
import { useName } from './names.tsx'
import { Palette } from './palette.tsx'
import { ChangePassword } from './password.tsx'
import { allBanks, allPolicies, allRoles, allSites, oneCase, overviewNow } from './queries.ts'
import { badgeList } from './words/badges.ts'
import { needing } from './words/overview.ts'
import { own } from './words/own.ts'
import { roleName } from './words/roles.ts'
import { password, shell } from './words/shell.ts'

/** Rooms by their place in the side bar; each needs a permission somewhere. */
const ROOMS: readonly (readonly [
	group: string,
	rooms: readonly (readonly [
		to: '/' | '/banks' | '/cases' | '/conflicts' | '/people' | '/credentials' | '/roles' | '/policies' | '/decisions' | '/events',
		words: string,
		icon: IconName,
		permission: string,
	])[],
])[] = [
	[
		shell.operate,
		[
			['/', shell.overview, 'overview', 'case.read'],
			['/banks', shell.banks, 'bank', 'estate.read'],
			['/cases', shell.cases, 'case', 'case.read'],
			['/conflicts', shell.conflicts, 'alarm', 'case.read'],
		],
	],
	[
		shell.peopleAndRules,
		[
			['/people', shell.people, 'people', 'people.read'],
			['/credentials', shell.credentials, 'keypad', 'people.read'],
			['/roles', shell.roles, 'badge', 'role.read'],
			['/policies', shell.policies, 'shield', 'policy.read'],
		],
	],
	[
		shell.evidence,
		[
			['/decisions', shell.decisions, 'key', 'decision.read'],
			['/events', shell.events, 'chain', 'event.read'],
		],
	],
]

export function Shell({ children }: { readonly children: ReactNode }) {
	const { me, live, signOut } = useSeat()
	const [finding, setFinding] = useState(false)
	const [menu, setMenu] = useState(false)
	const [changing, setChanging] = useState(false)
	const path = useRouterState({ select: ({ location }) => location.pathname })
	const main = useRef<HTMLElement>(null)
	// biome-ignore lint/correctness/useExhaustiveDependencies: another page closes what floats over the last one.
	useEffect(() => {
		setMenu(false)
		setFinding(false)
	}, [path])
	useEffect(() => {
		const onKey = (event: KeyboardEvent) => {
			if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === 'k') {
				event.preventDefault()
				setFinding(true)
			}
			if (event.key === 'Escape') setMenu(false)
		}
		addEventListener('keydown', onKey)
		return () => removeEventListener('keydown', onKey)
	}, [])
	const liveState = useLiveState(live)
	const mayFollow = may(me, 'event.read')

	return (
		<div className="console">
			<button type="button" className="skip" onClick={() => main.current?.focus()}>
				{shell.skip}
			</button>
			<nav className={menu ? 'side open' : 'side'} aria-label={shell.name} id="side">
				<Link to="/" className="home" aria-label={`${shell.product}, ${shell.overview}`}>
					<Logo />
				</Link>
				<p className="tenant">
					<span className="mute">{shell.organisation}</span>
					<b>{me.tenant.name}</b>
				</p>
				{ROOMS.map(([group, rooms]) => {
					const seen = rooms.filter(([, , , permission]) => may(me, permission))
					return (
						seen.length > 0 && (
							<div key={group}>
								<h2>{group}</h2>
								<ul>
									{seen.map(([to, words, icon]) => (
										<li key={to}>
											<Link
												to={to}
												activeOptions={{ exact: to === '/', includeSearch: false }}
												// A site is found among the banks.
												{...(to === '/banks' && path.startsWith('/sites/') && { 'aria-current': 'true' as const })}
											>
												<Icon name={icon} />
												{words}
												{to === '/' && <Waiting />}
											</Link>
										</li>
									))}
								</ul>
							</div>
						)
					)
				})}
			</nav>
			<div className="beside">
				<header className="top">
					<button
						type="button"
						className="iconbtn menu"
						aria-label={shell.menu}
						aria-expanded={menu}
						aria-controls="side"
						onClick={() => setMenu(!menu)}
					>
						<Icon name={menu ? 'x' : 'menu'} />
					</button>
					<Crumbs path={path} organisation={me.tenant.name} />
					<button type="button" className="find" onClick={() => setFinding(true)}>
						<Icon name="search" />
						<span className="find-words">{shell.find}</span>
						<kbd>{shell.findKey}</kbd>
					</button>
					<Link to="/own" className="me" title={shell.signedInAs(me.name ?? '')}>
						{initials(me.name ?? '?')}
						<span className="unseen">
							{shell.signedInAs(me.name ?? '')}: {own.title}
						</span>
					</Link>
					<button type="button" className="iconbtn" aria-label={password.title} title={password.title} onClick={() => setChanging(true)}>
						<Icon name="lock" />
					</button>
					<button type="button" className="iconbtn" aria-label={shell.signOut} title={shell.signOut} onClick={signOut}>
						<Icon name="leave" />
					</button>
				</header>
				<Trouble waiting={mayFollow && liveState === 'waiting'} />
				<main className="page" id="page-content" ref={main} tabIndex={-1}>
					{children}
				</main>
			</div>
			{changing && <ChangePassword close={() => setChanging(false)} />}
			{finding && <Palette close={() => setFinding(false)} />}
		</div>
	)
}

function Waiting() {
	const { me } = useSeat()
	const { data } = useQuery({ ...overviewNow, enabled: may(me, 'case.read') })
	const n = data ? needing(data) : 0
	return n > 0 ? (
		<span className="count">
			<span className="unseen">{shell.needsAPerson(n)}</span>
			<span aria-hidden="true">{n}</span>
		</span>
	) : null
}

/** Says that nothing comes any more before somebody believes an old picture. */
function Trouble({ waiting }: { readonly waiting: boolean }) {
	const client = useQueryClient()
	useIsFetching()
	const isAway = useSyncExternalStore(
		(changed) => client.getQueryCache().subscribe(changed),
		() =>
			client
				.getQueryCache()
				.getAll()
				.some((query) => query.isActive() && isRefusal(query.state.error ?? query.state.fetchFailureReason, AWAY)),
	)
	if (!isAway && !waiting) return <div role="status" />
	return (
		<div role="status" className="trouble">
			<Icon name="offline" />
			{isAway ? shell.away : shell.notLive}
		</div>
	)
}

const initials = (name: string): string =>
	name
		.split(/\s+/)
		.flatMap((word) => word.slice(0, 1).toUpperCase())
		.slice(0, 2)
		.join('')

/** Pages beside those of single things. */
const PAGES: Readonly<Record<string, string>> = { 'cases/new': 'New', 'people/badges': badgeList.title }

/** Where somebody is, from the organisation inwards; below a certain width only where they are. */
function Crumbs({ path, organisation }: { readonly path: string; readonly organisation: string }) {
	const [, room = '', id = ''] = path.split('/')
	const { me } = useSeat()
	const { data: banks } = useQuery({ ...allBanks, enabled: room === 'banks' && id !== '' && may(me, 'estate.read') })
	const { data: sites } = useQuery({ ...allSites, enabled: (room === 'banks' || room === 'sites') && id !== '' && may(me, 'estate.read') })
	const { data: found } = useQuery({ ...oneCase(id), enabled: room === 'cases' && id.startsWith('cas_') })
	const name = useName(room === 'people' && id.startsWith('sub_') ? id : undefined)
	const { data: policies } = useQuery({ ...allPolicies, enabled: room === 'policies' && id !== '' && may(me, 'policy.read') })
	const policy = policies?.find((one) => one.id === id)
	const { data: roles } = useQuery({ ...allRoles, enabled: room === 'roles' && id !== '' && may(me, 'role.read') })
	const role = roles?.find((one) => one.id === id)
	const bank = banks?.find((one) => one.id === id)
	const site = sites?.find((one) => one.id === bank?.site)
	const trail: ReactNode[] = [
		<Link key="organisation" to="/">
			{organisation}
		</Link>,
	]
	const links = {
		banks: shell.banks,
		cases: shell.cases,
		people: shell.people,
		conflicts: shell.conflicts,
		credentials: shell.credentials,
		roles: shell.roles,
		policies: shell.policies,
		decisions: shell.decisions,
		events: shell.events,
	} as const
	if (room === '') trail.push(may(me, 'case.read') ? shell.overview : own.title)
	else if (room === 'own') trail.push(own.title)
	else if (room === 'sites') {
		trail.push(
			<Link key="banks" to="/banks">
				{shell.banks}
			</Link>,
			sites?.find((one) => one.id === id)?.name ?? '…',
		)
	} else if (room in links) {
		const to = `/${room}` as `/${keyof typeof links}`
		const words = links[room as keyof typeof links]
		trail.push(
			id ? (
				<Link key={to} to={to}>
					{words}
				</Link>
			) : (
				words
			),
		)
		if (bank && site) trail.push(site.name)
		if (id) trail.push(bank?.name ?? found?.number ?? policy?.name ?? (role && roleName(role)) ?? name ?? PAGES[`${room}/${id}`] ?? '…')
	}
	return (
		<nav className="crumbs" aria-label={shell.crumbs}>
			<ol>
				{trail.map((part, i) => (
					// biome-ignore lint/suspicious/noArrayIndexKey: a trail is its order.
					<li key={i} {...(i === trail.length - 1 && { 'aria-current': 'page' as const })}>
						{i > 0 && <Icon name="right" />}
						<span className="crumb">{part}</span>
					</li>
				))}
			</ol>
		</nav>
	)
}
