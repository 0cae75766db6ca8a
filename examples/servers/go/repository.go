package main

import "context"

// repository keeps users. Its methods give up when the context is done; every error that a client
// should see is a problem.
type repository interface {
	get(ctx context.Context, id string) (user, error)
	// create stores all users or none. A creation with the id of an earlier request gets the answer of
	// that one.
	create(ctx context.Context, creations []creation) ([]user, error)
	// update replaces a user by what change makes of it; an error of change leaves it as it is.
	update(ctx context.Context, id string, change func(user) (user, error)) (user, error)
	// upsert stores what decide makes of the user with the id or, where that is empty, the address;
	// decide gets nil, and before is nil, when there is none.
	upsert(ctx context.Context, id, email string, decide func(*user) (user, error)) (before *user, after user, err error)
	delete(ctx context.Context, id string) error
	// list returns users in the order of their creation; an empty token asks for the first page.
	list(ctx context.Context, size int, token string) (page, error)
}

// page is part of a list; nextToken is empty for the last one.
type page struct {
	users     []user
	nextToken string
}
