// A grpc-gateway of the user service: REST in, gRPC out.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/grpc-ecosystem/grpc-gateway/v2/runtime"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	user "grpc-operator.dev/bench/grpcgateway/gen/user/v1"
)

// The first argument is the address of the upstream; the port it serves on is printed.
func main() {
	mux := runtime.NewServeMux()
	plain := grpc.WithTransportCredentials(insecure.NewCredentials())
	err := user.RegisterUserServiceHandlerFromEndpoint(
		context.Background(), mux, os.Args[1], []grpc.DialOption{plain})
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	server := http.Server{Handler: mux, Protocols: new(http.Protocols)}
	server.Protocols.SetUnencryptedHTTP2(true)
	log.Fatal(server.Serve(listener))
}
