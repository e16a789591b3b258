"""The sink: writes output lines to one path, and reports of unreadable lines to another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from msgspec import Meta, Struct
from sk_kernel import CheckError, sink

from sk_fundload.adapters._place import is_same_output
from sk_fundload.adapters._target import Target, open_target, probe_target
from sk_fundload.domain import ALL_REASONS, NONE
from sk_fundload.errors import OutputError
from sk_fundload.messages import OutputLine

_Path = Annotated[str, Meta(min_length=1)]


class OutputSettings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The paths (or ``-``) of the output, and of the reports of unreadable lines, if wanted.

    With ``durable`` the files are on disk, not only in the system's cache, before they are put in
    place: a finished run then survives a power failure, at the cost of waiting for the disk.
    """

    path: _Path
    rejects: _Path | None = None
    durable: bool = False


class EncodedLines(Struct, frozen=True, gc=False):
    """A batch as bytes, and the number of its lines by reason (empty: accepted)."""

    output: bytes
    rejects: bytes
    reasons: dict[str, int]


@sink(name="fundload_output", bridge="egress_line_bridge", stage="egress")
class OutputSink:
    """Writes batches to new files, and puts both files in place at the end of a complete run.

    A run that does not commit leaves the old files unchanged, and the new ones next to them.
    """

    def __init__(self, settings: OutputSettings) -> None:
        self._settings = settings
        self._output: Target | None = None
        self._rejects: Target | None = None
        self._reasons: Counter[str] = Counter()

    @classmethod
    def check(cls, settings: OutputSettings) -> None:
        """Check that both paths can be written and are not the same output.

        :raises CheckError: if not, with the reason.
        """
        for field, path in (("path", settings.path), ("rejects", settings.rejects)):
            if path is not None:
                try:
                    probe_target(path)
                except OutputError as error:
                    raise CheckError(field, str(error)) from error
        if settings.rejects is not None and is_same_output(settings.path, settings.rejects):
            raise CheckError("rejects", f"is the output itself, {settings.path!r}")

    def open(self) -> None:
        """Open the outputs that the settings name.

        :raises OutputError: if one cannot be opened; then neither stays open.
        """
        self._output = self._open(self._settings.path)
        if self._settings.rejects is not None:
            try:
                self._rejects = self._open(self._settings.rejects)
            except OutputError:
                self._output.discard()
                self._output = None
                raise

    def encode(self, lines: Sequence[OutputLine]) -> EncodedLines:
        """Encode a batch to bytes."""
        return EncodedLines(
            "".join([line.text for line in lines]).encode(),
            "".join([line.reject for line in lines if line.reject]).encode(),
            dict(Counter([line.reason for line in lines])),
        )

    def write(self, chunk: EncodedLines) -> None:
        """Write one batch, without buffering.

        :raises OutputError: if it cannot be written (`BrokenOutputError`: the reader has gone).
        """
        if self._output is None:
            raise OutputError("write", self._settings.path, "it is not open")
        self._output.write(chunk.output)
        if self._rejects is not None and chunk.rejects:
            self._rejects.write(chunk.rejects)
        self._reasons.update(chunk.reasons)

    def commit(self) -> None:
        """Put both files in place: the output last, so that its presence means a complete run.

        :raises OutputError: if that fails.
        """
        targets = self._targets()
        for target in targets:
            target.finish()
        for target in targets:
            target.commit()

    def abort(self) -> None:
        """Leave the old files unchanged; the written data stays in the `partial_outputs`."""
        for target in self._targets():
            target.abort()

    def partial_outputs(self) -> tuple[str, ...]:
        """Return the paths of unfinished files: none before `open` and after `commit`."""
        return tuple(t.partial for t in reversed(self._targets()) if t.partial is not None)

    def summary(self) -> dict[str, int]:
        """Return the numbers of ``lines``, ``accepted``, ``declined``, and lines per reason."""
        lines, accepted = self._reasons.total(), self._reasons[NONE]
        met = {reason: n for reason in ALL_REASONS if (n := self._reasons[reason])}
        return {"lines": lines, "accepted": accepted, "declined": lines - accepted, **met}

    def _targets(self) -> list[Target]:
        return [t for t in (self._rejects, self._output) if t is not None]

    def _open(self, path: str) -> Target:
        return open_target(path, durable=self._settings.durable)
