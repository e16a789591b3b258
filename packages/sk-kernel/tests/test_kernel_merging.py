"""Dead letters of more workers than a process may have files open: merged all the same."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from sk_kernel._letters.merging import Records
from sk_kernel._letters.merging import merged as merged_lines
from sk_kernel._letters.parts import letter_part, parts_of

#: Writes so many parts, merges them in a process that may open few files, and says what is there.
#: The last part repeats the letter of the first one. Of a worker the output has odd records only,
#: where it is to have a share.
MERGES = """
import json, os, resource, sys
from sk_kernel import FailureSpec, NodeFailure, letter_lines
from sk_kernel.runtime import DeadLetterFile, letter_part

how, count = sys.argv[1], int(sys.argv[2])
target = os.path.join(os.getcwd(), "dead.jsonl")
letters = DeadLetterFile(FailureSpec(NodeFailure("dead_letter"), {}, target))
folder = letters.open()
for n in range(count):
    number = n or count - 1
    with open(letter_part(folder, f"w-{n}.1", 0), "w") as part:
        part.write('{"sequence":%d,"node":"w-%d","key":[%d]}\\n' % (number, number, number))
hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (100, hard))

def share(worker, node):
    number = int(node[2:])
    return ((number - 1, number),) if number % 2 else ()

if how == "read":
    lines = list(letter_lines(folder))
else:
    letters.stage(share if how == "share" else None)
    letters.commit()
    lines = open(target).readlines()
others = [name for name in os.listdir(folder) if not name.endswith(".part")]
parts = len(os.listdir(folder)) - len(others)
print(json.dumps([[json.loads(line)["sequence"] for line in lines], parts, others]))
"""


class Merged(NamedTuple):
    """The records of the merged letters; how many parts there are behind it, and what else."""

    records: list[int]
    parts: int
    others: list[str]


def merged(folder: Path, how: str, count: int) -> Merged:
    words = [sys.executable, "-c", MERGES, how, str(count)]
    done = subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    found: list[Any] = json.loads(done.stdout)
    return Merged(*found)


@pytest.mark.parametrize("count", [64, 65, 300, 4200])
@pytest.mark.parametrize("how", ["stage", "read"])
def test_letters_of_any_number_of_workers_are_in_their_order_each_of_them_once(
    tmp_path: Path, how: str, count: int
) -> None:
    assert merged(tmp_path, how, count) == ([*range(1, count)], count, [])


def test_of_many_workers_each_has_the_letters_of_what_the_output_has_of_it(tmp_path: Path) -> None:
    assert merged(tmp_path, "share", 300).records == [*range(1, 300, 2)]


def test_a_share_begins_after_its_first_number_and_ends_with_its_last(tmp_path: Path) -> None:
    """A letter of the record up to which another worker's version counts is not in the output."""
    for worker, numbers in (("w-0.1", (4, 5, 6)), ("w-0.2", (5, 6, 7))):
        lines = [f'{{"sequence":{n},"node":"{worker}","key":[{n}]}}\n' for n in numbers]
        Path(letter_part(str(tmp_path), worker, 0)).write_text("".join(lines))

    def share(worker: str, node: str) -> Records:
        return ((0, 5),) if worker == "w-0.1" else ((5, 6),)

    lines = [json.loads(line) for line in merged_lines(parts_of(str(tmp_path)), share, None)]
    assert [(line["sequence"], line["node"]) for line in lines] == [
        (4, "w-0.1"),
        (5, "w-0.1"),
        (6, "w-0.2"),
    ]
