"""What was worked out lately is not worked out again, and what is forgotten is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from numebot.practice.recent import Recent


def test_a_value_is_made_once_until_others_push_it_out() -> None:
    made: list[str] = []
    recent: Recent[str, str] = Recent(2)

    def get(key: str) -> str:
        def make() -> str:
            made.append(key)
            return key.upper()

        return recent.get(key, make)

    assert [get(key) for key in ("a", "b", "a", "c", "a", "b")] == ["A", "B", "A", "C", "A", "B"]
    assert made == ["a", "b", "c", "b"]


def test_threads_that_want_the_same_get_one_making_of_it() -> None:
    recent: Recent[str, object] = Recent(2)
    together = Barrier(4)

    def get() -> object:
        together.wait(10)
        return recent.get("same", object)

    with ThreadPoolExecutor(max_workers=4) as pool:
        found = [one.result(10) for one in [pool.submit(get) for _ in range(4)]]
    assert len({id(one) for one in found}) == 1
