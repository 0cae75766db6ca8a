package main

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"google.golang.org/grpc/codes"
)

const (
	memoryLimit       = 100_000 // Users, and requests that are remembered.
	requestIDLifetime = 24 * time.Hour
)

// memory is a repository that ends with the process. Each replica has its own users, so run one.
type memory struct {
	mutex    sync.Mutex
	rows     []row // In the order of their numbers.
	byID     map[string]uint64
	byEmail  map[string]uint64 // By the address in lower case (ASCII).
	requests map[string]answered
	expiring []string // The keys of requests, oldest first.
	last     uint64
	key      []byte // Of page tokens.
}

type row struct {
	number uint64
	user   user
}

// answered is the first answer to a request with an id.
type answered struct {
	user user
	at   time.Time
}

func newMemory() *memory {
	made := &memory{byID: map[string]uint64{}, byEmail: map[string]uint64{}, requests: map[string]answered{}, key: make([]byte, 32)}
	rand.Read(made.key) // Never returns an error.
	return made
}

func (m *memory) get(ctx context.Context, id string) (user, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return user{}, err
	}
	found := m.find(m.byID, id)
	if found == nil {
		return user{}, notFound(id)
	}
	return found.user, nil
}

func (m *memory) create(ctx context.Context, creations []creation) ([]user, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	m.forget(time.Now())
	if len(m.rows)+len(creations) > memoryLimit || len(m.requests)+len(creations) > memoryLimit {
		return nil, full()
	}
	made, isNew := make([]user, len(creations)), make([]bool, len(creations))
	emails := map[string]bool{}
	for position, one := range creations {
		first, err := m.firstAnswer(one)
		if err == nil && first == nil {
			email := lower(one.user.email)
			if _, taken := m.byEmail[email]; taken || emails[email] {
				err = emailTaken(one.user.email)
			}
			emails[email] = true
		}
		if err != nil && len(creations) > 1 {
			err = at(position, err)
		}
		if err != nil {
			return nil, err
		}
		made[position], isNew[position] = one.user, first == nil
		if first != nil {
			made[position] = *first
		}
	}
	for position, one := range creations {
		if isNew[position] {
			m.add(one.user)
			m.remember(one)
		}
	}
	return made, nil
}

func (m *memory) update(ctx context.Context, id string, change func(user) (user, error)) (user, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return user{}, err
	}
	found := m.find(m.byID, id)
	if found == nil {
		return user{}, notFound(id)
	}
	return m.replace(found, change)
}

func (m *memory) upsert(
	ctx context.Context, id, email string, decide func(*user) (user, error),
) (*user, user, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, user{}, err
	}
	found := m.find(m.byID, id)
	if id == "" {
		found = m.find(m.byEmail, lower(email))
	}
	if found != nil {
		before := found.user
		after, err := m.replace(found, func(known user) (user, error) { return decide(&known) })
		return &before, after, err
	}
	made, err := decide(nil)
	if err != nil {
		return nil, user{}, err
	}
	if _, taken := m.byEmail[lower(made.email)]; taken {
		return nil, user{}, emailTaken(made.email)
	}
	if len(m.rows) >= memoryLimit {
		return nil, user{}, full()
	}
	m.add(made)
	return nil, made, nil
}

func (m *memory) delete(ctx context.Context, id string) error {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return err
	}
	found := m.find(m.byID, id)
	if found == nil {
		return notFound(id)
	}
	delete(m.byID, id)
	delete(m.byEmail, lower(found.user.email))
	position, _ := m.position(found.number)
	m.rows = slices.Delete(m.rows, position, position+1)
	return nil
}

func (m *memory) list(ctx context.Context, size int, token string) (page, error) {
	m.mutex.Lock()
	defer m.mutex.Unlock()
	if err := ctx.Err(); err != nil {
		return page{}, err
	}
	after := uint64(0)
	if token != "" {
		var valid bool
		if after, valid = m.open(token); !valid {
			return page{}, invalid("page_token: is not a token of this service; send the token that came with the page before, or leave it empty for the first page")
		}
	}
	start, _ := m.position(after + 1)
	end := min(start+size, len(m.rows))
	made := page{users: make([]user, 0, end-start)}
	for _, row := range m.rows[start:end] {
		made.users = append(made.users, row.user)
	}
	if end < len(m.rows) {
		made.nextToken = m.seal(m.rows[end-1].number)
	}
	return made, nil
}

// find returns the row that an index has for a key, or nil. It is valid until a row is added or deleted.
func (m *memory) find(index map[string]uint64, key string) *row {
	number, known := index[key]
	if !known {
		return nil
	}
	position, _ := m.position(number)
	return &m.rows[position]
}

// position returns where the row with this number is, or would be.
func (m *memory) position(number uint64) (int, bool) {
	return slices.BinarySearchFunc(m.rows, number, func(row row, number uint64) int {
		return int(int64(row.number - number))
	})
}

func (m *memory) add(user user) {
	m.last++
	m.rows = append(m.rows, row{m.last, user})
	m.byID[user.id] = m.last
	m.byEmail[lower(user.email)] = m.last
}

func (m *memory) replace(found *row, change func(user) (user, error)) (user, error) {
	made, err := change(found.user)
	if err != nil {
		return user{}, err
	}
	if number, taken := m.byEmail[lower(made.email)]; taken && number != found.number {
		return user{}, emailTaken(made.email)
	}
	delete(m.byEmail, lower(found.user.email))
	m.byEmail[lower(made.email)] = found.number
	found.user = made
	return made, nil
}

func (m *memory) firstAnswer(one creation) (*user, error) {
	first, known := m.requests[one.requestID]
	if !known {
		return nil, nil
	}
	answer, wanted := first.user, one.user
	if answer.email != wanted.email || answer.name != wanted.name || answer.role != wanted.role {
		return nil, requestIDReused(one.requestID)
	}
	return &answer, nil
}

func (m *memory) remember(one creation) {
	if one.requestID != "" {
		m.requests[one.requestID] = answered{one.user, time.Now()}
		m.expiring = append(m.expiring, one.requestID)
	}
}

func (m *memory) forget(now time.Time) {
	for len(m.expiring) > 0 && now.Sub(m.requests[m.expiring[0]].at) > requestIDLifetime {
		delete(m.requests, m.expiring[0])
		m.expiring = m.expiring[1:]
	}
}

// seal returns the token of a position. Its signature keeps clients from making one up.
func (m *memory) seal(position uint64) string {
	bytes := binary.BigEndian.AppendUint64(nil, position)
	return base64.RawURLEncoding.EncodeToString(append(bytes, m.signature(bytes)...))
}

func (m *memory) open(token string) (uint64, bool) {
	bytes, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(bytes) != 8+sha256.Size || !hmac.Equal(bytes[8:], m.signature(bytes[:8])) {
		return 0, false
	}
	return binary.BigEndian.Uint64(bytes[:8]), true
}

func (m *memory) signature(bytes []byte) []byte {
	made := hmac.New(sha256.New, m.key)
	made.Write(bytes)
	return made.Sum(nil)
}

func full() error {
	return &problem{codes.ResourceExhausted, fmt.Sprintf("this server keeps at most %d users; delete some, or use a database", memoryLimit)}
}

func lower(email string) string {
	return strings.Map(func(char rune) rune {
		if 'A' <= char && char <= 'Z' {
			return char + 'a' - 'A'
		}
		return char
	}, email)
}
