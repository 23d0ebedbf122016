package embedded

// Respond answers one packet without any socket or disk, but for the writer,
// which it runs for as long as it takes. Not safe for concurrent use.
func (s *Server) Respond(packet []byte, stream bool) []byte {
	done := make(chan []byte)
	go func() { done <- s.respond(packet, stream) }()
	for {
		select {
		case j := <-s.jobs:
			s.commit([]*job{j}, &archive{slog: s.log})
		case answer := <-done:
			return answer
		}
	}
}

// Serial returns the serial number of the zone.
func (s *Server) Serial() uint32 { return s.zone.Load().Serial() }

// RespondAlone answers one packet; updates wait until the server runs.
func (s *Server) RespondAlone(packet []byte) []byte { return s.respond(packet, false) }

// Waiting returns how many updates wait.
func (s *Server) Waiting() int { return len(s.jobs) }

// MaxWaiting is how many updates may wait.
const MaxWaiting = maxWaiting
