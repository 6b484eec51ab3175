package crawl

import (
	"encoding/gob"
	"errors"
	"net"
	"sync"

	"prokata/checker/todo"
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
	// TODO: connect to the socket.
	return nil, todo.Err("crawl: Dial")
}

// Close ends the connection. Calls of its proxies return an error afterwards, and
// change nothing.
func (c *Client) Close() error {
	// TODO: close the connection.
	return todo.Err("crawl: Client.Close")
}

// call sends a request and waits for the response.
func (c *Client) call(q request) (a response, err error) {
	// TODO: send the request, wait for the response.
	return response{}, todo.Err("crawl: call")
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
	// TODO: encode the value, call.
	return todo.Err("crawl: Dict.Set")
}

// Get returns a copy of a key's value, and whether there is one. To change the
// copy changes nothing in the manager, also where V is a map, a slice or a
// pointer: it has to be written back by Set, as with Python's proxies.
func (d Dict[V]) Get(key string) (v V, ok bool, err error) {
	// TODO: call, decode the value.
	return v, false, todo.Err("crawl: Dict.Get")
}

// Update replaces a key's value by f of it: f gets a copy of the old value, and
// whether there is one. No change by another process is lost: if the value
// has been changed while f ran, f is called again, with the new value. Others
// are not held up meanwhile, so f itself may use proxies.
func (d Dict[V]) Update(key string, f func(old V, ok bool) V) error {
	// TODO: get, f, set; lose nobody's change in between.
	return todo.Err("crawl: Dict.Update")
}

// Delete removes a key and reports whether it was there.
func (d Dict[V]) Delete(key string) (bool, error) {
	// TODO: call.
	return false, todo.Err("crawl: Dict.Delete")
}

// Len returns the number of keys.
func (d Dict[V]) Len() (int, error) {
	// TODO: call.
	return 0, todo.Err("crawl: Dict.Len")
}

// Keys returns the keys in ascending order.
func (d Dict[V]) Keys() ([]string, error) {
	// TODO: call.
	return nil, todo.Err("crawl: Dict.Keys")
}

// All returns a copy of the whole dict as it was at one moment, to iterate over.
func (d Dict[V]) All() (map[string]V, error) {
	// TODO: call, decode each value.
	return nil, todo.Err("crawl: Dict.All")
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
	// TODO: encode the value, call.
	return todo.Err("crawl: List.Append")
}

// Get returns a copy of the value at index i, or ErrIndex.
func (l List[V]) Get(i int) (v V, err error) {
	// TODO: call, decode the value.
	return v, todo.Err("crawl: List.Get")
}

// Set replaces the value at index i, or returns ErrIndex.
func (l List[V]) Set(i int, v V) error {
	// TODO: encode the value, call.
	return todo.Err("crawl: List.Set")
}

// Delete removes the value at index i, or returns ErrIndex. The ones behind it
// move up.
func (l List[V]) Delete(i int) error {
	// TODO: call.
	return todo.Err("crawl: List.Delete")
}

// Len returns the number of values.
func (l List[V]) Len() (int, error) {
	// TODO: call.
	return 0, todo.Err("crawl: List.Len")
}

// All returns a copy of the whole list as it was at one moment, to iterate over.
func (l List[V]) All() ([]V, error) {
	// TODO: call, decode each value.
	return nil, todo.Err("crawl: List.All")
}
