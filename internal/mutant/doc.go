// Package mutant breaks the protocol on purpose, one rule, one comparison, one
// clock at a time, and sees to it that a test of that very thing fails.
//
// # The table
//
// The files of the folder table list the mutants. Each entry names the rule of
// package failover that it breaks, the place in the shipped source, what stands
// there in its stead, and its killer: the one test that has to fail. See
// [Table] for the form.
//
// # How it works
//
// The shipped code has no switch. [Overlay] writes copies of the sources in
// which each mutated place asks at run time which of the two is meant, and
// hands them to the compiler by its overlay: one test binary of each package
// is built and then run once for each mutant, with its killer and nothing else.
// A number in the environment selects the mutant, 0 is the machine as it is.
//
// # What is promised
//
//   - A mutant is killed only by its own killer, which passes on the machine as
//     it is, in the same binary.
//   - An entry whose place is not found exactly once, that does not compile, or
//     whose killer does not run, is an error, never a mutant that is dead.
//   - A second line of defence is shown to be one: its killer passes with the
//     first line off, and with the second line off, and fails with both off.
//   - A mutant that nothing could notice is listed as equivalent, with the
//     reason, and is not counted.
//
// # What is not promised
//
// That the table is complete. A fault that nobody thought of is for the
// explorer, the simulators and the fuzzer to find.
package mutant
