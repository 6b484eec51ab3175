package wire

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
)

// KeySize is that of a channel's key, in bytes.
const KeySize = sha256.Size

// A Sealer makes the lines that go one way, or opens them on the other side. Each carries
// a code that depends on a key, on its place in the sequence and on what it says, and after
// each the key is another one, from which the old ones cannot be told: a line that was
// overheard is worth nothing, and neither is a key that was found too late.
//
//	9f3c…e1 {"kind":"begin","test":"TestHello"}
//
// The key is the caller's memory. A Sealer is for one goroutine at a time.
type Sealer struct{ key []byte }

// NewSealer returns a sealer whose key is that memory of KeySize bytes.
func NewSealer(key []byte) *Sealer { return &Sealer{key} }

// Split makes of one key two, for the two directions, into events and replies.
func Split(key, events, replies []byte) {
	copy(events, mix(key, forEvents, nil))
	copy(replies, mix(key, forReplies, nil))
}

// What a key is mixed with, so that nothing that is said can be taken for another key.
const (
	forCode byte = iota
	forNext
	forEvents
	forReplies
	forYes
	forNo
)

// mix is SHA-256 over the key, a use and the digest of a text. All of it has a fixed
// length, so that there is nothing to extend; and it leaves no copy of the key behind, as
// a hash from crypto/hmac would in the heap.
func mix(key []byte, use byte, text []byte) []byte {
	var b [2*sha256.Size + 1]byte
	copy(b[:], key)
	b[sha256.Size] = use
	digest := sha256.Sum256(text)
	copy(b[sha256.Size+1:], digest[:])
	sum := sha256.Sum256(b[:])
	clear(b[:])
	return sum[:]
}

// Seal returns the line for v.
func (s *Sealer) Seal(v any) ([]byte, error) {
	text, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	line := fmt.Appendf(nil, "%x %s\n", mix(s.key, forCode, text), text)
	s.next()
	return line, nil
}

// Mark is a yes or a no that nobody can read who does not know the key of the next line,
// which is to carry it.
func (s *Sealer) Mark(yes bool) string {
	use := forNo
	if yes {
		use = forYes
	}
	return hex.EncodeToString(mix(s.key, use, nil))
}

// ErrForged says that a line was not made by the other side, or is not the next one.
var ErrForged = errors.New("it was not said by the other side")

// Open checks the line before it reads it into v.
func (s *Sealer) Open(line []byte, v any) error {
	code, text, ok := bytes.Cut(bytes.TrimSuffix(line, []byte("\n")), []byte(" "))
	if !ok || len(code) != 2*KeySize {
		return ErrForged
	}
	said := make([]byte, KeySize)
	if _, err := hex.Decode(said, code); err != nil || !hmac.Equal(said, mix(s.key, forCode, text)) {
		return ErrForged
	}
	s.next()
	return json.Unmarshal(text, v)
}

// next makes the key that of the next line.
func (s *Sealer) next() {
	next := mix(s.key, forNext, nil)
	copy(s.key, next)
	clear(next)
}
