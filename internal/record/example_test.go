package record_test

import (
	"fmt"

	"github.com/availabilitygroup/ag/dnsstore"
	"github.com/availabilitygroup/ag/internal/record"
)

func ExampleParse() {
	strs, err := dnsstore.ParseTXT(`"ag=1" "group=7f3c41d2" "term=7" "seq=42" "nonce=9b1e" "primary=-" "run=-" "by=gw-a" ` +
		`"at=2026-11-21t20:12:50z" "w=60s" "r=20s" "c=30s" "ttl=30s" "m=gw-a,https,443,100,192.0.2.10,"`)
	if err != nil || !record.Ours(strs) {
		fmt.Println("foreign", err)
		return
	}
	r, err := record.Parse(strs)
	fmt.Println(r.Term, r.AllowedAbsence, len(r.Members), r.Primary == "", err)

	// Output: 7 1m0s 1 true <nil>
}

func ExampleRecord_Strings() {
	r := sample()
	r.Seq++
	text, err := r.Strings()
	fmt.Println(text[3], err)

	// Output: seq=1043 <nil>
}
