module grpc-operator.dev/localkind/pause

go 1.26.0
