package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	userv1 "example.com/users/gen/user/v1"
)

const (
	emailLimit      = 254
	nameLimit       = 200
	quoteLimit      = 80 // Status messages are sent in a header, the size of which is limited.
	defaultPageSize = 50
	maxPageSize     = 1000
	maxBatchSize    = 1000
)

// problem is an error with a code. grpc-go finds the code in wrapped errors too, and sends the text of
// the outermost one.
type problem struct {
	code codes.Code
	text string
}

func (p *problem) Error() string              { return p.text }
func (p *problem) GRPCStatus() *status.Status { return status.New(p.code, p.text) }

func invalid(format string, values ...any) error {
	return &problem{codes.InvalidArgument, fmt.Sprintf(format, values...)}
}

func notFound(id string) error {
	return &problem{codes.NotFound, fmt.Sprintf("id: no user has the id %s", id)}
}

func emailTaken(email string) error {
	return &problem{codes.AlreadyExists, fmt.Sprintf("email: %s belongs to another user; send an address not in use", email)}
}

func requestIDReused(id string) error {
	return &problem{codes.AlreadyExists, fmt.Sprintf("request_id: %s was used to create another user; send a new UUID for each user", id)}
}

// user is one entry of the directory. Two of them are compared with ==.
type user struct {
	id, email, name      string
	role                 userv1.UserRole
	createdAt, updatedAt time.Time
}

// creation is a user to create, and the id of the request for it: empty when it has none.
type creation struct {
	user      user
	requestID string
}

// newUser returns a valid user, under a random id unless one is given.
func newUser(id, email, name string, role userv1.UserRole, now time.Time) (user, error) {
	if err := checkEmail(email); err != nil {
		return user{}, err
	}
	if err := checkName(name); err != nil {
		return user{}, err
	}
	if id == "" {
		id = uuid.NewString()
	}
	if role == userv1.UserRole_USER_ROLE_UNSPECIFIED {
		role = userv1.UserRole_USER_ROLE_MEMBER
	}
	now = now.UTC().Round(0)
	return user{id: id, email: email, name: name, role: role, createdAt: now, updatedAt: now}, nil
}

// changed returns the user with the fields that are given, and as it is when none of them differs.
func (u user) changed(now time.Time, email, name *string, role userv1.UserRole) (user, error) {
	made := u
	if email != nil {
		if err := checkEmail(*email); err != nil {
			return user{}, err
		}
		made.email = *email
	}
	if name != nil {
		if err := checkName(*name); err != nil {
			return user{}, err
		}
		made.name = *name
	}
	if role != userv1.UserRole_USER_ROLE_UNSPECIFIED {
		made.role = role
	}
	if made != u {
		made.updatedAt = now.UTC().Round(0)
	}
	return made, nil
}

func checkEmail(email string) error {
	if length := utf8.RuneCountInString(email); length > emailLimit {
		return invalid("email: has %d characters; send at most %d characters", length, emailLimit)
	}
	local, domain, found := strings.Cut(email, "@")
	bad := func(char rune) bool { return char == '@' || unicode.IsSpace(char) || unicode.IsControl(char) }
	if !found || local == "" || domain == "" || strings.ContainsFunc(local, bad) || strings.ContainsFunc(domain, bad) {
		return invalid("email: %s is not an e-mail address; send one such as ada@example.com", quoted(email))
	}
	return nil
}

func checkName(name string) error {
	visible := utf8.RuneCountInString(strings.TrimSpace(name))
	if visible == 0 || utf8.RuneCountInString(name) > nameLimit {
		return invalid("name: has %d visible characters; send 1 to %d characters", visible, nameLimit)
	}
	if strings.ContainsFunc(name, unicode.IsControl) {
		return invalid("name: %s has control characters; send one line of plain text", quoted(name))
	}
	return nil
}

func checkRole(role userv1.UserRole) error {
	if role == userv1.UserRole_USER_ROLE_ADMIN || role == userv1.UserRole_USER_ROLE_MEMBER {
		return nil
	}
	return invalid("role: %d is not a role; send USER_ROLE_ADMIN or USER_ROLE_MEMBER", role)
}

func checkedID(id string) (string, error) {
	return checkedUUID("id", id, "the id of a User")
}

func checkedRequestID(id string) (string, error) {
	if id == "" {
		return "", nil
	}
	return checkedUUID("request_id", id, "a new random one for each user to create")
}

// checkRequestIDs refuses a batch that has a request id twice.
func checkRequestIDs(creations []creation) error {
	first := map[string]int{}
	for position, one := range creations {
		if one.requestID == "" {
			continue
		}
		if before, known := first[one.requestID]; known {
			return at(position, invalid("request_id: %s is that of entry %d too; send a new UUID for each user", one.requestID, before))
		}
		first[one.requestID] = position
	}
	return nil
}

// checkedUUID returns the canonical spelling: lower case with hyphens.
func checkedUUID(field, text, what string) (string, error) {
	found, err := uuid.Parse(text)
	if err != nil {
		return "", invalid("%s: %s is not a UUID; send %s, such as 123e4567-e89b-42d3-a456-426614174000", field, quoted(text), what)
	}
	return found.String(), nil
}

func checkedPageSize(size int32) (int, error) {
	if size < 0 {
		return 0, invalid("page_size: %d is negative; send 1 to %d, or 0 for %d", size, maxPageSize, defaultPageSize)
	}
	if size == 0 {
		return defaultPageSize, nil
	}
	return min(int(size), maxPageSize), nil
}

func quoted(text string) string {
	if short := []rune(text); len(short) > quoteLimit {
		text = string(short[:quoteLimit]) + "..."
	}
	escaped := strconv.Quote(text)
	return "'" + escaped[1:len(escaped)-1] + "'"
}
