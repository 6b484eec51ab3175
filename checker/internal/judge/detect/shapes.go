package detect

import (
	"strings"

	"prokata/checker/internal/evidence"
)

// A shape is a way in which processes come to a standstill, with what a person is told
// of it. Words in braces are filled in by the cause that was found.
type shape struct {
	name    string
	message string // what the program did wrong: past tense, the program as subject
	next    string // one step that ends this cause
	find    func(*scene) *cause
}

// A cause is a shape as it was found: where, and with which names.
type cause struct {
	at    stand
	line  func(stand) int // which of the learner's frames is the guilty one; the innermost if nil
	frame *evidence.Frame // the guilty line, if it is none of a stack
	words []string        // pairs for the braces of the shape
	proof []string        // lines beyond where everybody stood
}

func (c cause) fill(text string) string { return strings.NewReplacer(c.words...).Replace(text) }

// Shapes returns the names of the shapes that a deadlock is told by, in the order in
// which they are tried.
func Shapes() (names []string) {
	for _, s := range shapes {
		names = append(names, s.name)
	}
	return names
}

// shapes are tried in this order, and the first that fits is told: what needs the most
// evidence comes first, and what says the least comes last.
var shapes = []shape{
	{
		"stopped", "a process was stopped by a signal, and nobody continued it",
		"find who sent {who} its SIGSTOP, and send it SIGCONT before you wait for it", halted,
	},
	{
		"lock-circle", "{n} processes waited for each other's locks in a circle",
		"take the locks in one order, the same in every process: then no circle can close", lockCircle,
	},
	{
		"context-child", "{function} went on waiting for a child although its context had ended",
		"when the context ends, end the child: ask it, kill it after a while, and wait then", contextOver("child"),
	},
	{
		"context-lock", "{function} went on waiting for a lock although its context had ended",
		"the kernel's wait for a lock knows no context: try the lock again and again until ctx.Done(), or wait in a goroutine of its own", contextOver("lock"),
	},
	{
		"context-read", "{function} went on waiting for a message although its context had ended",
		"a read knows no context: let context.AfterFunc wake it (SetReadDeadline, Close), or poll a second descriptor beside it", contextOver("read", "write", "poll", "accept", "futex"),
	},
	{
		"context-channel", "{function} went on waiting although its context had ended",
		"wait in a select that has a case <-ctx.Done(), or end what {function} waits for when the context ends", contextOver(""),
	},
	{
		"nil-channel", "your program waited on a channel that was nil, which is for ever",
		"make the channel (or do not wait when there is none): nobody can send on nil", nilChannel,
	},
	{
		"orphans", "{who} lived on although its parent had ended",
		"let each child notice the end of its parent: read, in a goroutine, a pipe whose other end the parent alone holds, and exit at its end", orphans,
	},
	{
		"lock-of-itself", "your program waited for a lock that it held itself",
		"release the lock on every way out (defer), and do not take it twice: no other process has it", lockOfItself,
	},
	{
		"lock-too-wide", "{holder} went on with a lock, and the others could not go on without it",
		"hold a lock for what needs it alone: with one lock for everything one works, and the others wait", lockTooWide,
	},
	{
		"lock-kept", "a lock was never released: {holder} held it and did something else",
		"release a lock before you wait for anything else, and on every way out, an error and a panic too (defer)", lockKept,
	},
	{
		"permit-lost", "{n} waited for a permit, and all permits were gone",
		"give each permit back on every way out (defer), and when a process dies with one let its parent put it back", permits,
	},
	{
		"shared-word", "a process waited in shared memory for a word that nobody was left to change",
		"see that whoever holds the lock releases it on every way out, and that a holder that has died is noticed (its process ID in the word, or a lock of the kernel's)", sharedWord,
	},
	{
		"mutex-callback", "a goroutine called back while it held a mutex that the callback needs",
		"unlock the mutex before you call a function that is not your own", mutexCallback,
	},
	{
		"mutex-close", "{function} waited for a mutex, while the goroutine that it had to wake waited for something else",
		"close first and lock then, or hold the mutex for the bookkeeping alone: it is closing that wakes whoever waits", mutexClose,
	},
	{
		"mutex-kept", "a goroutine waited for a mutex; another one, in a method of the same type, waited for something else",
		"do not hold a mutex over a read, a write or a channel: take what you need under it, unlock, and wait then", mutexKept,
	},
	{
		"mutex-lost", "a goroutine waited for a mutex that nobody unlocked any more",
		"unlock on every way out (defer mu.Unlock()), and do not lock it again in a function that is called under it", mutexLost,
	},
	{
		"turn-kept-from-close", "{function} waited for its turn, while the goroutine that it had to wake waited for something else",
		"close first, and take the turn then, if at all: it is closing that wakes whoever waits", turnKeptFromClose,
	},
	{
		"turn-kept", "{function} waited for its turn; another goroutine, in a method of the same type, waited for something else",
		"give the turn back before you wait for the other side, or hand on to whoever waits what you read for him", turnKept,
	},
	{
		"write-first", "two processes wrote to each other first, and neither of them read",
		"read while you write: in a goroutine, or wait for both ways at once (poll)", writeFirst,
	},
	{
		"wait-before-read", "your program waited for a child that waited until its output was read",
		"read the child's output to its end first, and wait for the child then", waitBeforeRead,
	},
	{
		"own-end-full", "your program wrote into a full pipe that nobody but itself could read",
		"do not wait for room here: make the writing end non-blocking, and take EAGAIN for \"enough is in it\"", fullForItself,
	},
	{
		"full-unread", "your program wrote into a full {pipe}, and {who}, who was to read it, waited for something else",
		"let somebody read all the time, or stop the writer when the reader has something else to do", fullUnread,
	},
	{
		"end-of-all", "{n} processes waited for the end of a stream that they held open themselves",
		"close the writing end in each process that only reads: the stream ends with the last copy of that end", endOfAll,
	},
	{
		"end-passed-on", "{holder}, a child of a child, held the other end of what your program read from",
		"what a child was handed its own children inherit: mark it close-on-exec as soon as the child has it (syscall.CloseOnExec)", endPassedOn,
	},
	{
		"output-held", "your program waited for the end of an output that {holder}, started by a child that had ended, held open",
		"when the child itself has ended, do not wait for the end of its output without end (cmd.WaitDelay), and end what it left behind", outputHeld,
	},
	{
		"end-inherited", "{holder} held ends of pipes that were made for its brothers",
		"mark every end that you open close-on-exec (SOCK_CLOEXEC, as os.Pipe does), so that each child gets its own end alone", endInherited,
	},
	{
		"copy-kept", "the test waited for the end of {who}, which waited for the end of a stream that your program held open in a copy",
		"close each copy of an end: File, net.FileConn and Dup make one more, and os.NewFile none", copyKept,
	},
	{
		"one-for-all", "{n} goroutines or processes read from one {pipe}, and a message in it is for one of them",
		"what one reads is gone for the others: leave it in and poll, close the end, or write one for each", wantedByAll,
	},
	{
		"own-end", "your program waited for the end of a stream whose other end it held open itself",
		"close your copy of the child's end as soon as the child has been started", ownEnd,
	},
	{
		"no-time-limit", "your program read from a connection without a time limit, and nothing came",
		"limit the whole exchange, the body included (http.Client.Timeout, or a deadline for the context of the request)", noLimit,
	},
	{
		"alone", "your program waited to read what nobody but itself could write",
		"do not wait here when there may be nothing (a non-blocking read), or see that it is written first: no other process has the other end", alone,
	},
	{
		"waits-in-a-circle", "{n} processes waited for each other in a circle, your program among them",
		"break the circle where your program waits: first let go those that {server} waits for, and wait for {server} last", waitsInACircle,
	},
	{
		"clients-first", "your program waited for {who}, which waited for your program to hang up",
		"close the connection before you wait, or let the server end without waiting for its clients", clientsFirst,
	},
	{
		"not-asked-to-end", "your program waited for the end of {who}, and still held its input open",
		"close its input (or tell it in its own words) before you wait for it", notAskedToEnd,
	},
	{
		"child-needs-others", "your program waited for the end of {who}, which waited in the function that it was given",
		"start all that are asked for before you wait for one, and hand on what it prints at once: it may need that to end", childNeedsOthers,
	},
	{
		"child-never-ends", "your program waited for the end of {who}, which had no reason to end",
		"make it end before you wait: ask it, by a signal or the end of its input, and kill it if it does not", childNeverEnds,
	},
	{
		"server-busy", "{who} served one client, and the others waited for their turn",
		"serve each connection in a goroutine of its own, and accept the next one at once", serverBusy,
	},
	{
		"end-not-said", "your program waited for an answer of {who}, which waited for the end of what your program had to say",
		"close the writing end when the last word is said: a reader that reads to the end does not answer before", endNotSaid,
	},
	{
		"some-not-told", "{told} of {all} processes had come back from their wait, and the others waited on",
		"tell each of them: one marker for each, or the end of what all of them read", someNotTold,
	},
	{
		"killed-worker", "your program waited on although {dead}, which it had started, had ended",
		"when a child ends, do its work once more or tell whoever waits for it: an error is an answer too", killedWorker,
	},
	{
		"answer-needs-others", "your program waited for an answer of {who}, which waited in the function that it was given",
		"while one works, ask the others too: it may be one of these that it needs to go on", answerNeedsOthers,
	},
	{
		"everybody-listens", "{who} and {other} both waited for the other's message",
		"see that each request is sent whole (flushed) and that each gets exactly one answer, an error too", everybodyListens,
	},
	{
		"send-unreceived", "your program sent on a channel from which nobody received any more",
		"let somebody receive for as long as anybody sends, or give the channel room, or leave by a select", sendUnreceived,
	},
	{
		"waitgroup", "your program waited for a sync.WaitGroup with more Add than Done",
		"let each Add(1) have one Done, on every way out (defer wg.Done(), or wg.Go), and add only what was started", waitGroup,
	},
	{
		"cond", "your program waited for a sync.Cond that nobody signalled any more",
		"change what is waited for and signal under the same lock, and look at it in a loop before each Wait", condition,
	},
	{
		"signal", "your program waited for a signal that nobody sent",
		"see who is to send it, and that signal.Notify is called before it can come", signalled,
	},
	{
		"other-memory", "your program waited for a channel of its own memory, which no other process can reach",
		"use something that both processes have: a pipe, a socket, a file; a child has a copy of the program, not of its variables", otherMemory,
	},
	{
		"result-unsettled", "your program waited on a channel that nobody was going to close or send on",
		"settle what is waited for on every way: also for nothing to do, an error, and the end", unsettled,
	},
	{
		"message-gone", "your program waited for a message, and everybody who could send it waited too",
		"do not throw away what came before the wait, and see that the sender writes to this very end", messageGone,
	},
	{
		"still-held", "your program held an end open that it was handed and did not close",
		"close every file that is handed to you, on every path, also those that nobody has asked for", stillHeld,
	},
}
