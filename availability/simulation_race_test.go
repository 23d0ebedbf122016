//go:build race

package availability_test

const simUnderRace = true
