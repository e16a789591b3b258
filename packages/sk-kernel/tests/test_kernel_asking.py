"""What a caller says of its request is text, whether or not it goes to another process."""

from __future__ import annotations

from collections import UserDict
from typing import Any

import pytest
from sk_kernel import BoundaryDispatchInput, UnsendableRequestError
from sk_kernel.runtime import Correlation, carried_with, names_of

SAID = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOT_TEXT = [
    {"tenant": 7},
    {7: "tenant"},
    {"tenant": "\udcff"},
    {"traceparent": 7},
    {"traceparent": SAID, "tenant": None},
    ["tenant"],
]


@pytest.mark.parametrize("headers", NOT_TEXT)
def test_headers_that_are_not_all_text_are_refused(headers: Any) -> None:
    asked = BoundaryDispatchInput(1, "g", "n", headers=headers)
    with pytest.raises(UnsendableRequestError, match="headers that are not all text"):
        carried_with(asked, "name", sampled=False)


@pytest.mark.parametrize("headers", NOT_TEXT)
def test_no_headers_keep_a_request_from_having_a_name(headers: Any) -> None:
    name, _ = names_of(None, headers)
    assert len(name) == 32


def test_any_mapping_of_text_is_carried_as_it_was_when_it_was_sent() -> None:
    headers = UserDict({"tenant": "a"})
    asked = BoundaryDispatchInput(1, "g", "n", reply_to="me", headers=headers)
    known, sampled = carried_with(asked, "name", sampled=True)
    headers["tenant"] = "b"
    assert (known, sampled) == (Correlation("name", "me", {"tenant": "a"}, "source:source"), True)
