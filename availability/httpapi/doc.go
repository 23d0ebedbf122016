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
//   - A stream of events does not end when the group does, but after a quarter
//     of an hour, when its client goes, or when the context of its request
//     ends. http.Server.Shutdown waits for it: let Server.BaseContext return a
//     context that the program ends before.
//   - A node that has not heard yet of a new Primary passes changes on to the
//     old one, and answers 503. Asking again helps.
//
// # What is promised
//
//   - No answer and no log line has a secret. The TSIG secret can be set, never
//     read.
//   - An answer to a change is sent when what was asked is true, or cannot
//     become so; if that takes too long it says that the end is not known.
//   - Whatever a client sends is limited in size and in time here, whatever the
//     limits of the host's server. Each answer says Cache-Control: no-store.
//   - Without Config.Authorize nothing but the role can be read, and nothing
//     can be changed.
//   - A browser cannot be made to change anything by another site
//     ([http.CrossOriginProtection]).
//
// # Use
//
//	api := httpapi.New(g, httpapi.Config{Authorize: who})
//	mux.Handle("/ag/", api)
//
// Any prefix will do: the handler looks at what follows "/api/v1/" alone.
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
// And for load balancers and Kubernetes, open to everybody, with GET, HEAD and
// OPTIONS, 200 for yes and 503 for no:
//
//	primary    is this node Primary now?
//	secondary  is it a member that is not?
//	livez      does the program answer? Always yes: no role is a reason to restart it
//	readyz     is it a healthy member of a group?
//
// Only the role is in their answers. Send users to a node by primary, never by
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
//	404  no such endpoint or member       500  the settings could not be saved
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
// # Concurrency
//
// The handler may be used by any number of goroutines. It starts none.
package httpapi
