"""Which answers of the load generator count as wrong."""

import base64
from typing import Any

import pytest
from bench import h2, messages
from bench.messages import Target
from bench.processes import Load


def _answer(count: int, blocks: list[bytes], body: bytes) -> dict[str, Any]:
    encoded = [base64.b64encode(block).decode() for block in blocks]
    return {"Count": count, "Blocks": encoded, "Body": base64.b64encode(body).decode()}


def _wrong(*answers: dict[str, Any], lost: int = 0) -> int:
    load = Load("gRPC", Target(), 100)
    return load.wrong({"Seconds": 1.0, "Lost": lost, "Answers": list(answers)})


_STATUS = h2.STATUS_200
_BODY = messages.framed(messages.response())
_OK = h2.headers({"grpc-status": "0"})


def test_the_user_with_status_0_is_right() -> None:
    assert _wrong(_answer(100, [_STATUS, _OK], _BODY)) == 0


def test_a_change_of_the_table_may_come_first() -> None:
    assert _wrong(_answer(100, [b"\x20" + _STATUS, _OK], _BODY)) == 0


@pytest.mark.parametrize(
    "answer",
    [
        _answer(3, [b"\x8d", _OK], _BODY),
        _answer(3, [_STATUS, h2.headers({"grpc-status": "14"})], _BODY),
        _answer(3, [_STATUS, _OK], _BODY[:-1]),
        _answer(3, [_STATUS], _BODY),
        _answer(3, [], b""),
    ],
    ids=["not 200", "another status", "another body", "no trailers", "nothing"],
)
def test_equal_answers_that_are_wrong_count_each(answer: dict[str, Any]) -> None:
    assert _wrong(_answer(97, [_STATUS, _OK], _BODY), answer) == 3


def test_calls_without_an_answer_are_wrong() -> None:
    assert _wrong(lost=5) == 5
    assert Load("gRPC", Target(), 100).wrong({"Lost": 7, "Answers": None}) == 7
