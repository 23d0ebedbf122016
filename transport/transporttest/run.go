package transporttest

import (
	"bytes"
	"testing"

	"github.com/availabilitygroup/ag/transport"
)

// Group is the group of the messages that the suite sends.
const Group = "group.example"

// Node is a node of a network: what it sends and serves with, and where the
// other reaches it.
type Node struct {
	// Transport is the node's own.
	Transport transport.Transport
	// Peer is the node as the other one addresses it.
	Peer transport.Peer
}

// Network is two nodes that can reach each other.
type Network struct {
	// A and B differ in nothing but their names.
	A, B Node
	// Nowhere is a peer that nobody can reach.
	Nowhere transport.Peer
}

// Run runs the suite as subtests of t. It calls open for each of them. Before
// use it calls SetAddress of transports that are [transport.Addressed] and
// SetKeys, with the same key for both nodes, of those that are
// [transport.Keyed].
func Run(t *testing.T, open func(t testing.TB) Network) {
	t.Helper()
	for _, c := range cases() {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			n := open(t)
			prepare(t, n.A)
			prepare(t, n.B)
			c.run(t, n)
		})
	}
}

type testCase struct {
	name string
	run  func(*testing.T, Network)
}

func cases() []testCase {
	return []testCase{
		{"OneRequestOneAnswer", testOneRequestOneAnswer},
		{"BothWays", testBothWays},
		{"AnswerFilledIn", testAnswerFilledIn},
		{"AnswerToAnother", testAnswerToAnother},
		{"BodyRoundTrip", testBodyRoundTrip},
		{"BodyLimit", testBodyLimit},
		{"AnswerTooLarge", testAnswerTooLarge},
		{"CopiedBodies", testCopiedBodies},
		{"InvalidMessages", testInvalidMessages},
		{"HandlerError", testHandlerError},
		{"HandlerUnauthenticated", testHandlerUnauthenticated},
		{"HandlerPanic", testHandlerPanic},
		{"WrongNode", testWrongNode},
		{"WrongGroup", testWrongGroup},
		{"Nowhere", testNowhere},
		{"NotServing", testNotServing},
		{"Concurrent", testConcurrent},
		{"SenderEnds", testSenderEnds},
		{"SenderEndedBefore", testSenderEndedBefore},
		{"ReceiverEnds", testReceiverEnds},
		{"ServeAgain", testServeAgain},
		{"ServeTwice", testServeTwice},
		{"ServeNothing", testServeNothing},
	}
}

func prepare(t testing.TB, n Node) {
	t.Helper()
	if a, ok := n.Transport.(transport.Addressed); ok {
		if err := a.SetAddress(Group, n.Peer.ID); err != nil {
			t.Fatalf("SetAddress(%q, %q): %v", Group, n.Peer.ID, err)
		}
	}
	k, ok := n.Transport.(transport.Keyed)
	if !ok {
		return
	}
	key, err := transport.NewKey(bytes.Repeat([]byte("k"), transport.MinKey))
	if err != nil {
		t.Fatalf("NewKey: %v", err)
	}
	if err := k.SetKeys(key); err != nil {
		t.Fatalf("SetKeys: %v", err)
	}
}
