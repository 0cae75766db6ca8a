// A gRPC server in Node.js as a GrpcService needs it: health, and an end that fails no calls.
const grpc = require("@grpc/grpc-js");

const SERVING = Buffer.from([0x08, 0x01]); // grpc.health.v1.HealthCheckResponse{status: SERVING}
const bytes = (message) => message;
const check = {
  path: "/grpc.health.v1.Health/Check",
  requestStream: false,
  responseStream: false,
  requestDeserialize: bytes,
  requestSerialize: bytes,
  responseDeserialize: bytes,
  responseSerialize: bytes,
};

const server = new grpc.Server();
// The package grpc-health-check has all of the health service; this is what probes need of it.
server.addService({ Check: check }, { Check: (_call, reply) => reply(null, SERVING) });
// Your own service: server.addService(OrdersService, orders);

process.on("SIGTERM", () => {
  const seconds = Number(process.env.GRPC_DRAIN_SECONDS ?? 30);
  setTimeout(() => server.forceShutdown(), seconds * 1000).unref();
  server.tryShutdown(() => process.exit(0));
});

const address = `0.0.0.0:${process.env.PORT ?? 50051}`;
server.bindAsync(address, grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
