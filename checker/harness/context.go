package harness

import "context"

// OtherContext returns a context that does not end and is none of package context's own
// kinds. That package watches it in a goroutine for each context that is made from it,
// until that one is cancelled: who forgets to has leaked the goroutine.
func OtherContext() context.Context {
	return otherContext{context.Background(), make(chan struct{})}
}

type otherContext struct {
	context.Context
	done chan struct{}
}

func (c otherContext) Done() <-chan struct{} { return c.done }
