/**
 * Server reflection, v1 and v1alpha, with the descriptors as buf made them. The package
 * @grpc/reflection sends descriptors without the options that it does not know, google.api.http among
 * them, and a gateway would offer no REST.
 */
import { createRegistry, type DescFile, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema } from "@bufbuild/protobuf/wkt";
import { type Server, status } from "@grpc/grpc-js";
import { ServerReflection, type ServerReflectionRequest, type ServerReflectionResponseSchema } from "./gen/grpc/reflection/v1/reflection_pb.js";
import { Health } from "./gen/health/v1/health_pb.js";
import { UserService } from "./gen/user/v1/user_pb.js";
import { addService } from "./handlers.ts";

const SERVICES = [UserService, Health, ServerReflection];
const FILES = SERVICES.flatMap(({ file }) => withImports(file));
const REGISTRY = createRegistry(...FILES);

type Answer = Exclude<MessageInitShape<typeof ServerReflectionResponseSchema>["messageResponse"], undefined>;

/** Adds both versions, which have the same messages. */
export function addReflection(server: Server): void {
  const implementation = {
    async *serverReflectionInfo(requests: AsyncIterable<ServerReflectionRequest>) {
      for await (const originalRequest of requests) {
        yield { originalRequest, validHost: originalRequest.host, messageResponse: answer(originalRequest) };
      }
    },
  };
  for (const version of ["v1", "v1alpha"]) {
    addService(server, ServerReflection, implementation, `grpc.reflection.${version}.ServerReflection`);
  }
}

function answer({ messageRequest }: ServerReflectionRequest): Answer {
  switch (messageRequest.case) {
    case "listServices":
      return { case: "listServicesResponse", value: { service: SERVICES.map(({ typeName: name }) => ({ name })) } };
    case "fileByFilename":
      return files(FILES.find(({ proto }) => proto.name === messageRequest.value), messageRequest.value);
    case "fileContainingSymbol":
      return files(fileOf(messageRequest.value), messageRequest.value);
    case "fileContainingExtension": {
      const { containingType, extensionNumber } = messageRequest.value;
      const message = REGISTRY.getMessage(containingType);
      const extension = message && REGISTRY.getExtensionFor(message, extensionNumber);
      return files(extension?.file, `${containingType} ${extensionNumber}`);
    }
    case "allExtensionNumbersOfType": {
      const extensionNumber = [...REGISTRY]
        .filter((type) => type.kind === "extension")
        .filter(({ extendee }) => extendee.typeName === messageRequest.value)
        .map(({ number }) => number);
      return { case: "allExtensionNumbersResponse", value: { baseTypeName: messageRequest.value, extensionNumber } };
    }
    default:
      return problem(status.UNIMPLEMENTED, "this kind of request is not known");
  }
}

/** Returns the file of a type, or of the type that has the method, field or value of this name. */
function fileOf(symbol: string): DescFile | undefined {
  const type = REGISTRY.get(symbol) ?? REGISTRY.get(symbol.slice(0, Math.max(symbol.lastIndexOf("."), 0)));
  return type?.file;
}

function files(file: DescFile | undefined, wanted: string): Answer {
  if (!file) return problem(status.NOT_FOUND, `not found: ${wanted.slice(0, 200)}`);
  const fileDescriptorProto = [...new Set(withImports(file))].map(({ proto }) => toBinary(FileDescriptorProtoSchema, proto));
  return { case: "fileDescriptorResponse", value: { fileDescriptorProto } };
}

function problem(errorCode: status, errorMessage: string): Answer {
  return { case: "errorResponse", value: { errorCode, errorMessage } };
}

function withImports(file: DescFile): DescFile[] {
  return [file, ...file.dependencies.flatMap(withImports)];
}
