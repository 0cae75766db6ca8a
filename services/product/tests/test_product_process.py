"""The process: it serves, migrates, refuses bad settings, outlives its database, and ends."""

import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from sqlalchemy import URL

from grpc_service_kit.testing.polling import TIMEOUT, attempts, wait_until
from grpc_service_kit.testing.postgres import free_port, postgres_server
from grpc_service_kit.testing.processes import ServerProcess, server_processes
from product.v1 import product_pb2 as pb
from product.v1 import product_pb2_grpc
from product_goods import EUROS, new_id

Start = Callable[..., ServerProcess]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start product services; they have one SQLite file unless the variables say otherwise."""
    with server_processes("product_service", tmp_path) as start:
        yield start


def create(stub: "product_pb2_grpc.ProductServiceStub") -> pb.Product:
    request = pb.CreateProductRequest(name="tea", price=EUROS, stock_quantity=10)
    return stub.CreateProduct(request, timeout=TIMEOUT).product


def test_calls_are_counted(start: Start) -> None:
    metrics_port = free_port()
    server = start(METRICS_PORT=str(metrics_port))
    with grpc.insecure_channel(server.target) as channel:
        create(product_pb2_grpc.ProductServiceStub(channel))

    page = f"http://127.0.0.1:{metrics_port}/metrics"
    with urllib.request.urlopen(page, timeout=TIMEOUT) as response:
        lines = response.read().decode().splitlines()
    handled = [line for line in lines if "CreateProduct" in line and 'OK"' in line]
    assert handled, lines
    assert handled[0].endswith(" 1.0")


def test_a_signal_ends_watchers_and_the_process(start: Start) -> None:
    """At once, and not when the time of draining is over: the test's limit is shorter."""
    for attempt in attempts(1, 30):
        with attempt:
            _drain(start(GRPC_DRAIN_SECONDS="600", LAME_DUCK_SECONDS=str(attempt.seconds)))


def _drain(server: ServerProcess) -> None:
    with grpc.insecure_channel(server.target) as channel:
        stub = product_pb2_grpc.ProductServiceStub(channel)
        tea = create(stub)
        states = stub.WatchStock(pb.WatchStockRequest(product_ids=[tea.id]), timeout=TIMEOUT)
        next(states)

        server.terminate()

        with pytest.raises(grpc.RpcError) as caught:
            next(states)
        assert isinstance(caught.value, grpc.Call)
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
        stub.GetProduct(pb.GetProductRequest(id=tea.id), timeout=TIMEOUT)  # Still served.
    assert server.end() == 0
    assert "stopped" in server.lines[-1]


def test_bad_settings_end_with_2_and_one_line_each(start: Start) -> None:
    server = start(PORT="http", DATABASE_PATH=":memory:")

    assert server.end() == 2
    assert [line.partition(":")[0] for line in server.lines] == ["PORT", "DATABASE_PATH"]


def test_a_directory_that_cannot_be_written_ends_with_2_and_one_line(start: Start) -> None:
    server = start(DATABASE_PATH="/proc/products.db")

    assert server.end() == 2
    assert len(server.lines) == 1
    assert server.lines[0].startswith("DATABASE_PATH: /proc/products.db cannot be used: ")


def test_the_database_is_migrated_down_and_up(start: Start, url: URL) -> None:
    database = {"DATABASE_URL": url.render_as_string(hide_password=False)}
    for arguments, step in ((("--to", "base"), "0001 -> , products"), ((), "  -> 0001, products")):
        server = start("migrate", *arguments, **database)
        assert server.end() == 0
        assert f"{step.strip()}: the catalogue" in server.log.read_text()


def test_what_depends_on_the_database_comes_back_with_it(start: Start) -> None:
    """Calls are UNAVAILABLE and health NOT_SERVING while it is away; then all is as before."""
    with postgres_server() as postgres:
        server = start(DATABASE_URL=postgres.url(), HEALTH_CHECK_SECONDS="0.1")
        with grpc.insecure_channel(server.target) as channel:
            stub = product_pb2_grpc.ProductServiceStub(channel)
            tea = create(stub)
            request = health_pb2.HealthCheckRequest(service="product.v1.ProductService")
            health = health_pb2_grpc.HealthStub(channel).Watch(request, timeout=3 * TIMEOUT)
            assert next(health).status == health_pb2.HealthCheckResponse.SERVING

            postgres.stop()
            assert next(health).status == health_pb2.HealthCheckResponse.NOT_SERVING
            reserve = pb.ReserveStockRequest(
                reservation_id=new_id(), items=[pb.StockItem(product_id=tea.id, quantity=1)]
            )
            with pytest.raises(grpc.RpcError) as caught:
                stub.ReserveStock(reserve, timeout=TIMEOUT)
            assert isinstance(caught.value, grpc.Call)
            assert caught.value.code() is grpc.StatusCode.UNAVAILABLE

            postgres.start()
            assert next(health).status == health_pb2.HealthCheckResponse.SERVING
            stub.ReserveStock(reserve, timeout=TIMEOUT)
            found = stub.GetProduct(pb.GetProductRequest(id=tea.id), timeout=TIMEOUT)
            assert found.product.reserved_quantity == 1
            health.cancel()


def test_a_port_in_use_ends_with_2_and_one_line(start: Start) -> None:
    port = start().port
    second = start(PORT=str(port))

    wait_until(lambda: second.process.poll() is not None)
    assert second.end() == 2
    assert f"cannot listen on {port}" in second.lines[-1]
