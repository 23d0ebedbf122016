// Package dnsstoretest holds what one needs to test a store, and to test with
// one: a suite that every [dnsstore.Store] must pass, and a store that fails
// as a network does.
//
// # The suite
//
//	func TestStore(t *testing.T) {
//		dnsstoretest.Run(t, func(tb testing.TB) dnsstore.Store { return open(tb) })
//	}
//
// [Run] checks the promises that package dnsstore makes, one subtest each. A
// failure names the rule that was violated. Run takes real time and starts
// subtests, so it cannot be called in a bubble of testing/synctest.
//
// The store must let the suite read and write every name of a zone, lab.test
// unless [InZone] says otherwise. The suite writes only names of its own, new
// ones in each run, and removes them at the end, so a store on a real server
// may be used, a slow one too.
//
// It does not check what cannot be seen from outside: that a change is durable
// when Apply returns, and that several processes with a store each are served
// by one arbiter.
//
// # Faults
//
// [NewFaulty] puts a layer over a store that can be cut off, delay, lose
// answers, and apply a change long after its caller has given up.
//
// The package imports testing, so it belongs into tests only.
package dnsstoretest
