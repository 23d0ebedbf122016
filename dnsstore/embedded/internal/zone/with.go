package zone

import (
	"maps"

	"github.com/miekg/dns"
)

// With returns the zone after the changes, in their order.
func (z *Zone) With(changes []Change) *Zone {
	if len(changes) == 0 {
		return z
	}
	next := &Zone{apex: z.apex, nodes: maps.Clone(z.nodes)}
	for _, c := range changes {
		next.put(c)
	}
	return next
}

// put is used only on a zone that nobody else has seen. It never changes a
// node, since that may belong to an older zone too.
func (z *Zone) put(c Change) {
	n := z.copyNode(c.Name)
	if c.Set == nil {
		delete(n.sets, c.Type)
	} else {
		n.sets[c.Type] = c.Set
	}
	z.replace(c.Name, n)
}

func (z *Zone) copyNode(name string) *node {
	n := z.nodes[name]
	if n == nil {
		return &node{sets: map[uint16]*Set{}}
	}
	return &node{sets: maps.Clone(n.sets), children: n.children}
}

// replace sets the node of a name and keeps the empty non-terminals above it:
// a name exists as long as there is one below it.
func (z *Zone) replace(name string, n *node) {
	_, was := z.nodes[name]
	is := len(n.sets) > 0 || n.children > 0
	if is {
		z.nodes[name] = n
	} else {
		delete(z.nodes, name)
	}
	if was == is || name == z.apex {
		return
	}
	above := parent(name)
	p := z.copyNode(above)
	if is {
		p.children++
	} else {
		p.children--
	}
	z.replace(above, p)
}

// parent returns the name one label up, the root for the last label.
func parent(name string) string {
	next, end := dns.NextLabel(name, 0)
	if end {
		return "."
	}
	return name[next:]
}
