// The user service in Go without the service kit: health, reflection, interceptors for every kind of
// call, and an end that fails no calls.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/signal"
	"syscall"

	"google.golang.org/grpc"
)

func main() {
	config, err := readSettings(os.Getenv)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	logger := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := serve(ctx, config, logger); err != nil {
		logger.Error(err.Error())
		os.Exit(1)
	}
}

// serve answers calls until the context is done, drains, and returns.
func serve(ctx context.Context, config settings, logger *slog.Logger) error {
	listener, err := net.Listen("tcp", fmt.Sprintf(":%d", config.port))
	if err != nil {
		return fmt.Errorf("PORT: cannot listen on %d: %w", config.port, err)
	}
	server := newServer(newMemory(), config.token, logger)
	go func() {
		<-ctx.Done()
		server.drain(config.lameDuck, config.drain-config.lameDuck)
	}()
	logger.Info(fmt.Sprintf("serving on port %d", listener.Addr().(*net.TCPAddr).Port))
	// Returns when the drain has ended; with ErrServerStopped when that was before it began to serve.
	if err := server.grpc.Serve(listener); err != nil && !errors.Is(err, grpc.ErrServerStopped) {
		return err
	}
	logger.Info("stopped")
	return nil
}
