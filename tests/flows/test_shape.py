"""Graphs of phases as nested blocks: what keeps its shape, and where barriers go."""

from __future__ import annotations

import pytest

from loom.flows.shape import MOST_PATHS, MOST_PHASES, Block, Each, One, Parallel, Series, Wave, paths, shape


def parallel(*names: str) -> Parallel:
    return Parallel(tuple(map(One, names)))


def series(*parts: Block | str) -> Series:
    return Series(tuple(One(part) if isinstance(part, str) else part for part in parts))


@pytest.mark.parametrize(
    ("graph", "expected"),
    [
        ({"a": ()}, One("a")),
        ({"a": (), "b": ("a",), "c": ("b",)}, series("a", "b", "c")),
        ({"a": (), "b": (), "c": ()}, parallel("a", "b", "c")),
        ({"a": (), "b": ("a",), "c": ("a",), "d": ("b", "c")}, series("a", parallel("b", "c"), "d")),
        ({"a": (), "b": (), "c": ("a",), "d": ("b",)}, Parallel((series("a", "c"), series("b", "d")))),
        # a dependency that another one implies changes nothing
        ({"a": (), "b": ("a",), "c": ("a", "b")}, series("a", "b", "c")),
        # every phase of one wave waits for every phase of the wave before: no barrier is needed
        (
            {"a": (), "b": (), "c": ("a", "b"), "d": ("a", "b")},
            series(parallel("a", "b"), parallel("c", "d")),
        ),
        ({"a": (), "b": ("a",), "c": ("b", "gone")}, series("a", "b", "c")),
    ],
)
def test_series_and_parallel_parts_keep_their_shape(
    graph: dict[str, tuple[str, ...]], expected: Block
) -> None:
    assert shape(graph) == expected


def test_crosswise_dependencies_get_one_barrier() -> None:
    crosswise = {"a": (), "b": (), "c": ("a",), "d": ("a", "b")}
    assert shape(crosswise) == series(parallel("a", "b"), parallel("c", "d"))


def test_a_barrier_does_not_reach_beyond_the_crosswise_part() -> None:
    graph = {"a": (), "b": (), "c": ("a",), "d": ("a", "b"), "x": (), "y": ("x",)}
    assert shape(graph) == Parallel((series(parallel("a", "b"), parallel("c", "d")), series("x", "y")))


def test_the_place_with_the_fewest_barriers_is_found() -> None:
    # one barrier after a, b, c is enough; one after the first level would need a second
    graph = {"a": (), "b": (), "c": ("b",), "d": ("a", "c"), "e": ("c",), "f": ("a",)}
    found = shape(graph)
    assert isinstance(found, Series) and len(found.parts) == 2


def test_phases_that_run_per_item_are_marked() -> None:
    assert shape({"a": (), "b": ("a",)}, each={"b"}) == Series((One("a"), Each("b")))


def test_too_many_paths_become_waves() -> None:
    names = [[f"p{wave}-{at}" for at in range(8)] for wave in range(5)]
    graph = {name: tuple(names[wave - 1]) if wave else () for wave in range(5) for name in names[wave]}
    assert MOST_PATHS < 8**5
    found = shape(graph)
    assert found == Series(tuple(Wave(tuple(wave)) for wave in names))
    assert paths(found) == 1
    mixed = shape(graph, each={"p1-3"})
    assert isinstance(mixed, Series) and Each("p1-3") in mixed.parts and paths(mixed) == 1


def test_a_large_graph_is_put_in_waves_without_a_search() -> None:
    chain = {f"p{at}": (f"p{at - 1}",) if at else () for at in range(20 * MOST_PHASES)}
    found = shape(chain)
    assert isinstance(found, Series) and found.parts[:2] == (One("p0"), One("p1")) and paths(found) == 1
