"""What an application's code raised is shown from its own first frame on."""

from __future__ import annotations

from typing import Any

import pytest
from sk_kernel import NodeFailedError
from sk_kernel.runtime import application_traceback
from sk_kernel.testing import run_application


def test_the_traceback_of_a_node_begins_in_the_node(declare: Any) -> None:
    module = declare(
        """
        def deeper(): raise OSError("no disk")
        @node
        def f(a: A) -> B: deeper()
        """
    )
    with pytest.raises(NodeFailedError) as caught:
        run_application([module.__name__], [module.A(1)])
    assert caught.value.__cause__ is not None
    lines = application_traceback(caught.value.__cause__).splitlines()
    assert [line.split()[-1] for line in lines if "File" in line] == ["f", "deeper"]
    assert (lines[0], lines[-1]) == ("Traceback (most recent call last):", "OSError: no disk")


def test_of_what_no_code_of_an_application_raised_all_frames_are_shown() -> None:
    with pytest.raises(NodeFailedError) as caught:
        raise NodeFailedError("f", "OSError")
    caught.value.__traceback__ = None
    assert application_traceback(caught.value) == (
        "sk_kernel.errors.NodeFailedError: node 'f' raised OSError"
    )


def test_what_an_application_caught_itself_is_shown_too(declare: Any) -> None:
    module = declare(
        """
        def deeper(): raise OSError("no disk")
        @node
        def f(a: A) -> B:
            try:
                deeper()
            except OSError:
                raise ValueError("no way")
        """
    )
    with pytest.raises(NodeFailedError) as caught:
        run_application([module.__name__], [module.A(1)])
    assert caught.value.__cause__ is not None
    lines = application_traceback(caught.value.__cause__).splitlines()
    assert [line for line in lines if line.endswith(("disk", "way"))] == [
        "OSError: no disk",
        "ValueError: no way",
    ]
