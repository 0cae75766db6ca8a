"""A stand-in for grpcurl: the part of its command line that `status.urls` uses.

    grpcurl [-plaintext] -protoset FILE [-max-time SECONDS] [-d JSON] [-authority HOST]
            ADDRESS SERVICE/METHOD

The request is an empty message without -d; the answers are printed as JSON. An error ends it with
exit code 64 + the status code, as with the real one.
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

from tests.waiting import HANG


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(prog="grpcurl", allow_abbrev=False)
    parser.add_argument("-plaintext", action="store_true", required=True)
    parser.add_argument("-protoset", type=Path, required=True)
    parser.add_argument("-max-time", type=float, default=HANG)
    parser.add_argument("-d", default="{}")
    parser.add_argument("-authority")
    parser.add_argument("address")
    parser.add_argument("method")
    options = parser.parse_args()
    service, _, name = options.method.rpartition("/")
    method = _pool(options.protoset).FindServiceByName(service).methods_by_name[name]
    request = message_factory.GetMessageClass(method.input_type)
    reply: Any = message_factory.GetMessageClass(method.output_type)
    authority = options.authority or options.address
    channel = grpc.insecure_channel(
        options.address,
        [("grpc.default_authority", authority), ("grpc.enable_retries", 0)],
    )
    call: Any = channel.unary_stream(
        f"/{options.method}", lambda message: message.SerializeToString(), reply.FromString
    )
    try:
        for message in call(json_format.Parse(options.d, request()), timeout=options.max_time):
            print(json_format.MessageToJson(message))  # noqa: T201 - a command-line tool
    except grpc.RpcError as error:
        code: Any = error.code()
        text = f"ERROR:\n  Code: {code.name}\n  Message: {error.details()}"
        print(text, file=sys.stderr)  # noqa: T201 - a command-line tool
        return 64 + int(code.value[0])
    return 0


def _pool(protoset: Path) -> descriptor_pool.DescriptorPool:
    files = descriptor_pb2.FileDescriptorSet.FromString(protoset.read_bytes()).file
    pool = descriptor_pool.DescriptorPool()
    for file in files:
        pool.AddSerializedFile(file.SerializeToString())
    return pool


if __name__ == "__main__":
    sys.exit(main())
