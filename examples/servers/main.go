// A gRPC server in Go as a GrpcService needs it: health, reflection, and an end that fails no calls.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"os"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/reflection"
)

func main() {
	listener, err := net.Listen("tcp", ":"+setting("PORT", "50051"))
	if err != nil {
		log.Fatal(err)
	}
	server := grpc.NewServer()
	checks := health.NewServer()
	grpc_health_v1.RegisterHealthServer(server, checks)
	reflection.Register(server)
	// Your own service: pb.RegisterOrdersServer(server, &orders{})

	go drainAtSIGTERM(server, checks)
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	// Serve returns when GracefulStop or Stop has ended.
	if err := server.Serve(listener); err != nil {
		log.Fatal(err)
	}
}

// drainAtSIGTERM lets calls end for GRPC_DRAIN_SECONDS, which the operator sets, and cancels the rest.
func drainAtSIGTERM(server *grpc.Server, checks *health.Server) {
	stopped, cancel := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer cancel()
	<-stopped.Done()
	seconds, err := strconv.Atoi(setting("GRPC_DRAIN_SECONDS", "30"))
	if err != nil {
		log.Fatal(err)
	}
	time.AfterFunc(time.Duration(seconds)*time.Second, server.Stop)
	checks.Shutdown()
	server.GracefulStop()
}

func setting(name, unset string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return unset
}
