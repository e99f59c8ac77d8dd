import { createRootRoute, createRoute, createRouter, Link, Outlet } from '@tanstack/react-router'
import { useMay } from './context.ts'
import { Empty, Title } from './parts.tsx'
import { BadgeList } from './rooms/badge-list.tsx'
import { BankRoom } from './rooms/bank.tsx'
import { Banks } from './rooms/banks.tsx'
import { Book } from './rooms/book.tsx'
import { CaseRoom } from './rooms/case.tsx'
import { Cases } from './rooms/cases.tsx'
import { Conflicts } from './rooms/conflicts.tsx'
import { Credentials } from './rooms/credentials.tsx'
import { Decisions } from './rooms/decisions.tsx'
import { Events } from './rooms/events.tsx'
import { OverviewRoom } from './rooms/overview.tsx'
import { Own } from './rooms/own.tsx'
import { People } from './rooms/people.tsx'
import { PersonRoom } from './rooms/person.tsx'
import { Policies } from './rooms/policies.tsx'
import { Roles } from './rooms/roles.tsx'
import { SiteRoom } from './rooms/site.tsx'
import { type BankSearch, type CasesSearch, type DecisionsSearch, type EventsSearch, flag, given, type Raw, text, whole } from './search.ts'
import { Shell } from './shell.tsx'
import { general } from './words/shell.ts'

/** Addresses of the console. What a filter says stands in the address, so that a link shows what its sender saw. */
const root = createRootRoute({
	component: () => (
		<Shell>
			<Outlet />
		</Shell>
	),
	notFoundComponent: NoPage,
})

const routes = [
	createRoute({ getParentRoute: () => root, path: '/', component: Home }),
	createRoute({ getParentRoute: () => root, path: '/own', component: Own }),
	createRoute({ getParentRoute: () => root, path: '/banks', component: Banks }),
	createRoute({
		getParentRoute: () => root,
		path: '/banks/$bank',
		validateSearch: (raw: Raw): BankSearch =>
			given({
				door: whole(raw, 'door'),
				view: raw.view === 'list' ? ('list' as const) : undefined,
				open: raw.open === true ? (true as const) : undefined,
			}),
		component: BankRoom,
	}),
	createRoute({ getParentRoute: () => root, path: '/sites/$site', component: SiteRoom }),
	createRoute({
		getParentRoute: () => root,
		path: '/cases',
		validateSearch: (raw: Raw): CasesSearch =>
			given({
				workflow: text(raw, 'workflow'),
				open: flag(raw, 'open'),
				conflict: flag(raw, 'conflict'),
				bank: text(raw, 'bank'),
				find: text(raw, 'find'),
			}),
		component: Cases,
	}),
	createRoute({ getParentRoute: () => root, path: '/cases/new', component: Book }),
	createRoute({ getParentRoute: () => root, path: '/cases/$case', component: CaseRoom }),
	createRoute({
		getParentRoute: () => root,
		path: '/people',
		validateSearch: (raw: Raw): { find?: string | undefined } => given({ find: text(raw, 'find') }),
		component: People,
	}),
	createRoute({ getParentRoute: () => root, path: '/people/badges', component: BadgeList }),
	createRoute({ getParentRoute: () => root, path: '/people/$user', component: PersonRoom }),
	createRoute({ getParentRoute: () => root, path: '/conflicts', component: Conflicts }),
	createRoute({ getParentRoute: () => root, path: '/credentials', component: Credentials }),
	createRoute({ getParentRoute: () => root, path: '/roles', component: Roles }),
	createRoute({ getParentRoute: () => root, path: '/roles/$role', component: Roles }),
	createRoute({ getParentRoute: () => root, path: '/policies', component: Policies }),
	createRoute({ getParentRoute: () => root, path: '/policies/$policy', component: Policies }),
	createRoute({
		getParentRoute: () => root,
		path: '/decisions',
		validateSearch: (raw: Raw): DecisionsSearch =>
			given({
				effect: raw.effect === 'allow' || raw.effect === 'deny' ? raw.effect : undefined,
				bank: text(raw, 'bank'),
				user: text(raw, 'user'),
			}),
		component: Decisions,
	}),
	createRoute({
		getParentRoute: () => root,
		path: '/events',
		validateSearch: (raw: Raw): EventsSearch =>
			given({ person: text(raw, 'person'), type: text(raw, 'type'), bank: text(raw, 'bank'), subject: text(raw, 'subject'), at: whole(raw, 'at') }),
		component: Events,
	}),
] as const

export const router = createRouter({ routeTree: root.addChildren(routes), scrollRestoration: true, defaultPreload: false })

declare module '@tanstack/react-router' {
	interface Register {
		router: typeof router
	}
}

/** Who has no part in the work here has their own badges all the same. */
function Home() {
	return useMay('case.read') ? <OverviewRoom /> : <Own />
}

function NoPage() {
	return (
		<>
			<Title title={general.noPage} />
			<div className="card">
				<Empty title={general.notFound}>
					<Link to="/" className="btn small">
						{general.toOverview}
					</Link>
				</Empty>
			</div>
		</>
	)
}
