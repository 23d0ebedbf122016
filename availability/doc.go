// Package availability makes two or more copies of a program an availability
// group: one of them is Primary, and the group's DNS name has its address.
// When it dies another one takes the role and the name over.
//
// # What is not promised
//
// Read this first; it is what a program has to be written for.
//
//   - Between two Primaries there is a time without one: the failover period
//     after a crash, milliseconds in a planned failover.
//   - Clients that keep an address go on calling the old Primary for up to the
//     TTL. It has to say that it is not Primary.
//   - A check is true when it is made. A process that is stopped between its
//     check and its write can write later than it believes. Where that matters
//     give the term to whatever is written to, and let it refuse older ones
//     ([Group.Guard], [TermFromContext]); or ask once more
//     ([Group.VerifyPrimary]).
//   - The data of the program is not replicated.
//
// # What is promised
//
// No two nodes are Primary at one instant, provided that
//
//   - conditional writes go to one primary master, which applies each UPDATE
//     atomically and durably before it answers, and nobody but this package
//     deletes, restores or replaces the record of a running group (if it
//     happens, the promise does not hold until 2·W after the last node has seen
//     it);
//   - the rate of each clock is within 10 % of real time. Offsets do not
//     matter. A machine all of whose clocks stop and resume is outside: a
//     paused or restored virtual machine, or a suspended one whose wall clock
//     is set back meanwhile or less than W/10 before. For that there are terms
//     and VerifyPrimary;
//   - a node ID belongs to at most one live process at any instant. The lock of
//     the state directory sees to it on one machine; across machines nothing
//     can.
//
// Messages and processes may be delayed, lost, duplicated, stopped or restarted
// at will. There is no quorum, no third machine and no synchronised clock.
// While DNS is down the Primary goes on as long as all other members answer it;
// while the members cannot talk it goes on over DNS; cut off from both it stops
// before anybody else may start.
//
// # Use
//
//	g, err := availability.New(availability.Config{ … })
//	event.On(g, func(ctx context.Context, e event.RoleChange) { … })
//	go g.RunWhilePrimary(ctx, work)
//	err = g.Run(ctx) // blocks; hands the role over when ctx ends
//
// Handlers of requests ask [Group.IsPrimary] at each request; it never blocks.
// Package httptransport has the transport for heartbeats from node to node; it
// is mounted on the program's own HTTP server. Without one, heartbeats go
// through DNS alone, and a planned failover has no target.
//
// # Concurrency
//
// All methods may be called at any time by any number of goroutines. Run owns
// every goroutine of the group. Handlers, hooks and health checks run on their
// own: one that hangs delays nothing but itself, and what waits for it by
// design, such as a handover for OnDemote, waits a bounded time.
//
// # Timing
//
// Three intervals configure a group, from half a second to hours:
//
//	W  AllowedAbsenceInterval   60 s  after so long a silence another node takes over
//	R  HealthReportInterval     20 s  the Primary's heartbeats, over both channels
//	C  HealthCheckInterval      30 s  how often a Secondary reads the record in calm times
//
// What follows from W: the lease L = 0.75·W that a heartbeat gives, the stop
// budget δ = 0.075·W in which a Primary ends its work, the budget U = W/15 of
// one attempt to write, its read-back included. A crash costs at most W and
// three round trips to the DNS server, plus a share for the rank with more than
// two nodes. A shorter W needs a quick and steady server; a longer one waits
// longer for a node that is dead.
//
// Each candidate counts from the last heartbeat that it heard itself. So with
// three nodes or more the one of the highest priority is not always the one
// that takes over; FailbackAfter moves the role to it later.
//
// # Python parity
//
// Each name of BlueCat's availability_group.api, and what it is here. The
// example "Bluecat" is that of BlueCat's page on subscribe.
//
//	subscribe(event_id, callback)    Group.Subscribe(event.ID, event.Handler); event.On for one type
//	                                 (returns unsubscribe, which BlueCat has not)
//	EventId                          event.ID: event.IDs() are all of them
//	EventId.NODE_ROLE_CHANGED        event.NodeRoleChanged, "NODE_ROLE_CHANGED"
//	NodeRoleChanged                  event.RoleChange
//	NodeRoleChanged.previous         event.RoleChange.Previous; empty in the first event
//	NodeRoleChanged.new              event.RoleChange.New
//	get_node_state()                 Group.GetNodeState
//	NodeState                        NodeState
//	NodeState.node_role              NodeState.NodeRole
//	NodeState.node_dns_connection_state
//	                                 NodeState.NodeDNSConnectionState
//	NodeState.heartbeat_method       NodeState.HeartbeatMethod
//	NodeState.last_heartbeat_time    NodeState.LastHeartbeatTime
//	NodeState.last_updated           NodeState.LastUpdated
//	NodeRole.PRIMARY                 event.RolePrimary, "primary"
//	NodeRole.SECONDARY               event.RoleSecondary, "secondary"
//	NodeRole.NOT_IN_GROUP            event.RoleNotInGroup, "not_in_group"
//	HeartbeatMethod.DIRECT           event.HeartbeatDirect, "direct"
//	HeartbeatMethod.DNS              event.HeartbeatDNS, "dns"
//	connected                        event.DNSConnected
//	disconnected                     event.DNSDisconnected
//	not_applicable                   event.DNSNotApplicable
//
// BlueCat's HTTP API, /ag/api/v1/…, is package httpapi.
package availability
