"""An order by REST, which involves three services and their databases.

    python client.py HOST PORT [--name NAME]

Creates a user and a product, orders, reads the stock, is refused what there is not, and cancels;
prints every call. Exit code 0 when everything was as it should be.
"""

import argparse
import http.client
import json
import sys
import uuid
from http import HTTPStatus
from typing import Any

_TIMEOUT = 15
"""Seconds for one call."""


class Shop:
    """The services at one host.

    Args:
        host: Address of the gateway.
        port: Its port.
        name: Host to ask for.
    """

    def __init__(self, host: str, port: int, name: str) -> None:
        self._address = host, port
        self._name = name

    def call(self, verb: str, path: str, body: Any = None, status: int = HTTPStatus.OK) -> Any:
        """Makes one REST call and returns its JSON; ends the program at another status."""
        connection = http.client.HTTPConnection(*self._address, timeout=_TIMEOUT)
        headers = {"Host": self._name, "Content-Type": "application/json"}
        text = json.dumps(body) if body is not None else None
        print(f"{verb:5} http://{self._name}{path} {text or ''}")
        connection.request(verb, path, text, headers)
        answer = connection.getresponse()
        data = answer.read().decode()
        print(f"      {answer.status} {data}")
        if answer.status != status:
            raise SystemExit(f"{verb} {path}: HTTP {answer.status}, not {status}")
        return json.loads(data)

    def reserved(self, product: str) -> int:
        """Returns how many units of a product are reserved."""
        found = self.call("GET", f"/v1/products/{product}")["product"]
        return int(found.get("reservedQuantity", 0))


def order_something(shop: Shop) -> None:
    """The story."""
    email = f"ada-{uuid.uuid4().hex[:8]}@example.com"
    user = shop.call("POST", "/v1/users", {"email": email, "name": "Ada"})["user"]["id"]
    tea = {"name": "tea", "price": {"currencyCode": "EUR", "units": "3"}, "stockQuantity": "10"}
    product = shop.call("POST", "/v1/products", tea)["product"]["id"]

    # The request id makes it safe to send this again when no answer came.
    wanted = {"userId": user, "items": [{"productId": product, "quantity": 2}]}
    request = {**wanted, "requestId": str(uuid.uuid4())}
    order = shop.call("POST", "/v1/orders", request)["order"]
    again = shop.call("POST", "/v1/orders", request)["order"]
    expect(again == order, "the same request places one order")
    expect(order["status"] == "ORDER_STATUS_CONFIRMED", "the order is confirmed")
    expect(shop.reserved(product) == 2, "two units are reserved")

    wanted["items"][0]["quantity"] = 9
    refused = shop.call("POST", "/v1/orders", wanted, HTTPStatus.BAD_REQUEST)
    expect("INSUFFICIENT_STOCK" in json.dumps(refused), "nine more are refused")

    shop.call("POST", f"/v1/orders/{order['id']}:cancel", {})
    expect(shop.reserved(product) == 0, "a cancelled order holds no stock")
    orders = shop.call("GET", f"/v1/orders?userId={user}")["orders"]
    states = [entry["status"].removeprefix("ORDER_STATUS_") for entry in orders]
    expect(states == ["REJECTED", "CANCELLED"], "both orders are listed, the newest first")


def expect(holds: object, what: str) -> None:
    """Prints what was to be seen; ends the program when it was not."""
    print(f"      {'ok' if holds else 'WRONG'}: {what}")
    if not holds:
        raise SystemExit(1)


def main() -> int:
    """Returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("host")
    parser.add_argument("port", type=int)
    parser.add_argument("--name", default="shop.localhost", help="the host name of the routes")
    options = parser.parse_args()
    order_something(Shop(options.host, options.port, options.name))
    return 0


if __name__ == "__main__":
    sys.exit(main())
