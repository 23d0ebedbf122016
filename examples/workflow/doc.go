// Command workflow is a program with two handlers of which only the Primary of
// an availability group does the work, as a user of the library would write it:
//
//	POST /orders/ID     takes an order. A node that is not Primary sends the
//	                    client to the one that is.
//	POST /reminders/ID  sends a reminder. A node that is not Primary refuses: the
//	                    caller is a cron job that runs on every node.
//
// Both have one side effect: an entry in a ledger, which stands for a database.
//
// # Files
//
//	handlers.go  the work: read this one first
//	ledger.go    the side effect, and how an old term is refused
//	host.go      the group and the HTTP server, and the order in which they end
//	main.go      the configuration
//
// # Try it
//
// Set up BIND as the page of examples/node says, and write workflow.json:
//
//	{ "server": "127.0.0.1:5300", "bootstrap": "create", "node_id": "a", "ledger": "ledger.txt",
//	  "settings": { "group_fqdn": "svc.lab.test", "external_scheme": "http", "allowed_absence_interval": 5,
//	                "external_ipv4_address": "127.0.0.1", "external_port": 8081,
//	                "tsig_name": "ag-key", "tsig_secret": "…" } }
//
// The second node has "b", 127.0.0.2 and 8082 in a file of its own. Then:
//
//	go run github.com/availabilitygroup/ag/examples/workflow -config workflow.json
//	curl -L -X POST 127.0.0.2:8082/orders/1
//	curl -i -X POST 127.0.0.2:8082/reminders/1
//	curl -X PUT 127.0.0.2:8082/ag/api/v1/failover
//	curl -L -X POST 127.0.0.2:8082/orders/2
//	cat ledger.txt
//
// # What is promised
//
//   - No entry of a term is written by two nodes.
//   - A planned failover loses no order, and a stop by SIGTERM is one: see
//     package httpapi for what that rests on.
//   - With a ledger of http, no entry of an older term is written after one of
//     a newer term, whatever was stopped, slow or cut off.
//
// # What is not promised
//
//   - A crash loses what was under way. A client that hears nothing does not
//     know whether its order was taken: it asks the ledger, by the ID.
//   - A file does not compare terms. It is there to try things out.
//   - The control endpoints are for this machine alone, and the program speaks
//     http. Package examples/node has tokens and certificates.
package main
