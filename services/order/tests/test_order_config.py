"""Settings: defaults, where the other services are, and every wrong variable named."""

from pathlib import Path

import pytest

from grpc_service_kit import ConfigError
from order_service.config import Config


def test_defaults_suit_a_developers_machine() -> None:
    config = Config.from_env({})

    assert config.server.port == 50052
    assert config.database.url.database == "orders.db"
    assert config.users.address == "dns:///localhost:50051"
    assert config.products.address == "dns:///localhost:50053"
    assert config.token_file == ""


def test_targets_come_from_the_config_maps_of_the_operator() -> None:
    environ = {
        "PORT": "0",
        "USERS_GRPC_TARGET": "dns:///users-headless.default.svc:50051",
        "USERS_GRPC_SERVICE_CONFIG": '{"loadBalancingConfig":[{"round_robin":{}}]}',
        "PRODUCTS_GRPC_TARGET": "products:50053",
    }
    config = Config.from_env(environ)

    assert config.server.port == 0
    assert config.users.address == "dns:///users-headless.default.svc:50051"
    assert config.users.service_config == {"loadBalancingConfig": [{"round_robin": {}}]}
    assert config.products.address == "dns:///products:50053"


def test_every_wrong_variable_is_named(tmp_path: Path) -> None:
    environ = {
        "PORT": "http",
        "DATABASE_URL": "mysql://secret@db/orders",
        "USERS_GRPC_TARGET": "users",
        "USERS_GRPC_SERVICE_CONFIG": "{",
        "PRODUCTS_GRPC_TARGET": "products",
        "TOKEN_FILE": str(tmp_path / "token"),
        "RECOVERY_SECONDS": "soon",
        "WATCH_SECONDS": "-1",
    }
    with pytest.raises(ConfigError) as caught:
        Config.from_env(environ)

    lines = str(caught.value).splitlines()
    assert sorted(line.partition(":")[0] for line in lines) == sorted(environ)
    assert "secret" not in str(caught.value)
