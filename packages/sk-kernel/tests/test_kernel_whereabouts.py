"""What an application's code raised is shown from its own first frame on."""

from __future__ import annotations

import runpy
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sk_kernel import NodeFailedError
from sk_kernel.runtime import application_traceback, line_of
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


@pytest.mark.parametrize("installed", [False, True], ids=["beside", "installed"])
def test_the_line_is_the_application_s_wherever_it_lies_and_no_library_s(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: bool
) -> None:
    """The library may lie below the working directory, as that of an environment often does."""
    packages = tmp_path / "env/site-packages"
    application = packages / "shop" if installed else tmp_path / "elsewhere"
    for folder in (packages / "client", application):
        folder.mkdir(parents=True)
    (packages / "client/__init__.py").write_text("import json\ndef get(): json.loads('{')\n")
    (application / "shop_nodes.py").write_text("import client\n\ndef f(): client.get()\n")
    monkeypatch.syspath_prepend(packages)
    path = application / "shop_nodes.py"
    error = _raised_by(runpy.run_path(str(path), run_name="shop_nodes")["f"])
    del sys.modules["client"]
    monkeypatch.chdir(packages / "client")
    assert line_of(error) == f" ({path}, line 3)"
    monkeypatch.chdir(tmp_path)
    assert line_of(error) == f" ({path.relative_to(tmp_path)}, line 3)"


def _raised_by(function: Callable[[], Any]) -> BaseException:
    """As the runtime has it: with the frames of what it has called."""
    with pytest.raises(ValueError, match="Expecting") as caught:
        function()
    frames = caught.tb.tb_next
    assert frames is not None
    return caught.value.with_traceback(frames)
