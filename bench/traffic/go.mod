module grpc-operator.dev/bench/traffic

go 1.26.0
