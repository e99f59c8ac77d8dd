import type { Caller, Permission, Place } from '@latchwork/core/access'
import type { Id } from '@latchwork/core/base'
import type { z } from 'zod'
import type { Db, Tx } from '../store/index.ts'
import type { Answer } from './answer.ts'

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'
/** What a caller needs. `public`: nobody is asked who they are; `signed-in`: anybody who is known, for what is their own. */
export type Need = Permission | 'public' | 'signed-in'

type Schema = z.ZodType
/** A status and the shape of its body; `undefined` for one without. Problem documents are added to all. */
export type Answers = Readonly<Record<number, Schema | undefined>>

/** What every handler gets. */
export interface Asked<P, Q, B> {
	readonly params: P
	readonly query: Q
	readonly body: B
	/** Milliseconds since 1970. */
	readonly now: number
	/** Where the request comes from, for limits and the record of sign-ins; never stored in the ledger. */
	readonly address: string
	readonly headers: Readonly<Record<string, string | string[] | undefined>>
	/** Aborted when the other side is gone or the server stops. */
	readonly signal: AbortSignal
}
/** Of a caller who is known. `read` and `write` work in the one transaction of the request: all of it is committed when the handler returns, or nothing. */
export interface AskedByCaller<P, Q, B> extends Asked<P, Q, B> {
	readonly caller: Caller
	readonly tenant: Id<'tenant'>
	read<T>(work: (db: Db) => Promise<T>): Promise<T>
}
export interface AskedToWrite<P, Q, B> extends AskedByCaller<P, Q, B> {
	write<T>(work: (tx: Tx) => Promise<T>): Promise<T>
}
/** Of a change to something that is there: `ifMatch` is the version which the caller saw. */
export interface AskedToChange<P, Q, B> extends AskedToWrite<P, Q, B> {
	readonly ifMatch: number
}

/** What a route does before its transaction: nothing in the database stands still for it meanwhile. */
type AskedBefore<P, Q, B> = Omit<AskedByCaller<P, Q, B>, 'read'>

type Request<M extends Method, N extends Need, P, Q, B, V extends boolean> = N extends 'public'
	? Asked<P, Q, B>
	: M extends 'GET'
		? AskedByCaller<P, Q, B>
		: M extends 'PATCH' | 'DELETE'
			? V extends false
				? AskedToWrite<P, Q, B>
				: AskedToChange<P, Q, B>
			: AskedToWrite<P, Q, B>

type Out<S> = S extends Schema ? z.output<S> : undefined
// biome-ignore lint/suspicious/noConfusingVoidType: it is what a handler returns; one that answers without a body just ends.
type In<S> = S extends Schema ? z.input<S> : void

export interface RouteSpec<
	M extends Method,
	N extends Need,
	P extends Schema | undefined,
	Q extends Schema | undefined,
	B extends Schema | undefined,
	A extends Answers,
	V extends boolean,
	W,
> {
	readonly method: M
	/** `/v1/sites/{site}`. */
	readonly path: `/${string}`
	readonly tag: string
	/** One sentence for the API's page. */
	readonly summary: string
	readonly permission: N
	/**
	 * Where the permission must be held. Left out: at the whole organisation. `anywhere`: somewhere, and the handler narrows what it answers by
	 * `scopesOf(caller, …)`. A function says which place the request is about; undefined: there is no such thing, as for one of another tenant.
	 */
	readonly scope?: 'anywhere' | ((asked: { params: Out<P>; query: Out<Q>; body: Out<B> }, db: Db) => Promise<Place | 'anywhere' | undefined>)
	readonly params?: P
	readonly query?: Q
	readonly body?: B
	readonly answers: A
	/** False: what it changes has no version, so `If-Match` is not asked for on PATCH and DELETE. */
	readonly versioned?: V
	/** What is answered instead of JSON. */
	readonly produces?: string
	/** Largest body in bytes, where 64 KiB do not fit. */
	readonly bodyLimit?: number
	/**
	 * For a change, what takes its time and needs no transaction, as work on passwords does: done once the caller is known and permitted, outside the
	 * transaction of the request, in which the permission is looked at again. What it answers comes to the handler as `prepared`.
	 */
	readonly prepare?: (asked: AskedBefore<Out<P>, Out<Q>, Out<B>>) => Promise<W>
	readonly handle: (request: Request<M, N, Out<P>, Out<Q>, Out<B>, V> & { readonly prepared: W }) => Promise<In<A[keyof A]> | Answer>
}

/** A route as the server mounts it. Only `route()` makes one. */
export interface Route {
	readonly method: Method
	readonly path: `/${string}`
	readonly tag: string
	readonly summary: string
	readonly permission: Need
	readonly scope?: 'anywhere' | ((asked: { params: never; query: never; body: never }, db: Db) => Promise<Place | 'anywhere' | undefined>)
	readonly params?: Schema | undefined
	readonly query?: Schema | undefined
	readonly body?: Schema | undefined
	readonly answers: Answers
	readonly versioned?: boolean
	readonly produces?: string
	readonly bodyLimit?: number
	readonly prepare?: (asked: never) => Promise<unknown>
	readonly handle: (request: never) => Promise<unknown>
}

/** One entry of the API. A route that does not say which permission it needs does not compile, and the server does not start with it. */
export function route<
	M extends Method,
	N extends Need,
	A extends Answers,
	P extends Schema | undefined = undefined,
	Q extends Schema | undefined = undefined,
	B extends Schema | undefined = undefined,
	V extends boolean = true,
	W = undefined,
>(spec: RouteSpec<M, N, P, Q, B, A, V, W>): Route {
	return spec as unknown as Route
}
