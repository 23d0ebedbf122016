package availability_test

// simReach is something that simulations come across, as they count it and in
// words.
type simReach struct{ key, words string }

// simMustReach is what simulations that are worth their time come across.
func simMustReach() []simReach {
	return []simReach{
		// what became of the role
		{"primary by created", "groups created"},
		{"primary by primary_lost", "takeovers"},
		{"primary by handover", "handovers"},
		{"primary by reclaimed", "reclaims"},
		{"primary by released", "releases taken"},
		{"primary by forced", "forced failovers"},
		{"secondary by lease_lost", "lapses"},
		{"secondary by superseded", "Primaries superseded"},
		{"secondary by failback", "failbacks"},
		{"secondary by unhealthy", "unhealthy Primaries"},
		{"secondary by shutdown", "shutdowns of a Primary"},
		{"secondary by started", "members that came back"},
		{"vetoes", "vetoes"},
		{"not_in_group by removed", "members that found themselves removed"},
		{"not_in_group by removed_from_dns", "members that found the record deleted"},
		{"not_in_group by dissolved", "members that found the group dissolved"},
		{"promises given", "promises given"},
		{"promises refused", "promises refused"},
		// the store
		{"late updates", "late updates applied"},
		{"answers lost", "answers lost after the update was applied"},
		{"requests lost", "updates lost"},
		{"updates refused", "updates refused"},
		{"updates doubled", "updates doubled"},
		{"outages of the store", "outages of the store"},
		{"records deleted", "deletions by hand"},
		{"records restored", "older records restored by hand"},
		{"records changed by hand", "records changed by hand in all"},
		{"host records changed by hand", "host records changed by hand"},
		{"host record repairs", "host records repaired"},
		// the network
		{"links cut one way", "links cut one way"},
		{"links cut both ways", "links cut both ways"},
		{"nodes cut off", "nodes cut off from everything"},
		{"nodes cut off from the store and a member", "nodes cut off from the store and a member"},
		{"messages lost", "messages lost"},
		{"messages doubled", "messages doubled"},
		// processes, machines and hosts
		{"crashes", "crashes"},
		{"restarts with a state directory", "restarts at once with a state directory"},
		{"restarts without a state directory", "restarts at once without one"},
		{"shutdowns", "clean shutdowns"},
		{"ends in time", "ends of Run within their time"},
		{"processes stopped", "processes stopped"},
		{"suspensions", "suspensions"},
		{"clock steps", "steps of a wall clock"},
		{"slow promotions", "slow promotions"},
		{"slow demotions", "slow demotions"},
		{"witness told", "calls of a witness"},
		{"late subscribers", "late subscribers"},
		// operators
		{"create done", "creates"},
		{"join done", "joins"},
		{"leave done", "leaves"},
		{"remove done", "removes"},
		{"dissolve done", "dissolves"},
		{"pause done", "pauses"},
		{"resume done", "resumes"},
		{"configure done", "new timings"},
		{"preconfigure done", "preconfigurations"},
		{"failover done", "failovers asked for and done"},
		{"failover refused", "failovers asked for and refused"},
		{"force done", "forced failovers asked for and done"},
		// the simulation itself
		{"recoveries", "recoveries within the bound"},
		{"operator", "recoveries that only an operator can bring"},
		{"instants claimed", "instants at which one Primary is claimed"},
		{"instants not claimed", "instants at which it is not"},
	}
}
