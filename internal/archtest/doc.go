// Package archtest holds the rules of the architecture, as tests.
//
// It reads the source of the root module and checks what a compiler does not:
// which package may import which, how long files and functions may be, that
// nothing is global, that everything exported has a comment and every
// constructor an example, which modules are required, and what stands in the
// root of the repository. A rule that fails says why it exists.
//
// # Promises
//
//   - Every rule on a single file is tested against a piece of source that
//     breaks it and one that does not, so no rule is kept by chance.
//   - The tests read files and ask the go command. They change nothing and
//     need no network.
//
// # What is not promised
//
// Rules that need types, such as the use of clocks and contexts or how errors
// are compared, are those of .golangci.yml. The source of nested modules is
// not checked: they hold what is too heavy for the root module.
//
// # Use
//
//	go test ./internal/archtest
//
// To change a rule, change the table that states it, together with its reason.
package archtest
