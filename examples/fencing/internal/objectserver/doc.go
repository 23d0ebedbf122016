// Package objectserver is an object store in memory behind HTTP, for the tests
// and the program of this module. GET, HEAD and PUT have the conditions of RFC
// 9110 §13 on entity tags, evaluated and written in one step. There are no
// dates, so conditions on dates are ignored, as RFC 9110 §13.1.4 wants it.
package objectserver
