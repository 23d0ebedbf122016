// Command node is one node of an availability group as a program of its own:
// an HTTP server whose work only the Primary does, with endpoints to control
// the group. Deploy it as it is, or copy it and put your work into work.go.
//
// # Try it
//
// This needs BIND and nothing else, no root, and an empty directory:
//
//	go build -o agnode github.com/availabilitygroup/ag/examples/node
//	(umask 077; tsig-keygen -a hmac-sha256 ag-key > ag.key)
//	cat > named.conf <<'EOF'
//	include "ag.key";
//	options {
//	        directory "."; pid-file "named.pid"; session-keyfile "session.key";
//	        listen-on port 5300 { 127.0.0.1; }; listen-on-v6 { none; };
//	        recursion no; dnssec-validation no; notify no;
//	};
//	controls { };
//	zone "lab.test" {
//	        type primary; file "lab.test.zone";
//	        update-policy { grant ag-key name svc.lab.test. A AAAA TXT; };
//	};
//	EOF
//	cat > lab.test.zone <<'EOF'
//	$TTL 60
//	@    SOA ns1 hostmaster 1 300 60 3600 5
//	@    NS  ns1
//	ns1  A   127.0.0.1
//	EOF
//	cat > group.json <<'EOF'
//	{ "server": "127.0.0.1:5300", "tsig_key_file": "ag.key", "bootstrap": "create",
//	  "settings": { "group_fqdn": "svc.lab.test", "external_scheme": "http",
//	                "allowed_absence_interval": 5 } }
//	EOF
//	named -c named.conf
//
// In a first terminal, one node; it creates the group within a few seconds:
//
//	./agnode -config group.json -node_id a -state_dir state-a -external_ipv4_address 127.0.0.1 -external_port 8081
//
// In a second one, the other node, which joins it:
//
//	./agnode -config group.json -node_id b -state_dir state-b -external_ipv4_address 127.0.0.2 -external_port 8082
//
// And in a third:
//
//	curl 127.0.0.1:8081/ag/api/v1/state
//	dig @127.0.0.1 -p 5300 svc.lab.test A +short
//	dig @127.0.0.1 -p 5300 svc.lab.test TXT +short
//	curl -X PUT 127.0.0.2:8082/ag/api/v1/failover
//	curl -L 127.0.0.1:8081/work
//
// A browser on this machine shows http://127.0.0.1:8081/ag/.
//
// Then end a node with Ctrl-C, which hands over at once, or with kill -9, and
// look again. In the end:
//
//	kill $(cat named.pid)
//
// A system other than Linux has no address 127.0.0.2 until it is told to
// (macOS: sudo ifconfig lo0 alias 127.0.0.2). Where AppArmor confines named
// (Ubuntu) put the files below /var/lib/bind, or run a copy of named.
//
// # What it answers
//
//	/work          the work, on the Primary; what becomes of a request elsewhere
//	               is set by "elsewhere": redirect, forward or refuse
//	/ag/           the status page
//	/ag/api/v1/…   the HTTP API, as package httpapi describes it:
//
//	GET    state                        what this node knows of itself
//	GET    group, stats, history        settings and members, counters, events
//	GET    preflight                    would a failover work now?
//	GET    events                       what happens, as a stream
//	GET    metrics                      for Prometheus
//	GET    primary, livez, readyz       for load balancers and the like
//	POST   group                        creates the group; ?adopt=1 takes over a name that has addresses
//	PUT    group/members                joins it
//	DELETE group/members                leaves it; ?id=ID removes a lost member
//	DELETE group                        ends the group
//	PUT    failover                     hands over, or takes over; {"to":ID}; {"force":true,"reason":…}
//	PUT    group/pause                  no automatic takeover; DELETE: and again
//
// # Who may control it
//
// The API can end the group. So without a token_file all of it but the roles,
// for load balancers, answers only to requests from this machine, sent straight
// to a loopback address, and not to a browser that shows another site; a
// request that has come through a proxy is refused, for the proxy's address
// says nothing. With a token_file it wants "Authorization: Bearer TOKEN" from
// everybody, this machine included. Without https the token can be read on the
// way. The other nodes' own path takes messages that are signed with a key made
// from the TSIG secret, nothing else.
//
// The TSIG secret is read from tsig_key_file or from tsig_secret in the file,
// never from flags or the environment, and is never shown or logged.
//
// # In production
//
// Give it https: tls_cert and tls_key for the name of the group (nodes check
// each other for that name), tls_ca for authorities of your own, tls_mutual if
// nodes shall show each other certificates too. Give it a state_dir on a local
// disk: after a crash, and with nobody in its place yet, the node takes its
// role again at once instead of after the failover period. Give the process
// manager a stop timeout of at least a quarter of allowed_absence_interval and
// one second: SIGTERM hands the role over and exits with 0. Status 1 is a
// failure, 2 a configuration that can never work.
//
// Every event is a line of the log.
package main
