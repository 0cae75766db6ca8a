package main

import (
	"context"
	"log/slog"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/health"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"

	userv1 "example.com/users/gen/user/v1"
)

// maxStreams is how many calls one connection may have at a time; all clients of a gateway share a
// few connections.
const maxStreams = 1000

// server is a gRPC server with what it needs to end.
type server struct {
	grpc   *grpc.Server
	health *health.Server
	ending context.Context // Done when watches of the health have to end.
	end    context.CancelFunc
}

func newServer(users repository, token string, logger *slog.Logger) *server {
	made := &server{health: health.NewServer()}
	made.ending, made.end = context.WithCancel(context.Background())
	// The first one is the outermost, and sees the code that the client gets.
	around := []aroundCall{logging(logger), recovery(logger), authentication(token)}
	unary := make([]grpc.UnaryServerInterceptor, 0, len(around))
	streams := make([]grpc.StreamServerInterceptor, 0, len(around)+1)
	for _, one := range around {
		unary = append(unary, one.unary)
		streams = append(streams, one.stream)
	}
	made.grpc = grpc.NewServer(
		grpc.ChainUnaryInterceptor(unary...),
		grpc.ChainStreamInterceptor(append(streams, made.endWatches)...),
		grpc.MaxConcurrentStreams(maxStreams),
		// By default a client that pings more often than every 5 minutes is disconnected.
		grpc.KeepaliveEnforcementPolicy(keepalive.EnforcementPolicy{MinTime: 5 * time.Second, PermitWithoutStream: true}),
	)
	userv1.RegisterUserServiceServer(made.grpc, &userService{users: users})
	grpc_health_v1.RegisterHealthServer(made.grpc, made.health)
	// The empty name is the process itself, and SERVING from the start.
	made.health.SetServingStatus(userv1.UserService_ServiceDesc.ServiceName, grpc_health_v1.HealthCheckResponse_SERVING)
	reflection.Register(made.grpc)
	return made
}

// drain ends the server: health is NOT_SERVING at once, calls are still taken while clients and load
// balancers notice, then running calls get the rest of the time.
func (s *server) drain(lameDuck, rest time.Duration) {
	s.health.Shutdown()
	time.Sleep(lameDuck)
	s.end()
	// GracefulStop has no limit of its own.
	limit := time.AfterFunc(rest, s.grpc.Stop)
	defer limit.Stop()
	s.grpc.GracefulStop()
}

// endWatches ends watches of the health when the server ends: clients keep them open for as long as
// they have the connection, and GracefulStop would wait for them until its limit.
func (s *server) endWatches(
	service any, stream grpc.ServerStream, info *grpc.StreamServerInfo, handler grpc.StreamHandler,
) error {
	if info.FullMethod != grpc_health_v1.Health_Watch_FullMethodName {
		return handler(service, stream)
	}
	ctx, cancel := context.WithCancel(stream.Context())
	defer cancel()
	defer context.AfterFunc(s.ending, cancel)()
	err := handler(service, &streamWithContext{stream, ctx})
	if s.ending.Err() != nil {
		return status.Error(codes.Unavailable, "the server ends; call again, another one answers")
	}
	return err
}

type streamWithContext struct {
	grpc.ServerStream
	ctx context.Context
}

func (s *streamWithContext) Context() context.Context { return s.ctx }
