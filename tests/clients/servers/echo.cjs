// A server that answers GetUser and ListUsers with an empty message.
const grpc = require("@grpc/grpc-js");

const empty = Buffer.alloc(0);
const bytes = (message) => message;
const method = (name, responseStream) => ({
  path: `/user.v1.UserService/${name}`,
  requestStream: false,
  responseStream,
  requestDeserialize: bytes,
  requestSerialize: bytes,
  responseDeserialize: bytes,
  responseSerialize: bytes,
});

const server = new grpc.Server();
server.addService(
  { GetUser: method("GetUser", false), ListUsers: method("ListUsers", true) },
  {
    GetUser: (_, reply) => reply(null, empty),
    ListUsers: (call) => {
      call.write(empty);
      call.end();
    },
  },
);
server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, port) => {
  if (error) throw error;
  console.log(port);
});
