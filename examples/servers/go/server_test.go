package main

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"

	userv1 "example.com/users/gen/user/v1"
)

const someID = "123e4567-e89b-42d3-a456-426614174000"

// faulty is a repository with faults: the methods that it does not have panic.
type faulty struct{ repository }

func (faulty) delete(context.Context, string) error { return errors.New("secret of the database") }

func (faulty) update(ctx context.Context, _ string, _ func(user) (user, error)) (user, error) {
	<-ctx.Done()
	return user{}, ctx.Err()
}

func TestFaultsAreInternalAndTheServerServesOn(t *testing.T) {
	var log bytes.Buffer
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := newServer(faulty{}, "", slog.New(slog.NewJSONHandler(&log, nil)))
	served := make(chan error)
	go func() { served <- server.grpc.Serve(listener) }()
	channel, err := grpc.NewClient(listener.Addr().String(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	users := userv1.NewUserServiceClient(channel)
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()

	for name, call := range map[string]func() error{
		"a panic in a unary call": func() error {
			_, err := users.GetUser(ctx, &userv1.GetUserRequest{Id: someID})
			return err
		},
		"a panic in a stream": func() error {
			stream, err := users.ListUsers(ctx, &userv1.ListUsersRequest{})
			if err == nil {
				_, err = stream.Recv()
			}
			return err
		},
		"an error without a code": func() error {
			_, err := users.DeleteUser(ctx, &userv1.DeleteUserRequest{Id: someID})
			return err
		},
	} {
		if err := call(); status.Code(err) != codes.Internal || status.Convert(err).Message() != "internal error" {
			t.Errorf("%s: %v", name, err)
		}
	}
	short, cancelShort := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancelShort()
	if _, err := users.UpdateUser(short, &userv1.UpdateUserRequest{Id: someID}); status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("after the deadline: %v", err)
	}

	channel.Close()
	server.drain(0, time.Minute)
	if err := <-served; err != nil {
		t.Error(err)
	}
	text := log.String()
	for word, times := range map[string]int{
		`"msg":"panic"`: 2, "secret of the database": 1, `"code":"Internal"`: 3, "UserService/UpdateUser": 1,
	} {
		if strings.Count(text, word) != times {
			t.Errorf("%s is not %d times in the log:\n%s", word, times, text)
		}
	}
}
