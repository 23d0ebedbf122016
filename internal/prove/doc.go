// Command prove runs everything that backs the promise of the library and
// writes what came of it as a table.
//
//	go run ./internal/prove                 # the fast set, ten minutes at most on two cores
//	go run ./internal/prove -nightly        # the large sets, hours
//	go run ./internal/prove -list           # the sections
//	go run ./internal/prove -only explorer,mutants
//	go run ./internal/prove -out FILE       # the table into a file as well
//
// Each section is a run of tests, which tell their figures by testing.T.Attr
// with keys that begin with "prove."; the mutants of internal/mutant; the fuzz
// targets of the module; or the claims of README.md, each with the tests that
// back it. While it runs there is one line for each section, and the output of
// each test that fails.
//
// # What is promised
//
//   - It exits with 0 only if every test of every chosen section passed, every
//     mutant is dead, and every claim has a test that passed.
//   - What was skipped, because it needs root or a name server that is not
//     installed, is said loudly and stands in the table as skipped. It does not
//     fail the run, and does not back a claim. A section in which nothing ran
//     at all, because there is no such test, has failed.
//   - It ends: the fast set is cut off after ten minutes, and what has not run
//     by then has failed. An interrupt ends it, with everything it started.
//
// # What is not promised
//
// It needs the go command, and builds from the folder of the module. It is a
// program of the project, for Linux and macOS; the sections that need network
// namespaces run on Linux as root.
package main
