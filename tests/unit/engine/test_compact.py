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

    assert len(texts) == 18
    assert [id(a) == id(b) for a, b in zip(texts, _texts(second), strict=True)] == [
        len(text) <= 64 for text in texts
    ]


def test_no_dictionaries_of_fields() -> None:
    """The fields of the entries of ``managedFields`` are text."""
    kept = _kept(_service("a"))

    ((entry, text),) = kept["metadata"]["managedFields"]
    assert entry == {"manager": "a"}
    assert isinstance(text, str)
    assert managed_fields.packed(kept["metadata"]) is kept["metadata"]


def test_fields_of_objects_of_one_shape_are_kept_once() -> None:
    """Whoever owns the objects; each has its own owner in its fields all the same."""
    texts = set()
    for uid in ("1" * 36, "2" * 36):
        owned: Manifest = {f'k:{{"uid":"{uid}"}}': {}}
        fields = {"f:metadata": {"f:ownerReferences": owned}}
        given = _service("a")
        given["metadata"] |= {
            "ownerReferences": [{"uid": "0"}, {"uid": uid}],
            "managedFields": [{"manager": "a", "fieldsV1": fields}, {"manager": "b"}],
        }

        kept = _kept(given)

        assert managed_fields.entries(kept) == given["metadata"]["managedFields"]
        texts.add(id(kept["metadata"]["managedFields"][0][1]))
    assert len(texts) == 1


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
    if isinstance(value, list | tuple):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
