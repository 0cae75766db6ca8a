"""A small gRPC server with at most one mistake: ``python -m ... [CODE]`` prints its ports.

Without a code it has none.
"""

import signal
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

SERVICE = "lint.v1.Things"
_CHUNK = bytes(65536)
_READS = descriptor_pb2.MethodOptions.NO_SIDE_EFFECTS


def main(mistake: str = "") -> None:
    """Serves until SIGTERM."""
    _define(mistake)
    threads = 8 if mistake == "GS106" else 64
    options = [("grpc.max_receive_message_length", -1)] if mistake == "GS105" else []
    server = grpc.server(ThreadPoolExecutor(threads), options=options)
    server.add_generic_rpc_handlers((_handlers(mistake),))
    healthy = health.HealthServicer()
    if mistake != "GS102":
        health_pb2_grpc.add_HealthServicer_to_server(healthy, server)
        for name in ("", SERVICE):
            healthy.set(name, health_pb2.HealthCheckResponse.SERVING)
    if mistake != "GS107":
        reflection.enable_server_reflection((SERVICE, reflection.SERVICE_NAME), server)
    port = server.add_insecure_port("127.0.0.1:0")
    ended = threading.Event()
    if mistake != "GS110":
        signal.signal(signal.SIGTERM, lambda *_: ended.set())
    server.start()
    sys.stdout.write(f"{port} {_metrics(mistake)}\n")
    sys.stdout.flush()
    ended.wait()
    healthy.enter_graceful_shutdown()
    server.stop(grace=5).wait()


def _handlers(mistake: str) -> grpc.GenericRpcHandler:
    def get(_: bytes, context: grpc.ServicerContext) -> bytes:
        if mistake == "GS109":
            raise ValueError("no id")
        if mistake == "GS103":
            threading.Event().wait(60)
        return context.abort(grpc.StatusCode.INVALID_ARGUMENT, "id: must not be empty")

    def watch(_: bytes, context: grpc.ServicerContext) -> Iterator[bytes]:
        while context.is_active():
            yield b"\x0a\x80\x80\x04" + _CHUNK

    return grpc.method_handlers_generic_handler(
        SERVICE,
        {
            "GetThing": grpc.unary_unary_rpc_method_handler(get),
            "WatchThings": grpc.unary_stream_rpc_method_handler(watch),
        },
    )


def _define(mistake: str) -> None:
    """Makes the API known to reflection."""
    file = descriptor_pb2.FileDescriptorProto(
        name="lint/v1/things.proto", package="lint.v1", syntax="proto3"
    )
    file.message_type.add(name="Thing").field.add(
        name="id",
        number=1,
        type=descriptor_pb2.FieldDescriptorProto.TYPE_BYTES,
        label=descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL,
    )
    service = file.service.add(name="Things")
    for name, streams in (("GetThing", False), ("WatchThings", True)):
        method = service.method.add(name=name, server_streaming=streams)
        method.input_type = method.output_type = ".lint.v1.Thing"
        if mistake != "GS104":
            method.options.idempotency_level = _READS
    descriptor_pool.Default().AddSerializedFile(file.SerializeToString())


def _metrics(mistake: str) -> int:
    """Serves a metrics page; returns its port."""
    series = "" if mistake == "GS108" else 'grpc_server_handled_total{grpc_method="Check"} 1\n'

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"process_cpu_seconds_total 1\n{series}".encode())

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
