"""Generate the Python code of the protocol buffers in this folder.

    python proto/generate.py                writes into packages/sk-control/src/sk_control/_pb
    python proto/generate.py DIRECTORY      writes elsewhere python proto/generate.py --check
    writes nothing; exits with 1 and a diff when the committed code is stale

It needs exactly the grpcio-tools that `requirements.txt` names, and exits with 2 under any other,
because the generated code differs from version to version. The equivalent call, run in this folder,
is

    python -m grpc_tools.protoc -I . --python_out=OUT --pyi_out=OUT sk/control/v1/control.proto

followed by moving `OUT/sk/control/v1/control_pb2.py` and `.pyi` into place. They import nothing but
protobuf, so they may live in any package. No gRPC stubs are generated: sk-control registers the one
method by its descriptor.
"""

from __future__ import annotations

import argparse
import difflib
import importlib.metadata
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
COMMITTED = HERE.parent / "packages" / "sk-control" / "src" / "sk_control" / "_pb"
SOURCE = Path("sk/control/v1/control.proto")
GENERATED = ("control_pb2.py", "control_pb2.pyi")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit code."""
    parser = argparse.ArgumentParser(description="Generate the code of proto/ with grpcio-tools.")
    parser.add_argument("directory", nargs="?", type=Path, default=COMMITTED)
    parser.add_argument("--check", action="store_true", help="compare, write nothing")
    options = parser.parse_args(arguments)
    fault = wrong_generator()
    if fault:
        sys.stderr.write(f"{fault}\n")
        return 2
    code = generate()
    if options.check:
        return compare(code, options.directory)
    options.directory.mkdir(parents=True, exist_ok=True)
    for name, text in code.items():
        (options.directory / name).write_text(text, encoding="utf-8")
    return 0


def wrong_generator() -> str | None:
    """Say what is wrong with the installed grpcio-tools, or nothing."""
    lines = (HERE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = next(line for line in lines if line.startswith("grpcio-tools=="))
    try:
        found = f"grpcio-tools=={importlib.metadata.version('grpcio-tools')}"
    except importlib.metadata.PackageNotFoundError:
        found = "no grpcio-tools"
    return (
        None
        if found == wanted
        else f"generate.py needs {wanted} (proto/requirements.txt), found {found}"
    )


def generate() -> dict[str, str]:
    """Run protoc; returns file name -> text."""
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, "-m", "grpc_tools.protoc", "-I", "."]
        command += [f"--python_out={out}", f"--pyi_out={out}", SOURCE.as_posix()]
        subprocess.run(command, cwd=HERE, check=True)
        folder = Path(out) / SOURCE.parent
        return {name: (folder / name).read_text(encoding="utf-8") for name in GENERATED}


def compare(code: dict[str, str], directory: Path) -> int:
    """Print how the files in `directory` differ from `code`; returns 1 if they do, else 0."""
    stale = 0
    for name, text in code.items():
        path = directory / name
        committed = path.read_text(encoding="utf-8") if path.exists() else ""
        lines = (committed.splitlines(keepends=True), text.splitlines(keepends=True))
        difference = list(
            difflib.unified_diff(*lines, f"{name} (committed)", f"{name} (generated)")
        )
        sys.stdout.writelines(difference)
        stale |= bool(difference)
    return int(stale)


if __name__ == "__main__":
    sys.exit(main())
