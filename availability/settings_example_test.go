package availability_test

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/availabilitygroup/ag/availability"
)

func ExampleSettings() {
	var s availability.Settings
	err := json.Unmarshal([]byte(`{"group_fqdn":"gw.example.net","allowed_absence_interval":47,"tsig_secret":"c2VjcmV0"}`), &s)
	fmt.Println(s.GroupFQDN, s.AllowedAbsenceInterval, s.TSIGSecret, err)

	err = json.Unmarshal([]byte(`{"group_fqdn":"other.example.net","external_port":70000}`), &s)
	if wrong, ok := errors.AsType[*availability.ConfigError](err); ok {
		fmt.Println(wrong.Fields[0].Field, wrong.Fields[0].Problem)
	}
	fmt.Println(s.GroupFQDN)

	// Output:
	// gw.example.net 47s [secret] <nil>
	// external_port must be a whole number from 1 to 65535
	// gw.example.net
}

func ExampleFastTiming() {
	s := availability.Settings{GroupFQDN: "gw.example.net", Timing: availability.FastTiming()}
	fmt.Println(s.HealthReportInterval, s.HealthCheckInterval, s.AllowedAbsenceInterval)

	// Output: 1s 1s 5s
}
