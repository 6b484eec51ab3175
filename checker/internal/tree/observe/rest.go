package observe

import "time"

// When a process that only waits is said to be at rest, and when never to come to it.
// Nothing here is time on the wall: a loaded machine makes a decision later, and never
// another one.
const (
	// calm is how long a process without a timer must be still to be at rest,
	// calmTimer how long one with a timer: a loop that sleeps for longer than
	// that costs next to nothing.
	calm      = 30 * time.Millisecond
	calmTimer = 200 * time.Millisecond

	// spin is how much processor time a process must take, with nothing that it does
	// in between, to be called a loop that spins. Whoever computes something and
	// then rests may take as much; on a slow machine it takes more, up to spinSlow.
	spin     = 5 * time.Second
	spinSlow = 10 * time.Second

	// polls is how often one that looks and sleeps in turn must go to sleep, with
	// nothing that it does in between, and pollTime how long that must go on, in time
	// in which it could have run; so often as manyPolls is enough by itself. No thread
	// runs for more than a glance, on the average, until it sleeps again.
	polls     = 60
	pollTime  = 3 * time.Second
	manyPolls = 5000
	glance    = time.Millisecond

	// exchanges is how often one must go to sleep that says and hears a few words in
	// between, as who asks another process again and again; who works so sends and
	// gets as many messages, each of them short, and far fewer.
	exchanges = 300_000

	// patient is when a process that is neither is let go, in such time too: it does
	// something more rarely than a loop that polls, with a timer of its own.
	patient = 15 * time.Second
)
