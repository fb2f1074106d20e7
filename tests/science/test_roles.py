"""What a column is for."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from loom.core.column_names import is_counter_name, is_id_name, spoken, words
from loom.science.columns import plain
from loom.science.disclosure import is_personal_name, looks_personal
from loom.science.profile.inspection import inspect
from loom.science.reading import reading_of

N = 400
RANDOM = np.random.default_rng(0)
ROLES = {
    "amount": (RANDOM.normal(size=N), "numeric"),
    "count": (RANDOM.integers(0, 9, N), "numeric"),
    "distinct_amounts": (RANDOM.permutation(N) * 7, "numeric"),
    "row_counter": (np.arange(N) + 5, "id"),
    "order_id": (RANDOM.permutation(N), "id"),
    "store_id": (RANDOM.integers(0, 12, N), "categorical"),
    "flag": (RANDOM.integers(0, 2, N), "boolean"),
    "truth": (RANDOM.random(N) < 0.5, "boolean"),
    "same": (np.ones(N), "constant"),
    "none": ([None] * N, "constant"),
    "nan": ([float("nan")] * N, "constant"),
    "colour": (RANDOM.choice(["red", "green"], N), "categorical"),
    "uuid": ([f"{i:x}-af{i}" for i in range(N)], "id"),
    "postcode": ([f"{i % 90:05}" for i in range(N)], "categorical"),
    "note": (["many words " * (1 + i % 5) + str(i) for i in range(N)], "text"),
    "written_number": ([f" {i}.5 " for i in range(N)], "numeric"),
    "thousands": ([f"{i},000.5" for i in range(1, N + 1)], "numeric"),
    "document": ([f'{{"a": {i}}}' for i in range(N)], "text"),
    "room": ([f"room {i % 60}" for i in range(N)], "categorical"),
    "nested": ([[i % 3] for i in range(N)], "text"),
    "day": ([f"2021-{1 + i % 12:02}-{1 + i % 28:02}" for i in range(N)], "date"),
    "blank": ([" "] * N, "constant"),
}


@pytest.mark.parametrize("name", ROLES)
def test_values_and_name_tell_the_role(name: str) -> None:
    cells, role = ROLES[name]
    found, _ = inspect(plain(pl.DataFrame({name: cells})), 0)
    assert found[0].role == role


@pytest.mark.parametrize("name", ROLES)
def test_a_column_that_is_read_alone_is_used_as_its_role_says(name: str) -> None:
    cells, role = ROLES[name]
    use = reading_of(plain(pl.DataFrame({name: cells})).to_series()).use
    assert use == {"none": "empty", "nan": "empty", "nested": "nested"}.get(name, role)


def test_text_is_read_as_the_numbers_or_the_dates_it_holds() -> None:
    numbers = pl.Series("n", [" 1,000.5 ", "7", " ", None] * 10)
    assert reading_of(numbers).of(numbers).to_list()[:4] == [1000.5, 7.0, None, None]
    for cells in (["2021-03-04", "2021-03-05"], ["04.03.2021", "05.03.2021"], ["20210304", "20210305"]):
        dates = pl.Series("d", cells)
        assert reading_of(dates).of(dates).dt.strftime("%F").to_list() == ["2021-03-04", "2021-03-05"]


@pytest.mark.parametrize(
    ("name", "counter", "key"),
    [
        ("customerID", True, True),
        ("user_id", True, True),
        ("PassengerId", True, True),
        ("No", True, False),
        ("identifier", True, True),
        ("row number", True, False),
        ("paid", False, False),
        ("humidity", False, False),
        ("idea", False, False),
        ("", False, False),
    ],
)
def test_names_of_ids_end_as_such_names_do(name: str, counter: bool, key: bool) -> None:
    assert (is_counter_name(name), is_id_name(name)) == (counter, key)


def test_a_name_has_words_however_it_is_written() -> None:
    assert words("customerID") == words("customer_id") == words("Customer Id") == ["customer", "id"]
    assert words("IPAddress") == ["ip", "address"]
    assert words("größe-Straße") == ["größe", "straße"]
    assert words("userIDs") == ["user", "ids"]


def test_a_name_in_a_sentence_is_one_short_line() -> None:
    assert spoken("a\nb") == "a b"
    assert spoken("\u200b") == "(blank)"
    assert len(spoken("x" * 100)) == 60


@pytest.mark.parametrize(
    "name", ["email", "Phone_Number", "lastName", "date_of_birth", "home address", "IBAN"]
)
def test_names_of_persons_and_their_accounts_are_personal(name: str) -> None:
    assert is_personal_name(name)


@pytest.mark.parametrize("name", ["product_name", "alcohol", "embarked", "renamed", "shipment", "total"])
def test_names_of_things_are_not_personal(name: str) -> None:
    assert not is_personal_name(name)


def test_cells_that_are_addresses_or_numbers_of_persons_are_personal() -> None:
    assert looks_personal(["ada@example.org", "bob@example.com", "-"])
    assert looks_personal(["+44 20 7946 0958", "(030) 1234-5678"])
    assert looks_personal(["10.0.0.1", "192.168.1.77"])
    assert not looks_personal(["2021-03-04", "2021-03-05"])
    assert not looks_personal(["1234567.25", "12345678901"])
    assert not looks_personal([])
