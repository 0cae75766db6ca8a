"""What the table compares, and with which target."""

from bench import data_plane
from bench.data_plane import Ratio
from bench.figures import Figure, ratio


def _by_name(*names: str) -> dict[str, float | None]:
    return {each.name: each.target for each in data_plane.comparisons() if each.name in names}


def test_peers_are_to_cost_more_than_we() -> None:
    peers = (
        "gRPC: ours / Envoy Gateway",
        "gRPC-Web: ours / Envoy Gateway",
        "gRPC logged: ours / Envoy Gateway",
        "gRPC-Web logged: ours / Envoy Gateway",
        "REST: ours / grpc-gateway",
    )

    assert _by_name(*peers) == dict.fromkeys(peers, 0.95)


def test_the_same_features_by_hand_may_cost_five_percent_less() -> None:
    by_hand = tuple(f"{each}: ours / same by hand" for each in ("gRPC", "gRPC-Web", "REST"))

    assert _by_name(*by_hand) == dict.fromkeys(by_hand, 1.05)


def test_every_line_has_a_name_of_its_own_and_two_sides_of_one_protocol() -> None:
    lines = data_plane.comparisons()

    assert len({each.name for each in lines}) == len(lines)
    across = {"REST / gRPC, ours", "gRPC-Web / gRPC, ours"}
    assert {each.name for each in lines if _protocol(each.over) != _protocol(each.under)} == across


def _protocol(side: str) -> str:
    return side.rpartition(" ")[2]


def test_a_thousand_services_may_cost_five_percent_more_than_one() -> None:
    lines = list(data_plane.of_many(1000))

    assert Ratio("gRPC: 1000 services / 1, one host", "all gRPC", "one gRPC", 1.05) in lines
    assert {each.target for each in lines} == {1.05}


def test_a_ratio_is_the_median_of_rounds_with_lowest_and_highest() -> None:
    found = ratio("x", [1.0, 4.0, 3.0], [1.0, 2.0, 2.0], target=1.6)

    assert (found.value, found.low, found.high) == (1.5, 1.0, 2.0)
    assert found.verdict == "met"


def test_a_value_above_its_target_is_missed() -> None:
    assert Figure("x", 0.96, "x", target=0.95).verdict == "MISSED"
