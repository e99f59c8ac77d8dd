import { QueryCache, QueryClient, QueryClientProvider, useQuery } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { useCallback, useEffect, useMemo, useState } from 'react'
import { Refusal, send } from './api.ts'
import { SeatContext } from './context.ts'
import { Live } from './live.ts'
import { Failed, Loading } from './parts.tsx'
import { mine } from './queries.ts'
import { SignIn } from './rooms/sign-in.tsx'
import { router } from './router.tsx'

const isSignedOut = (error: unknown) => error instanceof Refusal && error.status === 401

const client: QueryClient = new QueryClient({
	defaultOptions: {
		queries: {
			retry: (failures, error) => !(error instanceof Refusal && error.status >= 400 && error.status < 500) && failures < 2,
			staleTime: 5_000,
		},
		mutations: { retry: false },
	},
	// Whatever finds out that the session has ended: the address stays, so that signing in again leads back.
	queryCache: new QueryCache({ onError: (error, { queryKey }) => void (isSignedOut(error) && queryKey[0] !== 'me' && client.refetchQueries(mine)) }),
})
const live = new Live(client)

export function Console() {
	return (
		<QueryClientProvider client={client}>
			<Door />
		</QueryClientProvider>
	)
}

/** Who is not signed in sees the sign-in at the address that was asked for, and nothing else. */
function Door() {
	const { data: me, error, isFetching, refetch } = useQuery({ ...mine, staleTime: 60_000, refetchOnWindowFocus: true })
	const [ended, setEnded] = useState(false)
	const isOut = isSignedOut(error)
	const isIn = me !== undefined && !isOut
	const signOut = useCallback(async () => {
		await send('POST', '/v1/sign-outs', {}).catch(() => {})
		setEnded(false)
		client.clear()
		await client.fetchQuery(mine).catch(() => {})
	}, [])
	useEffect(() => {
		if (!isIn) return live.close()
		setEnded(true)
		live.open()
		return () => live.close()
	}, [isIn])
	const seat = useMemo(() => me && { me, live, signOut: () => void signOut() }, [me, signOut])

	if (seat && !isOut)
		return (
			<SeatContext value={seat}>
				<RouterProvider router={router} />
			</SeatContext>
		)
	if (isOut)
		return (
			<SignIn
				ended={ended}
				enter={async () => {
					// What somebody else saw is not shown to whoever comes next.
					client.removeQueries({ predicate: ({ queryKey }) => queryKey[0] !== 'me' })
					await refetch()
				}}
			/>
		)
	return <main className="alone">{error && !isFetching ? <Failed error={error} again={refetch} /> : <Loading />}</main>
}
