"""The adapters of fund load: a source of lines and a sink for lines, in files or pipes."""

from __future__ import annotations

from sk_fundload.adapters._line_source import LineSource, LineSourceSettings
from sk_fundload.adapters._output_sink import EncodedLines, OutputSettings, OutputSink
from sk_fundload.adapters._place import STANDARD, is_same_file, is_same_output
from sk_fundload.adapters._target import Target, open_target

__all__ = [
    "STANDARD",
    "EncodedLines",
    "LineSource",
    "LineSourceSettings",
    "OutputSettings",
    "OutputSink",
    "Target",
    "is_same_file",
    "is_same_output",
    "open_target",
]
