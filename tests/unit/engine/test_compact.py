"""Objects in the store take little memory, and say the same."""

import json
from typing import Any

from grpc_operator import managed_fields
from grpc_operator.engine.store import Store
from grpc_operator.resources import SERVICES, Manifest

ENTRIES = [{"manager": "a", "fieldsV1": {"f:spec": {"f:ports": {'k:{"port":1}': {".": {}}}}}}]
LONG = "x" * 100


def test_content() -> None:
    """Nothing is lost, and the entries of ``managedFields`` can be read."""
    given = _service("a")

    kept = _kept(given)

    assert managed_fields.entries(kept) == managed_fields.entries(given) == ENTRIES
    assert {**kept, "metadata": None} == {**given, "metadata": None}
    assert given["metadata"]["managedFields"] is not kept["metadata"]["managedFields"]


def test_shared_strings() -> None:
    """Names of fields and short values exist once, however often they came."""
    first, second = _kept(_service("a")), _kept(_service("a"))

    texts = _texts(first)

    assert len(texts) == 16
    assert [id(a) == id(b) for a, b in zip(texts, _texts(second), strict=True)] == [
        len(text) <= 64 for text in texts
    ]


def test_no_dictionaries_of_fields() -> None:
    """The entries of ``managedFields`` are one text."""
    kept = _kept(_service("a"))

    assert isinstance(kept["metadata"]["managedFields"], str)
    assert managed_fields.packed(kept["metadata"]) is kept["metadata"]


def _service(name: str) -> Manifest:
    made = {
        "metadata": {
            "name": name,
            "namespace": "n",
            "uid": "u",
            "resourceVersion": "1",
            "managedFields": ENTRIES,
        },
        "spec": {"ports": [{"port": 1}], "text": LONG},
    }
    parsed: Manifest = json.loads(json.dumps(made))  # as each comes from the API server
    return parsed


def _kept(manifest: Manifest) -> Manifest:
    store = Store()
    store.put(SERVICES, manifest)
    return store.all(SERVICES)[0]


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for name, each in value.items() for text in (name, *_texts(each))]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
