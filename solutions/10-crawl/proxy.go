package crawl

import (
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"sync"
)

var (
	// ErrManagerLost is what every call of a proxy returns, wrapped, when the
	// manager has ended or was killed.
	ErrManagerLost = errors.New("manager lost")

	// ErrIndex is returned, wrapped, for an index that a list does not have.
	ErrIndex = errors.New("index out of range")
)

// A Client is a connection to a manager. Several goroutines may use it at the
// same time.
type Client struct {
	mu   sync.Mutex // a request and its response belong together
	conn net.Conn
	out  *gob.Encoder
	in   *gob.Decoder
}

// Dial connects this process to the manager whose socket is at addr.
func Dial(addr string) (*Client, error) {
	conn, err := net.Dial("unix", addr)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrManagerLost, err)
	}
	return &Client{conn: conn, out: gob.NewEncoder(conn), in: gob.NewDecoder(conn)}, nil
}

// Close ends the connection. Calls of its proxies return an error afterwards, and
// change nothing.
func (c *Client) Close() error { return c.conn.Close() }

// call sends a request and waits for the response.
func (c *Client) call(q request) (a response, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err = c.out.Encode(q); err == nil {
		err = c.in.Decode(&a)
	}
	if err != nil {
		return response{}, fmt.Errorf("%w: %s %q: %w", ErrManagerLost, q.Op, q.Name, err)
	}
	return a, nil
}

// A Dict is a proxy: it stands for a dict in the manager, from strings to
// values of type V. All proxies of one name stand for the same dict, in
// whichever process they are. V is anything that encoding/json can encode.
//
// Each call is atomic. Two calls are not: between a Get and a Set, another
// process may have set the key. Update is for that.
type Dict[V any] struct {
	client *Client
	name   string
}

// NewDict returns a proxy of the dict with that name, which is empty until
// somebody sets a key.
func NewDict[V any](c *Client, name string) Dict[V] { return Dict[V]{c, name} }

// Set sets a key. A value that cannot be encoded is refused and changes nothing.
func (d Dict[V]) Set(key string, v V) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("set %q: %w", key, err)
	}
	_, err = d.client.call(request{Op: "dict.set", Name: d.name, Key: key, Value: b})
	return err
}

// Get returns a copy of a key's value, and whether there is one. To change the
// copy changes nothing in the manager, also where V is a map, a slice or a
// pointer: it has to be written back by Set, as with Python's proxies.
func (d Dict[V]) Get(key string) (v V, ok bool, err error) {
	a, err := d.client.call(request{Op: "dict.get", Name: d.name, Key: key})
	if err != nil || !a.OK {
		return v, false, err
	}
	err = json.Unmarshal(a.Value, &v)
	return v, err == nil, err
}

// Update replaces a key's value by f of it: f gets a copy of the old value, and
// whether there is one. No change by another process is lost: if the value
// has been changed while f ran, f is called again, with the new value. Others
// are not held up meanwhile, so f itself may use proxies.
func (d Dict[V]) Update(key string, f func(old V, ok bool) V) error {
	for {
		a, err := d.client.call(request{Op: "dict.get", Name: d.name, Key: key})
		if err != nil {
			return err
		}
		var v V
		if a.OK {
			if err := json.Unmarshal(a.Value, &v); err != nil {
				return fmt.Errorf("update %q: %w", key, err)
			}
		}
		b, err := json.Marshal(f(v, a.OK))
		if err != nil {
			return fmt.Errorf("update %q: %w", key, err)
		}
		a, err = d.client.call(request{Op: "dict.swap", Name: d.name, Key: key, Value: b, Old: a.Value})
		if err != nil || a.OK {
			return err
		}
	}
}

// Delete removes a key and reports whether it was there.
func (d Dict[V]) Delete(key string) (bool, error) {
	a, err := d.client.call(request{Op: "dict.delete", Name: d.name, Key: key})
	return a.OK, err
}

// Len returns the number of keys.
func (d Dict[V]) Len() (int, error) {
	a, err := d.client.call(request{Op: "dict.len", Name: d.name})
	return a.Len, err
}

// Keys returns the keys in ascending order.
func (d Dict[V]) Keys() ([]string, error) {
	a, err := d.client.call(request{Op: "dict.all", Name: d.name})
	return a.Keys, err
}

// All returns a copy of the whole dict as it was at one moment, to iterate over.
func (d Dict[V]) All() (map[string]V, error) {
	a, err := d.client.call(request{Op: "dict.all", Name: d.name})
	if err != nil {
		return nil, err
	}
	all := make(map[string]V, len(a.Keys))
	for i, k := range a.Keys {
		var v V
		if err := json.Unmarshal(a.Values[i], &v); err != nil {
			return nil, fmt.Errorf("all: %q: %w", k, err)
		}
		all[k] = v
	}
	return all, nil
}

// A List is a proxy of a list in the manager, as Dict is of a dict.
type List[V any] struct {
	client *Client
	name   string
}

// NewList returns a proxy of the list with that name, which is empty until
// somebody appends to it. A dict may have the same name.
func NewList[V any](c *Client, name string) List[V] { return List[V]{c, name} }

// Append adds a value at the end. A value that cannot be encoded is refused.
func (l List[V]) Append(v V) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("append: %w", err)
	}
	_, err = l.client.call(request{Op: "list.append", Name: l.name, Value: b})
	return err
}

// Get returns a copy of the value at index i, or ErrIndex.
func (l List[V]) Get(i int) (v V, err error) {
	a, err := l.at("list.get", i, nil)
	if err != nil {
		return v, err
	}
	err = json.Unmarshal(a.Value, &v)
	return v, err
}

// Set replaces the value at index i, or returns ErrIndex.
func (l List[V]) Set(i int, v V) error {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Errorf("set %d: %w", i, err)
	}
	_, err = l.at("list.set", i, b)
	return err
}

// Delete removes the value at index i, or returns ErrIndex. The ones behind it
// move up.
func (l List[V]) Delete(i int) error {
	_, err := l.at("list.delete", i, nil)
	return err
}

// at makes a call about one index.
func (l List[V]) at(op string, i int, value []byte) (response, error) {
	a, err := l.client.call(request{Op: op, Name: l.name, Index: i, Value: value})
	if err == nil && !a.OK {
		err = fmt.Errorf("%s %q: %w: %d", op, l.name, ErrIndex, i)
	}
	return a, err
}

// Len returns the number of values.
func (l List[V]) Len() (int, error) {
	a, err := l.client.call(request{Op: "list.len", Name: l.name})
	return a.Len, err
}

// All returns a copy of the whole list as it was at one moment, to iterate over.
func (l List[V]) All() ([]V, error) {
	a, err := l.client.call(request{Op: "list.all", Name: l.name})
	if err != nil {
		return nil, err
	}
	all := make([]V, len(a.Values))
	for i, b := range a.Values {
		if err := json.Unmarshal(b, &all[i]); err != nil {
			return nil, fmt.Errorf("all: %d: %w", i, err)
		}
	}
	return all, nil
}
