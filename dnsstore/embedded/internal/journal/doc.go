// Package journal keeps a state in a directory, so that no acknowledged change
// is lost when the process is killed or the machine loses power.
//
// The file begins with a snapshot of the whole state; changes are appended to
// it. [Log.Append] returns nil only after the entry has reached the disk
// (fsync). [Log.Rewrite] starts a new file with a new snapshot: it is written
// beside the old one, synced, and put in its place by a rename, which is
// synced too. At every moment there is one complete file.
//
// Each entry has its length, its number, and a checksum. [Open] returns the
// entries of the file. An entry that was being written when the process or
// the machine stopped is cut off: it was never acknowledged. If entries follow
// the damaged one, this is not what happened; the file is corrupt and Open
// says so rather than dropping them. A damaged last entry cannot be told from
// one that was not finished, whatever one does.
//
// A lock on the directory keeps a second process, or a second Log in this one,
// from opening it. It ends with the process. Network file systems may not
// honour it.
//
// When a write fails, the file is cut back to where it was. When the cut or a
// sync fails, it is not known what is on the disk; from then on every Append
// is refused with [ErrBroken] until a Rewrite has succeeded.
//
// A Log is not safe for concurrent use.
package journal
