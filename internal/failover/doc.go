// Package failover is the protocol of an availability group: the pure machine
// of one node, and the page that says what it does and why two nodes are never
// Primary at one instant.
//
// # Parts
//
// The record is one TXT resource record on one authoritative server, the
// primary master of its zone. It is the group: who is Primary, in which term,
// the members, the timings. Beside it stands the host record, the addresses of
// the Primary. Both change in one atomic conditional write.
//
// A node is one process run of a member: an ID, unique in the group, and a
// run, the random name of this incarnation. A node that belongs to no group is
// not_in_group, the others are Secondary, and one of them is Primary.
//
// A heartbeat goes from the Primary to every other member, directly, and as a
// renewal of the record through DNS. Members answer direct heartbeats with a
// promise; what others read of the record needs no answer.
//
// # Promises
//
// Under the assumptions below, whatever is lost, late, doubled, cut, stopped
// or restarted:
//
//   - At no instant of real time do two nodes hold authority.
//   - A term has one holder, and terms grow.
//   - Nobody takes over while an authority lives that rests on its promise.
//   - A Primary is told to stop δ before its authority ends, and whoever asks
//     it then hears that it is Secondary, even if the process was stopped for
//     an hour and has not noticed.
//   - When faults end there is a Primary within 2·W on the slowest clock and a
//     few attempts, unless every member is ineligible, cooling down or paused.
//   - What [Machine.Step] does depends on its arguments alone.
//
// # What is not promised
//
// Four assumptions carry the promises. Where one breaks, so do they.
//
//   - A1, one arbiter: conditional writes go to one primary master, which
//     applies each atomically and durably before it answers. Nobody but this
//     library deletes, restores or replaces the record of a running group; if
//     it happens, nothing is promised until 2·W after the last node has seen it.
//   - A2, clocks: each runs within 10 % of real time; offsets do not matter. A
//     machine all of whose clocks stop and go on is outside: a virtual machine
//     that was paused, or a suspended one whose wall clock is set back
//     meanwhile, or less than W/10 before (the host looks at the clocks four
//     times as often). For that there are terms.
//   - A3, none about the rest: messages and processes may be delayed, lost,
//     doubled, stopped or restarted at will.
//   - A4, one process for each ID at any instant: nobody asks a node to promise
//     to itself. A second run of an ID is noticed where it would take over
//     (rule 8), and not before.
//
// A forced failover is an operator's word that the Primary is dead. If it is
// wrong, there are two until the old one reads the record or lapses.
//
// # Times
//
// Three numbers configure a group: W, the allowed absence; R, the report
// interval; C, the check interval. The others follow from W (see [Timing]):
// the lease L = 0.75·W, the stop budget δ = 0.075·W, the budget U = W/15 of one
// attempt with its read-back, and the back-off b = W/60. With clocks that are
// off by ρ = 0.1 the Primary has stopped before anyone starts, since
// L/(1−ρ) + δ ≤ W/(1+ρ).
//
// There are two clocks (see [Clock]). Wait is monotonic and measures what
// others may do to us: a suspension only makes it late. Hold measures our own
// authority: it takes the larger of the monotonic and the wall difference, so
// that a suspension, or a wall clock that is set forward, ends authority early
// and never late. Neither goes backwards. No instant of another machine is
// ever compared with ours.
//
// # Rules
//
// Authority is an instant on the hold clock, until, not a flag. It is used up
// to stop, δ earlier. The code of each rule is named at its end.
//
//  1. CAS only. Every write is conditional on the RRset seen last and carries a
//     fresh nonce; a Primary's write carries the next sequence number. A number
//     serves one attempt, also when the attempt is refused and written again.
//     Code: write, renew, stillHeld.
//  2. From the send. An attempt is stamped before anything with its number
//     leaves, write or heartbeat. A confirmed renewal gives authority until its
//     stamp + L. So does the latest stamp since which every other member that
//     could be Primary has promised. A write of unknown end gives nothing until
//     a read shows its nonce. Code: write, beat, vote, tally, extend, confirmed.
//  3. Lapse. At stop the Primary stops, and has until then to have stopped.
//     Whoever loses the authority, by lapse or by dropping it, voids all that
//     was sent before: nothing of it ever gives authority again. A new one
//     begins with a confirmed write of a higher term. Code: lapse, wakeToStop,
//     drop, demote, win.
//  4. Promise. A member that is not Primary answers a heartbeat with "no
//     takeover of mine for W from now". Not with a claim of its own of unknown
//     end, not if the record it read last names itself, not to a lower term. One
//     that has read nothing yet promises as well, since it can take nothing. A
//     write is of unknown end until a read shows another record than the one it
//     was conditional on. Code: heartbeat, mayPromise, resolve.
//  5. Quiet. Each member keeps one instant on the wait clock: the latest of its
//     start, of first hearing or reading a number, of its last promise. What
//     changes the record but not its number does not move it. Code: learn, hear,
//     heartbeat.
//  6. Takeover. At quiet + W, and a share for each better candidate, an eligible
//     member writes a higher term for itself: confirmed, priority above 0,
//     healthy, not cooling down after a veto, the group not paused. Never on a
//     failed read. Code: mayTakeOver, takeoverAt, rank, eligible, claimAs,
//     promoteDone.
//  7. Unknown is not failed. After a write of unknown end, read before anything
//     else. A refused condition is read as well: a running Primary that the
//     record still names goes on from there, any other stops at once. A Primary
//     that runs writes over an older record; to all others that is news. Code:
//     unknown, readFirst, stillHeld, learn.
//  8. Reclaim. A run that the record names, or one that can prove that the named
//     run of its ID is dead, takes the record at once by a higher term, if
//     another node wrote it or no promise of this run is running. Without proof
//     it goes by rule 6, asks the members first, and stays back if one has
//     promised to another run of its ID. Code: mayClaim, named, ours, probed,
//     probeAnswered.
//  9. Handover. Ask the target, stop the work, drop the authority, write the
//     record that names the target, tell it; it takes the record by rule 8. If
//     the write fails the node is no Primary either, and returns by rule 8 only.
//     So a Primary does not begin while the server refuses its writes, nor,
//     unless it is unhealthy, while the store does not answer; one that stops
//     does. A target that left meanwhile is not named. A handover that is not
//     taken is for every eligible member after 2·U. A clean stop is a handover,
//     or with nobody to take over a release, which is for everybody at once.
//     Code: failover, barred, blind, pickTarget, pickAtOnce, unfit, yieldTo,
//     writeYield, awaitYield, targetGone, awaitTaker, stop, abandon.
//  10. Members. A node adds itself as joining; the Primary's next write confirms
//     it, and from the send of that write on its promise is needed, until a
//     record without it is confirmed. Who can never be Primary is not asked;
//     to become eligible is to join. A Secondary removes itself, the Primary
//     removes others, and hands over before it leaves. Dissolving is: stop,
//     drop the authority, write a tombstone. Code: join, voters, leave, refresh,
//     changeHere, next, writeYield.
//  11. The end. A tombstone ends the group for all who read it. So does an
//     absence that two reads a check interval apart confirm; after the first a
//     Primary counts no further promise. A group is created on request at once,
//     by configuration after W of seen absence, and never by a run that was in
//     one. A create of unknown end is void after L. Code: settle, sawAbsent,
//     tally, bootstrap, create, voidCreate, noteVoid.
//  12. Terms. A new term is the larger of all known ones + 1 and the seconds of
//     the wall clock, so that terms grow even across a deleted record. Code:
//     nextTerm.
//  13. Pause and force. A paused group has no rule 6 and all others. A forced
//     failover skips the waits of rule 6, not the condition of the write; it
//     needs a reason, and is refused while the Primary answers. It also serves a
//     joining member, a paused group and a name that nobody comes back to. Code:
//     mayTakeOver, force, askBeforeForce, primaryAnswered, giveWay.
//  14. New timings. The Primary writes them, if what comes of them is right: who
//     asks may not have read the last ones. From the send on its authority ends
//     by the smaller L, until a read resolves the write; a longer one begins
//     with the renewal after. A promise states its own length. Code: objection,
//     shortest, cut, confirmed, vote.
//
// Verbs that change the group are carried out by the Primary. Another node asks
// the one that the record names, reads once more if that one says that it is
// not, and asks the next. One that does not answer may have done it: then the
// record says, and nobody else is asked. What was asked of a node that hands
// over waits for the record that names the next Primary; what a peer has asked
// is not passed on; force waits for none of it. A verb ends when the node that
// was asked has seen what came of it. Code: asked, askPrimary, judge, awaitSeen.
//
// Rule 4 about writes of unknown end, and rule 8 about promises, are a second
// line behind rule 3: with it intact either may fail alone without harm.
//
// # Use
//
//	m := failover.New(config, clock.Read(now))
//	out := m.Step(clock.Read(now), failover.Tick{})
//	// publish m.View(), tell out.Events, start out.Effects; feed each answer
//	// and, when out.Wake has passed, a Tick into the next Step.
//
// [DescribeInput], [DescribeEffect], [DescribeEvent] and [DescribeState] write
// all of it as text, in the form of the scripts in testdata.
//
// # Concurrency
//
// A [Machine] has one owner, who makes one call at a time. It does no I/O,
// takes no lock, starts no goroutine and reads no clock.
//
// # Words
//
// One for each thing: record, host record, group, node, member, peer (another
// member, in the code that talks to it), run, Primary, Secondary, joining,
// eligible, term, number (of a write: term and sequence number), nonce, store,
// read, write, attempt, heartbeat, promise, vote (a promise that counts for
// us), renewal, authority, lease, stop, until, lapse, quiet, takeover, claim
// (a write that names its writer in a new term), reclaim, handover, yield (a
// write that names another, or nobody), release, tombstone, verb, task, veto.
package failover
