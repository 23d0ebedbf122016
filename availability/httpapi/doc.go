// Package httpapi is the HTTP API of an availability group: an [http.Handler]
// that the host program mounts. It opens no port.
//
// # What is not promised
//
//   - The texts of messages may change. Programs decide by the status and by
//     "reason" in the details of an error.
//   - A change whose answer did not arrive may have been made, or may yet be:
//     read the state before asking again. Creating and joining a group are not
//     idempotent; each other change may be repeated.
//   - Who is Primary may have changed by the time that an answer arrives.
//   - The handler does not know who asks. Config.Authorize does.
//   - A stream of events ends when the group does, after a quarter of an hour,
//     when its client goes, or when the context of its request ends. A program
//     that goes on without its group, and shuts its server down first, has
//     http.Server.Shutdown wait for it: let Server.BaseContext return a context
//     that the program ends before.
//
// # What is promised
//
//   - No answer and no log line has a secret. The TSIG secret can be set, never
//     read.
//   - An answer to a change is sent when what was asked is true, or cannot
//     become so; if that takes too long it says that the end is not known.
//   - Whatever a client sends is limited in size and in time here, whatever the
//     limits of the host's server. Each answer says Cache-Control: no-store.
//   - Without Config.Authorize nothing of the group but the role and its term
//     can be read, and nothing can be changed.
//   - A browser cannot be made to change anything by another site
//     ([http.CrossOriginProtection]).
//
// # Use
//
//	api := httpapi.New(g, httpapi.Config{Authorize: who})
//	mux.Handle("/ag/", api)
//
// Any prefix will do: the handler looks at what follows "/api/v1/" alone, and
// at the last element of any other path.
//
// # The status page
//
// /ag/ is a page for whoever is called at night: who is Primary and since when,
// what is wrong and in whose words, the members, the last events, the settings.
// It needs ScopeRead, and changes nothing. It works without JavaScript, and
// with it follows the events without being loaded again. It asks no other host
// for anything. Its style sheet and script hold nothing of the group, and are
// open to everybody.
//
// A browser cannot show a bearer token by itself: let Authorize take the cookie
// of the program's login, or Basic authentication, as well.
//
// # Endpoints
//
// All paths begin with /ag/api/v1/. Those of BlueCat Gateway's Availability
// groups are marked with *: they have its paths, its keys and its form of
// errors.
//
//	GET    state *           the state of this node
//	GET    group *           settings, members and state
//	GET    configuration     settings
//	GET    history           the last 256 events, the newest last
//	GET    stats             counters and gauges
//	GET    metrics           the same for Prometheus
//	GET    events            events as they happen (server-sent events)
//	GET    preflight         would a failover work now?
//	GET    openapi.json      all of this, for programs (OpenAPI 3.1)
//	POST   group *           create a group, with this node as Primary; ?adopt=1
//	PUT    group *           change the settings of the group
//	DELETE group             dissolve the group
//	PUT    group/members *   join a group as Secondary
//	DELETE group/members     leave it; ?id=… removes a lost member
//	PUT    configuration *   save settings of a node that is in no group
//	PUT    failover *        move the role: {"to": …} or {"force": true, "reason": …}
//	PUT    group/pause       no takeover of its own accord: {"reason": …}
//	DELETE group/pause       end that
//
// openapi.json holds nothing of the group and is open to everybody. The tests
// compare it with every answer.
//
// And for load balancers and Kubernetes, open to everybody, with GET, HEAD and
// OPTIONS, 200 for yes and 503 for no:
//
//	primary    is this node Primary now?
//	secondary  is it a member that is not?
//	livez      does the program answer? Always yes: no role is a reason to restart it
//	readyz     is it a healthy member of a group?
//
// Their answers have the role, the term in the field Ag-Term, and nothing else.
// Send users to a node by primary, never by
// readyz: a Secondary is ready too.
//
// # Requests
//
// A body is a JSON object of at most 16 KiB. Without Content-Type:
// application/json it is ignored, as by BlueCat; a charset may follow. Keys are
// compared exactly; one that is unknown or there twice is refused. Of settings
// only those change that are present. A null, and an empty tsig_secret, leave
// the setting as it is, so that what was read can be sent back. Creating,
// reconfiguring and saving need at least one setting. Those sent with the
// request to create or to join are saved first, and stay saved if it fails.
// Before a group can be created, what is saved and what has a default must be
// all of it. A node that joins takes the intervals and the TTL of the group;
// its TSIG key is not sent to it but saved on it before, with PUT
// configuration.
//
// Parameters in the query of a change that it does not know are refused: one
// misspelt could mean another node.
//
// # Errors
//
//	{"code":"Conflict","details":{"log_context":"user","reason":"in_group"},"message":"…","status":409}
//
// The code is the name of the status, log_context is the user that Authorize
// returned, reason is a word for programs. For wrong settings details.fields
// names every mistake.
//
//	400  wrong input                      409  the node is in the wrong state for it
//	401  nobody was authenticated         412  no member can take over; or the Primary is alive
//	403  not allowed; or from another site  413  the body is too large
//	404  no such endpoint or member       500  not saved; or see the log of the node
//	405  no such method; see Allow        503  DNS or the Primary did not answer in time; or not running
//
// # Events
//
// GET events sends each event with its ID as the event's name, its JSON as
// data and <run>-<seq> as the id of the stream. A client that comes back with
// Last-Event-ID gets what it missed, as far as the history goes back; a
// comment says if there is a gap. Other clients hear the present role first,
// with an empty "previous". A client that is too slow loses events that are no
// changes of the role; the numbers show it.
//
// # Preflight
//
// GET preflight has the group rehearse a failover: it asks DNS and all members.
// What there is of a group it leaves as it is. Where there is none, it writes a
// TXT record and, if there is no address, A 192.0.2.1 at the group's name, and
// removes both at once; a group that another node creates there at that moment
// may be refused (host_record_exists). The status is 200 whenever there is a
// report, whether all is well or not: "ok" tells that, so that a dashboard can
// show the checks of a group in need. There is one rehearsal at a time, of 30 s
// at most; whoever asks meanwhile is told what that one finds. Since it costs
// traffic, another site cannot have a browser ask for it.
//
// # Primary only
//
// [PrimaryOnly] is around the program's own handler, and serves by it on the
// Primary alone. All nodes of a group should have the same choice.
//
//	mux.Handle("/", httpapi.PrimaryOnly(g, app, httpapi.PrimaryOnlyConfig{}))
//
// Elsewhere a request is redirected with 307 to the Primary's own address
// (ElsewhereRedirect), forwarded to it (ElsewhereForward), or refused with 503
// (ElsewhereRefuse). An address of https is seldom in a certificate: give
// members names by BaseURL, or forward. Scheme, host and port of where a
// request goes are never the client's; path and query are as they came, also
// where a prefix was stripped.
//
// It promises:
//
//   - A request is served under a tenure, whose term is in its context and in
//     the field Ag-Term of the answer, or not at all. The context ends with the
//     tenure. A handler that asks [availability.Group.Guard] before each thing
//     that it does serves nothing that another node serves in the same term.
//   - A planned failover waits for the requests under way, at most the stop
//     budget. What a handler still answers by then is passed on as it is; what
//     it has not begun it can pass on with [PassOn].
//   - Meanwhile others are held: until this node is Primary, or until it is
//     known who is and that one knows it too. So none is lost, where requests
//     are redirected or forwarded, nodes reach each other over their transport,
//     and servers stay up until the failover is over, and for the TTL after it.
//   - Requests are held for a bounded time, in a bounded number, and not for
//     longer than their clients wait; then 503. Attempts in between are counted
//     in; the last may end later. A client of HTTP/1 whose request has a body of
//     more than 64 KiB, or of unknown length, is not seen to go.
//   - A request with Ag-Term, the highest term that its client has seen, is not
//     served by a node that knows of none so high: 503, and 400 if it is no
//     number. Half of the places of held requests are for others, and one that
//     is ahead of the Unix time, and of the node, by an hour is not held. The
//     Primary then looks at the record, one look at a time and with
//     pauses, and logs what it finds; its role does not depend on clients.
//   - A request is sent to the Primary again only if none of it can have been
//     sent, or if the node said that it is not Primary, or once if it is
//     idempotent by its method (RFC 9110 §9.2.2) or has an Idempotency-Key, and
//     while no more than 64 KiB of its body were read, and none is waited for.
//     Otherwise 502 says that its end is not known, or 503 with body_gone that
//     nobody has served it.
//   - A body of more, or of unknown length, is not read before the handler at
//     the Primary reads it (Expect: 100-continue, RFC 9110 §10.1.1), so that a
//     refusal comes first.
//   - An idempotent request that has no answer yet when another node becomes
//     Primary is given up, and sent there by the same rule.
//   - A request that was forwarded goes no further: the node that gets it serves
//     it, or refuses.
//   - A node that is not Primary closes connections after its answer, so that
//     clients look the name up again: Connection: close, and GOAWAY in HTTP/2.
//     Only what was under way when it lost the role leaves that to the next.
//
// It does not promise:
//
//   - that a Secondary allowed to serve what is safe (SafeMethods) knows the
//     latest. Its answers say Ag-Role: secondary;
//   - that a body of more than 64 KiB, or of unknown length, is forwarded again
//     if it was read although the node refused (503 body_gone): by a proxy
//     between the nodes that answers 100 itself, by a Transport that does not
//     wait for it, or after 30 s in which the node said nothing; nor a shorter
//     one of which the client still owes a part when the node refuses;
//   - that a handler which begins its answer before it reads such a body gets
//     the rest of it over HTTP/1.1, unless Transport does not wait;
//   - that clients follow a 307 with a body: a large one needs Expect:
//     100-continue. Browsers follow none for a WebSocket; forward those;
//   - that a forwarded request which is not idempotent ends before its client
//     gives up, if the Primary was stopped or its machine died meanwhile;
//   - that a Primary is known in the failover period after a crash;
//   - that two groups work on one request: Ag-Term is of one.
//
// Forwarded requests have the client's Host, X-Forwarded-For, -Host and -Proto
// as this node sees the client, whatever the client says, and Ag-Forwarded-By.
// Bodies are streamed both ways; changes of the protocol (WebSocket) pass.
//
// Its own answers are problems of RFC 9457, with "reason" for programs, "node"
// and "primary". 503 has Retry-After, W/12.
//
//	400 bad_term       the field Ag-Term is no number, or there twice
//	502 unknown_end    forwarded, and no answer came; it may have been served
//	502 answer         the Primary's answer could not be passed on
//	503 not_primary    refused by choice, look the name up again
//	503 no_primary     nobody was known to be Primary in time
//	503 newer_term     the client knows of a newer term than this node
//	503 unreachable    the Primary could not be reached in time
//	503 forwarded      forwarded to a node that is not Primary
//	503 body_gone      served by nobody, but too much of its body was read
//	503 too_many       too many requests are held
//	503 not_in_group   the node is in no group, and knows of none
//	503 no_address     the Primary's address cannot be used
//	503 no_path        the request is for no path, so it cannot be sent on
//
// # Concurrency
//
// The handler may be used by any number of goroutines. It starts none.
package httpapi
