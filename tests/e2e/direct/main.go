// Calls a service by what its client ConfigMap says, until the file "stop" exists.
// Prints one JSON line: how many calls were made, and the code of each that failed by second.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // what the service config's healthCheckConfig needs
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
)

func main() {
	config := grpc.WithDefaultServiceConfig(os.Getenv("GRPC_SERVICE_CONFIG"))
	plain := grpc.WithTransportCredentials(insecure.NewCredentials())
	channel, err := grpc.NewClient(os.Getenv("GRPC_TARGET"), config, plain)
	if err != nil {
		panic(err)
	}
	defer channel.Close()
	client := grpc_health_v1.NewHealthClient(channel)

	stop := filepath.Join(filepath.Dir(os.Args[0]), "stop")
	failed := map[string]int{}
	calls, began := 0, time.Now()
	for _, err := os.Stat(stop); err != nil; _, err = os.Stat(stop) {
		calls++
		limited, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		_, err := client.Check(limited, &grpc_health_v1.HealthCheckRequest{})
		cancel()
		if err != nil {
			failed[fmt.Sprintf("%.0f s %s", time.Since(began).Seconds(), status.Code(err))]++
		}
		time.Sleep(20 * time.Millisecond)
	}
	line, _ := json.Marshal(map[string]any{"calls": calls, "failed": failed})
	fmt.Println(string(line))
}
