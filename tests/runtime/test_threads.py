"""Calls side by side: as many as there is room for, each result once, and nobody is waited for in vain."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from loom.runtime.threads import Crew, in_order

WAIT = 30.0


class Counter:
    """Calls that know how many of them go on at once."""

    def __init__(self, together: int) -> None:
        self.most = 0
        self._now = 0
        self._lock = threading.Lock()
        self._together = threading.Barrier(together, timeout=WAIT)

    def call(self, value: int) -> Callable[[], int]:
        def work() -> int:
            with self._lock:
                self._now += 1
                self.most = max(self.most, self._now)
            self._together.wait()
            with self._lock:
                self._now -= 1
            return value

        return work


@pytest.mark.parametrize("workers", [1, 2, 3])
def test_so_many_go_on_at_a_time_and_no_more(workers: int) -> None:
    counter, crew = Counter(workers), Crew[int](workers)
    for value in range(workers * 3):
        crew.submit(counter.call(value))
    assert sorted(crew.result() for _ in range(workers * 3)) == list(range(workers * 3))
    assert counter.most == workers


@pytest.mark.parametrize("workers", [1, 2])
def test_a_call_that_waits_for_room_gets_it_when_the_next_result_is_asked_for(
    workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[threading.Thread] = []

    class Begun(threading.Thread):
        def start(self) -> None:
            begun.append(self)
            super().start()

    monkeypatch.setattr(threading, "Thread", Begun)
    crew, gate = Crew[int](workers), threading.Semaphore(0)

    def wait() -> int:
        assert gate.acquire(timeout=WAIT)
        return 1

    for _ in range(workers + 2):
        crew.submit(wait)
    assert len(begun) == workers
    for more in range(3):
        gate.release()
        crew.result()
        # whoever took the result may want to stop what has not begun
        assert len(begun) == workers + min(more, 2)
    for _ in range(workers - 1):
        gate.release()
        crew.result()


def test_the_call_that_ends_first_is_handed_back_first() -> None:
    crew, gate = Crew[str](2), threading.Event()

    def slow() -> str:
        assert gate.wait(WAIT)
        return "slow"

    crew.submit(slow)
    crew.submit(lambda: "fast")
    assert crew.result() == "fast"
    gate.set()
    assert crew.result() == "slow"


@pytest.mark.parametrize("error", [ValueError("no"), KeyboardInterrupt(), SystemExit(3)])
def test_what_a_call_raises_is_raised_where_its_result_is_awaited(error: BaseException) -> None:
    crew = Crew[int](1)

    def fail() -> int:
        raise error

    crew.submit(fail)
    crew.submit(lambda: 7)
    with pytest.raises(type(error)) as raised:
        crew.result()
    assert raised.value is error
    # the room that it took is free again
    assert crew.result() == 7


def test_a_crew_of_none_still_works() -> None:
    crew = Crew[int](0)
    crew.submit(lambda: 1)
    assert crew.result() == 1


def test_nobody_has_to_wait_for_its_threads_to_leave() -> None:
    crew, seen = Crew[bool](1), []
    crew.submit(lambda: seen.append(threading.current_thread().daemon) or True)
    crew.result()
    assert seen == [True]


@pytest.mark.parametrize("workers", [0, 1, 2, 9])
def test_results_come_in_the_order_of_the_calls(workers: int) -> None:
    first = threading.Event()

    def waits() -> int:
        return 0 if workers < 2 or first.wait(WAIT) else -1

    def sets() -> int:
        first.set()
        return 1

    assert in_order([waits, sets, *[lambda n=n: n for n in range(2, 6)]], workers) == list(range(6))


def test_no_calls_have_no_results() -> None:
    assert in_order([], 4) == []


@pytest.mark.parametrize("workers", [1, 4])
def test_an_error_of_one_call_is_raised(workers: int) -> None:
    def fail() -> int:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        in_order([lambda: 1, fail, lambda: 2], workers)


def test_one_call_needs_no_thread() -> None:
    assert in_order([threading.current_thread], 4) == [threading.current_thread()]
