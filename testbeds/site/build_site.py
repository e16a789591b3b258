"""Build the documentation as a site that asks nobody for anything.

    python testbeds/site/build_site.py --output DIR --work DIR

Exits 1 at any warning and any broken link, 2 where something that it needs is missing.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from site_links import BrokenLinkError
from site_mermaid import AbsentError, mermaid_script
from site_navigation import UnlistedPageError
from site_stage import stage

HERE = Path(__file__).resolve().parent


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; give the exit code."""
    parser = argparse.ArgumentParser(description="The documentation as a site.")
    parser.add_argument("--output", type=Path, required=True, help="where the site goes")
    parser.add_argument("--work", type=Path, required=True, help="what is kept between builds")
    options = parser.parse_args(arguments)
    try:
        build(options.output.resolve(), options.work.resolve())
    except AbsentError as fault:
        sys.stderr.write(f"docs: {fault}\n")
        return 2
    except (BrokenLinkError, UnlistedPageError, subprocess.CalledProcessError) as fault:
        sys.stderr.write(f"docs: {fault}\n")
        return 1
    sys.stdout.write(f"docs: {options.output / 'index.html'}\n")
    return 0


def build(output: Path, work: Path) -> None:
    """Lay the sources out, and have Sphinx make the site of them.

    :raises CalledProcessError: when Sphinx warns of anything.
    """
    script = mermaid_script(work)
    sources, settings = work / "pages", work / "settings"
    stage(sources)
    shutil.rmtree(settings, ignore_errors=True)
    shutil.copytree(HERE / "static", settings / "static")
    shutil.copy(HERE / "conf.py", settings)
    shutil.copy(script, settings / "static" / "mermaid.min.js")
    shutil.rmtree(output, ignore_errors=True)
    strict = ["--fail-on-warning", "--fresh-env", "--quiet", "--doctree-dir", str(work / "tree")]
    command = [sys.executable, "-m", "sphinx", *strict, "--conf-dir", str(settings)]
    subprocess.run([*command, str(sources), str(output)], check=True)


if __name__ == "__main__":
    sys.exit(main())
