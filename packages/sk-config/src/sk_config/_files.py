"""Reading a text file: a configuration, or the file of a `${FILE:path}`."""

from __future__ import annotations

from pathlib import Path as FilePath

from sk_config._finding import Finding
from sk_config._limits import MAX_BYTES, too_long


def read_text(path: FilePath) -> str | Finding:
    """Read a UTF-8 file (with or without byte order mark) of at most `MAX_BYTES`."""
    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        why = f"{str(path)!r}: {error.strerror or error}"
        return Finding((), "unreadable", "a file that can be read", why)
    except ValueError:
        return Finding((), "unreadable", "a file name", "a name with a NUL character")
    if len(content) > MAX_BYTES:
        return too_long()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        return Finding((), "unreadable", "UTF-8 text", f"other bytes at offset {error.start}", line)
