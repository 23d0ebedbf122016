// Package record is the text of a group's TXT record, both ways, and the
// derivation of the peers' key from the TSIG secret.
//
// # The text
//
// A group is one TXT resource record of several strings, each key=value:
//
//	"ag=1" "group=7f3c41d2" "term=1795290771" "seq=1042" "nonce=9b1e22aa0c5f7d31" "primary=gw-a"
//	"run=51aa09c2" "by=gw-a" "at=2026-11-21t20:12:50z" "w=60s" "r=20s" "c=30s" "ttl=30s"
//	"m=gw-a,https,443,100,192.0.2.10,2001:db8::10" "m=gw-b,https,443,100,192.0.2.11,,joining"
//
// The first string is the version. What is empty is written "-", or as nothing
// between the commas of a member. A duration is a whole number of seconds with
// "s", or of milliseconds with "ms" if it is not whole seconds. The strings
// "paused=1" and "dissolved=1" are there only if they are true.
//
// # Promises
//
//   - There is one text for each record: what [Record.Strings] writes,
//     [Parse] reads back as the same record, and the text of what Parse has
//     read is that text again, but for the order of strings and of members,
//     which Strings makes its own.
//   - What a later version adds is carried along: strings with unknown keys,
//     in their order, and further fields of a member.
//   - Only a-z 0-9 . : - _ = , are written: some servers compare TXT without
//     case, and tools differ in what they escape (RFC 1035 §5.1).
//   - No input makes a function of this package panic.
//
// # What is not promised
//
// A record that parses makes sense as text only. Whether its Primary is among
// its members, or its times fit together, is for the caller to judge. Two
// records at one name are for the caller too; [Ours] tells which are of this
// kind.
//
// All functions are safe for concurrent use; a [Record] is a plain value.
package record
