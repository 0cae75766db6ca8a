package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	_ "google.golang.org/grpc/health" // healthCheckConfig does nothing without it
)

// The methods that are sent again after UNAVAILABLE: reads, and what a request id makes safe to
// repeat. Nothing else: it might be done twice.
var retried = []string{
	"user.v1.UserService/GetUser",
	"user.v1.UserService/CreateUser",
	"user.v1.UserService/ListUsers",
	"product.v1.ProductService/GetProduct",
	"product.v1.ProductService/CreateProduct",
	"order.v1.OrderService/CreateOrder",
}

// connect makes the channel to a service from the variables of its client ConfigMap: one for the
// whole process, it connects again by itself.
func connect(prefix string) (*grpc.ClientConn, error) {
	target := os.Getenv(prefix + "GRPC_TARGET")
	if target == "" {
		return nil, fmt.Errorf("%sGRPC_TARGET: not set; take it from the ConfigMap NAME-grpc-client", prefix)
	}
	config, err := withRetries(os.Getenv(prefix + "GRPC_SERVICE_CONFIG"))
	if err != nil {
		return nil, fmt.Errorf("%sGRPC_SERVICE_CONFIG: %w", prefix, err)
	}
	return grpc.NewClient(target,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultServiceConfig(config),
		grpc.WithDisableServiceConfig(), // none from DNS
	)
}

// withRetries adds a method config for the retried methods. gRPC takes the most specific method
// config alone, so what the published one says of all methods is repeated there.
func withRetries(text string) (string, error) {
	if text == "" {
		text = `{"loadBalancingConfig": [{"round_robin": {}}]}`
	}
	config := map[string]any{}
	if err := json.Unmarshal([]byte(text), &config); err != nil {
		return "", err
	}
	entry := map[string]any{"retryPolicy": map[string]any{
		"maxAttempts": 4, "initialBackoff": "0.1s", "maxBackoff": "1s", "backoffMultiplier": 2,
		"retryableStatusCodes": []string{"UNAVAILABLE"},
	}}
	published, _ := config["methodConfig"].([]any)
	for _, one := range published {
		if timeout, ok := one.(map[string]any)["timeout"]; ok {
			entry["timeout"] = timeout
		}
	}
	var names []any
	for _, method := range retried {
		service, name, _ := strings.Cut(method, "/")
		names = append(names, map[string]string{"service": service, "method": name})
	}
	entry["name"] = names
	config["methodConfig"] = append(published, entry)
	// No retries while most calls fail, so that they cannot keep a service down.
	config["retryThrottling"] = map[string]any{"maxTokens": 100, "tokenRatio": 0.1}
	made, err := json.Marshal(config)
	return string(made), err
}
