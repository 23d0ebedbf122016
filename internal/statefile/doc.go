// Package statefile keeps what a node must remember over a restart in one
// directory, and proves that an earlier run of the node has ended.
//
// # Promises
//
//   - A directory is open at most once, in one live process: [Open] takes an
//     exclusive lock, which the system releases when the process dies, however
//     it does, and not before all of its threads have.
//   - A run that [Dir.ProvenDead] names was recorded by [Dir.Begin] under that
//     lock, so whoever holds the lock now knows that it has ended.
//   - [Dir.Begin] and [Dir.Write] return when the data is durable. After a
//     crash, of the machine too, a file has its old content or its new one.
//   - The directory is made for its owner alone, and so is each file.
//   - A damaged file is an error that names it. Nothing is written over it.
//
// # What is not promised
//
//   - Proof needs flock(2) on a local file system: Linux, macOS and the BSDs.
//     On other systems nothing is locked, and on a network file system a lock
//     can be lost while its holder lives. There every run counts as alive, and
//     a restarted node waits as any other member does.
//   - A copy of a directory, or one whose lock file was replaced, is recognised
//     by the file's inode number and proves nothing. The image of a whole
//     machine is not recognised.
//   - There is no lock against programs that write the files without asking.
//
// # Use
//
//	dir, err := statefile.Open(path) // ErrLocked: another process has it
//	dead := dir.ProvenDead(run)      // run as found in the group's record
//	err = dir.Begin(newRun)          // before the new run is used anywhere
//	defer dir.Close()                // when nothing of the run goes on
//
// A [Dir] has one owner: its methods are not safe for concurrent use, but for
// PreviousRun and ProvenDead. [Read] is.
package statefile
