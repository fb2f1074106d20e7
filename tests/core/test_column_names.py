"""What the names of columns say."""

from __future__ import annotations

import pytest

from loom.core.column_names import is_counter_name, is_id_name, spoken, words


@pytest.mark.parametrize(
    "name", ["id", "ID", "customer_id", "customerId", "order-no", "row", "zip code", "orderID"]
)
def test_a_name_may_be_that_of_an_id_or_a_counter(name: str) -> None:
    assert is_counter_name(name)


@pytest.mark.parametrize("name", ["paid", "valid", "numbers", "code_of_conduct", "identity", "grid"])
def test_a_name_that_only_ends_alike_is_none(name: str) -> None:
    assert not is_counter_name(name)


def test_words_are_found_however_a_name_is_written() -> None:
    assert words("customerID") == words("customer_id") == words("Customer Id") == ["customer", "id"]
    assert is_id_name("customerID")
    assert not is_id_name("zip code"), "an amount may be called so too"


def test_a_name_stands_in_a_sentence_on_one_line() -> None:
    assert spoken("a\nb") == "a b"
    assert spoken(" ") == "(blank)"
    assert len(spoken("x" * 100)) == 60
