"""The script that draws diagrams, as a file of the site: a page asks nobody for it."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

VERSION = "12.3.0"
INTEGRITY = (
    "sha512-4113TdXeLAsMruJ79OpFL5O8+LTFXhQqZ260rF3tgUmiNAtRm4Uum"
    "e04I+65PRN6yZ69J4f8rVYWW8zRk65UYw=="
)
"""What npm says of the archive of this version."""

_MEMBER = "package/dist/mermaid.min.js"


class AbsentError(Exception):
    """A program is missing, or the archive is not the one that is wanted."""


def mermaid_script(cache: Path) -> Path:
    """The script, fetched by npm into ``cache`` where it is not there yet.

    :raises AbsentError: when there is no npm, it cannot fetch, or it fetched something else.
    """
    script = cache / f"mermaid-{VERSION}.min.js"
    if not script.exists():
        cache.mkdir(parents=True, exist_ok=True)
        archive = _fetched(cache)
        with tarfile.open(archive) as files:
            member = files.extractfile(_MEMBER)
            assert member is not None
            script.write_bytes(member.read())
        archive.unlink()
    return script


def _fetched(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        raise AbsentError("needs npm (Debian: apt install npm)")
    command = [npm, "pack", f"mermaid@{VERSION}", "--ignore-scripts", "--json"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise AbsentError(f"npm cannot fetch mermaid {VERSION}: {done.stderr.strip()[-500:]}")
    archive = folder / str(json.loads(done.stdout)[0]["filename"])
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != INTEGRITY:
        archive.unlink()
        raise AbsentError(f"what npm fetched is not mermaid {VERSION} as it is known here")
    return archive
