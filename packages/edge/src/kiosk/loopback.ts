/** A request that a server on loopback does not answer, and why. */
export interface Stranger {
	readonly status: 421 | 403
	readonly detail: string
}

/**
 * Keeps web pages of other origins away from a server on loopback. A page that rebinds its own name to 127.0.0.1 still says that
 * name in `Host` (421); a page that posts across origins says its own in `Origin` (403). Programs that send no `Origin` are let
 * through: whoever runs one on this machine needs no browser for what it does.
 */
export function strangerOnLoopback(
	method: string,
	headers: { readonly host?: string | undefined; readonly origin?: string | undefined },
): Stranger | undefined {
	const { host = '', origin } = headers
	if (!/^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/.test(host)) return { status: 421, detail: 'This address answers on this machine itself only.' }
	if (method !== 'GET' && origin !== undefined && origin !== `http://${host}`)
		return { status: 403, detail: 'Acts come from the page of this address only.' }
	return undefined
}
