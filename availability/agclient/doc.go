// Package agclient is for Go clients of an availability group: an
// [http.RoundTripper] and a dial function that find the Primary ahead of the
// TTL of the group's name.
//
// # What is not promised
//
//   - Between two Primaries there is a time without one. Requests fail then,
//     as they do without this package.
//   - A request is sent again only if that does no harm: see Retries. Programs
//     must go on handling errors.
//   - A request that waits for the answer of a machine which has vanished waits
//     until its context ends, unless another request finds the next Primary and
//     it may be sent again. Give requests deadlines.
//   - Connections that DialContext has made belong to the caller, who also
//     limits their age (sql.DB.SetConnMaxLifetime).
//   - Behind a proxy (Base.Proxy) the proxy chooses the address.
//   - Terms only grow. An answer with an Ag-Term that no node has reached makes
//     nodes refuse until one has, or until there is a new Client.
//   - A node that is Primary in error refuses a request only if its program
//     uses the middleware of package httpapi, or looks at Ag-Term itself.
//
// # What is promised
//
//   - Where nothing is known, or what is known does not work, the name is
//     resolved and dialed as Base does it. A look-up is bounded, and one that
//     found nothing is not repeated at once.
//   - Only requests to the group's name are treated, on any port. All others go
//     to Base as they are, and nothing is learnt from them.
//   - A request keeps its URL: the Host header and the name in the server's
//     certificate are those of the group, whatever the address is.
//   - No request is sent more than twice, but for what http.Transport itself
//     repeats, and none twice whose body cannot be had again.
//   - Base is not changed. No goroutine of this package outlives the call that
//     it is for.
//
// # Where the Primary is sought
//
// At the first request, when what was found is too old, and when there is
// reason to doubt it. All callers share one look-up, which ends after
// LookupTimeout:
//
//  1. The record in DNS, read through Store at the primary master: it names the
//     Primary, the term and the members. If the record is of an unknown
//     version, or is somewhere else, then the addresses at the name.
//  2. Where there is no Store, where it does not answer or names nobody, and
//     after a failure, all members are asked for their role at once: those of
//     the record, those of Members, and the one that a redirect named. Who
//     says "primary" is believed, the highest term first; who says so in a term
//     that is known to be over is not. The record's Primary is then believed
//     unless it denies the role, or is the one that failed.
//
// What was found is used for Trust, at most for the TTL of the group, and then
// sought again by the next request. After a look-up in vain the next one waits:
// 50 ms, 100 ms, up to 1 s; up to Trust if nobody answered at all.
//
// # Terms
//
// The client remembers the highest term that it has seen, in the record or in
// an Ag-Term header of an answer, and sends it as Ag-Term with each request to
// the group, unless the request has such a header. A node that knows only an
// older term, and therefore may take itself for Primary in error, refuses.
//
// # Retries
//
// A request is sent once more, at most, and to another address or to a node
// that has just said that it is Primary:
//
//   - any request, if no connection came about: nothing was sent;
//   - any request, if the node refused it as not being Primary: status 307 or
//     503 with Ag-Role "secondary" or "not_in_group", or status 503 with an
//     older Ag-Term than the request's. These say that it was not served. The
//     client waits up to Patience for a Primary then, so that a planned
//     failover goes unnoticed. If there is none the answer is returned, and
//     http.Client follows the redirect;
//   - one that is idempotent, if the connection broke before the answer, or a
//     newer term began elsewhere: GET, HEAD, OPTIONS, TRACE, PUT and DELETE
//     (RFC 9110 §9.2.2), and those with an Idempotency-Key or
//     X-Idempotency-Key header, as in package net/http.
//
// All of them only if there is no body or [http.Request.GetBody] is set, and
// as long as the context lives.
//
// # Connections
//
// Each address has connections of its own. When the Primary moves, and when
// they are older than MaxConnAge, they serve the requests that they have and
// are closed. So no pooled connection leads to an old Primary for longer than
// the TTL, also where nothing is known but the name.
//
// # Use
//
//	c, err := agclient.New(agclient.Config{
//		FQDN:    "app.example.net",
//		Members: []string{"https://192.0.2.10", "https://192.0.2.11"},
//	})
//	client := &http.Client{Transport: c, Timeout: 10 * time.Second}
//	response, err := client.Get("https://app.example.net/orders")
//
// A program that may read the zone at its primary master sets Store too, such
// as one of package rfc2136; reading needs no key on most servers.
//
// # Concurrency
//
// A [Client] may be used by any number of goroutines. There is nothing to
// close but idle connections.
package agclient
