"""Order, waves, longest paths and cycles, compared with the standard library and with brute force."""

from __future__ import annotations

import random
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from loom.process.graph import ancestors, find_cycle, layer
from tests.process.checking import HEAD, check, errors_in

Graph = dict[str, tuple[str, ...]]
QUICK = settings(max_examples=300, derandomize=True, deadline=None, database=None)


@st.composite
def dags(draw: st.DrawFn) -> Graph:
    size = draw(st.integers(0, 12))
    names = draw(st.permutations([f"n{number}" for number in range(size)]))
    graph = {
        name: tuple(draw(st.lists(st.sampled_from(names[:at]), max_size=4))) if at else ()
        for at, name in enumerate(names)
    }
    shuffled = draw(st.permutations(names))
    return {name: graph[name] for name in shuffled}


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    names = [f"n{number}" for number in range(draw(st.integers(1, 8)))]
    known = st.sampled_from([*names, "nobody"])
    return {name: tuple(draw(st.lists(known, max_size=3))) for name in names}


@QUICK
@given(dags())
def test_waves_are_those_of_the_standard_library(graph: Graph) -> None:
    sorter = TopologicalSorter(graph)
    sorter.prepare()
    waves = []
    while sorter.is_active():
        ready = sorter.get_ready()
        waves.append(set(ready))
        sorter.done(*ready)
    layered = layer(graph)
    assert [set(wave) for wave in layered.waves] == waves
    assert layered.order == tuple(name for wave in layered.waves for name in wave)
    assert layered.cyclic == ()


@QUICK
@given(dags())
def test_every_node_follows_what_it_depends_on_and_ties_keep_the_order_written(graph: Graph) -> None:
    layered = layer(graph)
    at = {name: number for number, name in enumerate(layered.order)}
    assert set(at) == set(graph)
    assert all(at[need] < at[name] for name, needs in graph.items() for need in needs)
    written = list(graph)
    for wave in layered.waves:
        assert list(wave) == sorted(wave, key=written.index)


@QUICK
@given(dags())
def test_the_critical_path_is_a_longest_chain(graph: Graph) -> None:
    layered = layer(graph)
    path = layered.critical_path
    assert len(path) == len(layered.waves)
    assert all(before in graph[after] for before, after in pairwise(path))

    def depth(name: str) -> int:
        return 1 + max((depth(need) for need in graph[name]), default=0)

    assert len(path) == max((depth(name) for name in graph), default=0)


@QUICK
@given(graphs())
def test_a_cycle_is_found_exactly_when_there_is_one(graph: Graph) -> None:
    known = {name: tuple(need for need in needs if need in graph) for name, needs in graph.items()}
    try:
        order = list(TopologicalSorter(known).static_order())
    except CycleError:
        order = []
    layered = layer(graph)
    assert bool(layered.cyclic) == (not order)
    if layered.cyclic:
        cycle = find_cycle(graph, layered.cyclic)
        assert cycle[0] == cycle[-1]
        assert len(set(cycle)) == len(cycle) - 1
        assert all(after in graph[before] for before, after in pairwise(cycle))
        assert set(layered.order).isdisjoint(layered.cyclic)
        assert {*layered.order, *layered.cyclic} == set(graph)


@QUICK
@given(graphs(), st.data())
def test_ancestors_are_everything_that_can_be_reached(graph: Graph, data: st.DataObject) -> None:
    node = data.draw(st.sampled_from(sorted(graph)))
    reached = set(graph[node]) & set(graph)
    while True:
        more = reached | {need for name in reached for need in graph[name] if need in graph}
        if more == reached:
            break
        reached = more
    assert ancestors(graph, node) == reached


def test_the_same_graph_is_always_put_in_the_same_order() -> None:
    graph = {"c": (), "a": ("c",), "b": ("c",), "d": ("a", "b"), "e": ()}
    assert layer(graph).waves == (("c", "e"), ("a", "b"), ("d",))
    assert layer(graph).critical_path == ("c", "b", "d")
    assert layer({}).waves == ()
    assert layer({"a": ("nobody", "nobody")}).order == ("a",)


def test_a_dependency_that_is_listed_twice_counts_once() -> None:
    assert layer({"a": (), "b": ("a", "a")}).waves == (("a",), ("b",))


# as declarations -------------------------------------------------------------------------------------


def declared(graph: Graph) -> str:
    lines = [
        f"  - {{id: {name}, description: Work., depends_on: [{', '.join(needs)}]}}\n"
        for name, needs in graph.items()
    ]
    return HEAD + "phases:\n" + "".join(lines)


def test_a_chain_of_1500_phases_is_put_in_order() -> None:
    names = [f"p{number}" for number in range(1_500)]
    graph: Graph = {name: (names[at - 1],) if at else () for at, name in enumerate(names)}
    checked = check(declared(dict(reversed(graph.items()))), warnings=False)
    assert checked.package is not None and not checked.report.diagnostics
    assert checked.package.graph.order == tuple(names)
    assert checked.package.graph.critical_path == tuple(names)
    assert checked.package.ancestors(names[-1]) == set(names[:-1])


def test_a_random_dag_of_5000_phases_is_put_in_order() -> None:
    chance = random.Random(5)
    names = [f"p{number}" for number in range(5_000)]
    graph: Graph = {
        name: tuple(dict.fromkeys(chance.choice(names[:at]) for _ in range(chance.randrange(5))))
        if at
        else ()
        for at, name in enumerate(names)
    }
    chance.shuffle(names)
    graph = {name: graph[name] for name in names}
    checked = check(declared(graph), warnings=False)
    assert checked.package is not None and not checked.report.diagnostics
    layered = checked.package.graph
    at = {name: number for number, name in enumerate(layered.order)}
    assert len(at) == 5_000
    assert all(at[need] < at[name] for name, needs in graph.items() for need in needs)


@pytest.mark.parametrize(
    ("graph", "cycles"),
    [
        ({"a": ("a",)}, ["a → a"]),
        ({"a": ("b",), "b": ("a",)}, ["a → b → a"]),
        ({"a": ("b",), "b": ("c",), "c": ("b",)}, ["b → c → b"]),
        ({"a": ("b",), "b": ("a",), "c": ("d",), "d": ("c",)}, ["a → b → a", "c → d → c"]),
        ({"a": (), "b": ("c", "a"), "c": ("b",), "d": ("c",), "e": ("d", "e")}, ["b → c → b", "e → e"]),
        ({"a": ("b",), "b": ("c",), "c": ("d",), "d": ("a",), "e": ("a",)}, ["a → b → c → d → a"]),
    ],
)
def test_every_cycle_is_named_once_and_what_waits_behind_it_is_not(graph: Graph, cycles: list[str]) -> None:
    errors = errors_in(declared(graph))
    assert {found.code for found in errors} == {"LM301"}
    assert [found.detail for found in errors] == cycles


def test_a_long_cycle_is_named_by_its_ends() -> None:
    names = [f"p{number}" for number in range(2_000)]
    graph: Graph = {name: (names[(at + 1) % len(names)],) for at, name in enumerate(names)}
    (found,) = errors_in(declared(graph))
    assert found.detail == "p0 → p1 → p2 → p3 → … → p1998 → p1999 → p0"


def test_thousands_of_cycles_are_reported_up_to_a_limit() -> None:
    graph: Graph = {f"p{number}": (f"p{number ^ 1}",) for number in range(2_000)}
    assert len(errors_in(declared(graph))) == 100
