"""Parts: the files to which the segments of a run append their dead letters, one file each.

Requests have a second part, beside the stream's: that one is in the order of the input, in which
requests have no place.
"""

from __future__ import annotations

import os

from sk_kernel._letters.keep import file_name, name_of
from sk_kernel._letters.letters import DeadLetter, SortKey, written_letter
from sk_kernel._letters.target import as_letter_error

_PART = ".part"
_REQUESTS_PART = f".asked{_PART}"


def letter_part(folder: str, worker: str, segment: int) -> str:
    """Return the path of the part of a worker's segment; empty if there is no folder."""
    return os.path.join(folder, f"{file_name(worker)}.{segment}{_PART}") if folder else ""


def parts_of(folder: str) -> list[str]:
    """Return the paths of the parts in a folder, sorted."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(_PART))
    return [os.path.join(folder, name) for name in names]


def worker_of(part: str) -> str:
    """Return the worker whose part this is, by its path."""
    name = os.path.basename(part).removesuffix(_REQUESTS_PART).removesuffix(_PART)
    return name_of(name.rpartition(".")[0])


class LetterPart:
    """Writes dead letters to the part at ``path``, and those of requests to the part beside it.

    Dead letters are held until their batch has passed the segment, and then written in order: so a
    part is sorted.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._held: list[tuple[SortKey, bytes]] = []

    def hold(self, letter: DeadLetter) -> None:
        """Hold a dead letter until the next :meth:`flush`."""
        sort_key = letter.sequence, letter.node, letter.key
        self._held.append((sort_key, written_letter(letter)))

    def flush(self, *, of_requests: bool) -> None:
        """Append the dead letters that are held to their part.

        :raises DeadLetterError: when the file cannot be written.
        """
        if not self._held:
            return
        self._held.sort()
        part = self._path
        if of_requests:
            part = part.removesuffix(_PART) + _REQUESTS_PART
        with as_letter_error("write", part), open(part, "ab") as file:
            file.write(b"".join(line for _, line in self._held))
        self._held.clear()
