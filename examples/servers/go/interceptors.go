package main

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"log/slog"
	"runtime/debug"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"
)

// aroundCall runs a call and returns its error, or refuses it. It is written once and used for unary
// calls and for streams, so that no kind of call is left out.
type aroundCall func(ctx context.Context, method string, call func() error) error

func (around aroundCall) unary(
	ctx context.Context, request any, info *grpc.UnaryServerInfo, handler grpc.UnaryHandler,
) (response any, err error) {
	err = around(ctx, info.FullMethod, func() error {
		response, err = handler(ctx, request)
		return err
	})
	return response, err
}

func (around aroundCall) stream(
	service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	return around(stream.Context(), info.FullMethod, func() error { return handler(service, stream) })
}

// infrastructure says whether a method is called by the kubelet and the gateway, which have no token.
func infrastructure(method string) bool {
	return strings.HasPrefix(method, "/grpc.health.v1.Health/") || strings.HasPrefix(method, "/grpc.reflection.")
}

// logging writes a line for each call, with the code that the client gets.
func logging(logger *slog.Logger) aroundCall {
	return func(ctx context.Context, method string, call func() error) error {
		start := time.Now()
		err := call()
		level := slog.LevelInfo
		if infrastructure(method) {
			level = slog.LevelDebug
		}
		from := ""
		if client, ok := peer.FromContext(ctx); ok {
			from = client.Addr.String()
		}
		logger.Log(ctx, level, "call", "method", method, "code", status.Code(err).String(),
			"seconds", time.Since(start).Seconds(), "peer", from)
		return err
	}
}

// recovery answers INTERNAL where a handler panics, or returns an error that has no code. The log has
// the cause; the client does not get it.
func recovery(logger *slog.Logger) aroundCall {
	return func(ctx context.Context, method string, call func() error) (err error) {
		defer func() {
			if cause := recover(); cause != nil {
				logger.ErrorContext(ctx, "panic", "method", method, "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
				err = status.Error(codes.Internal, "internal error")
			}
		}()
		err = call()
		if _, hasCode := status.FromError(err); hasCode {
			return err
		}
		if ctx.Err() != nil { // The client has cancelled, or its deadline has passed.
			return status.FromContextError(ctx.Err()).Err()
		}
		logger.ErrorContext(ctx, "error without a code", "method", method, "cause", err.Error())
		return status.Error(codes.Internal, "internal error")
	}
}

// authentication requires a bearer token, unless it is empty. A real service verifies signed tokens
// here.
func authentication(token string) aroundCall {
	want := sha256.Sum256([]byte(token))
	return func(ctx context.Context, method string, call func() error) error {
		if token == "" || infrastructure(method) {
			return call()
		}
		// Of equal length, so that the comparison takes the same time for every token.
		got := sha256.Sum256([]byte(bearer(ctx)))
		if subtle.ConstantTimeCompare(got[:], want[:]) != 1 {
			return status.Error(codes.Unauthenticated, "authorization: send the metadata authorization: Bearer TOKEN")
		}
		return call()
	}
}

func bearer(ctx context.Context) string {
	values := metadata.ValueFromIncomingContext(ctx, "authorization")
	if len(values) != 1 {
		return ""
	}
	scheme, token, _ := strings.Cut(values[0], " ")
	if !strings.EqualFold(scheme, "bearer") {
		return ""
	}
	return token
}
