"""The project's tasks: ``./noxw --list`` names them. Each makes its environment, and keeps it."""

from __future__ import annotations

from pathlib import Path

import nox

nox.needs_version = ">=2025.10.14,<2028"  # noxw reads it here.
nox.options.default_venv_backend = "uv|virtualenv"
nox.options.reuse_venv = "yes"

# Paths are relative: nox works in the folder of this file.
PROJECT = nox.project.load_toml("pyproject.toml")
MANIFESTS = {
    path.parent: nox.project.load_toml(path)
    for path in sorted(Path("packages").glob("*/pyproject.toml"))
}
PYTHONS = nox.project.python_versions(next(iter(MANIFESTS.values())))
TESTBEDS = sorted(path for path in Path("testbeds").glob("*") if path.is_dir())
FOUR_PROCESSES = Path("testbeds/fundload_4proc")
REFERENCE_DATA = Path("../shared/data/fundload")  # Lies beside the checkout, or is absent.


@nox.session
def lint(session: nox.Session) -> None:
    """Check style and format (``-- --fix`` mends what can be mended)."""
    install(session, "lint", packages=False)
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []), ".")
    session.run("ruff", "format", *([] if fix else ["--check"]), ".")


@nox.session
def typing(session: nox.Session) -> None:
    """Check types, strictly: the packages together, then each testbed by itself."""
    install(session, "typing")
    sources = [str(package / "src") for package in MANIFESTS]
    session.run("mypy", *sources, "noxfile.py", "conftest.py", "proto")
    for testbed in TESTBEDS:
        session.run("mypy", str(testbed))


@nox.session
def proto(session: nox.Session) -> None:
    """Generate the code of ``proto/`` anew, fail on a difference (``-- --write`` keeps it)."""
    session.install("-r", "proto/requirements.txt")
    write = "--write" in session.posargs
    session.run("python", "proto/generate.py", *([] if write else ["--check"]))


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests, in random order, on all cores (``-- ARGS`` go to pytest)."""
    run_tests(session)


@nox.session
def smoke(session: nox.Session) -> None:
    """Run the main job: fund load on four worker processes, compared with the memory run."""
    install(session)
    script = str(FOUR_PROCESSES / "run_smoke.py")
    session.run("python", script, "--reports", "reports", *session.posargs)


@nox.session
def parity(session: nox.Session) -> None:
    """Prove parity of memory, four processes and the reference, on 100 000 records and more."""
    install(session)
    options = ["--records", "100000", "--seed", "1", "--reports", "reports"]
    if REFERENCE_DATA.is_dir():
        options += ["--reference-data", str(REFERENCE_DATA)]
    else:
        session.log(f"{REFERENCE_DATA} is absent: generated data only")
    session.run("python", str(FOUR_PROCESSES / "run_parity.py"), *options, *session.posargs)


@nox.session(python=PYTHONS, default=False)
def tests_on(session: nox.Session) -> None:
    """Run all tests on every supported Python (``-s tests_on-3.12``: on one)."""
    run_tests(session)


@nox.session(default=False)
def soak(session: nox.Session) -> None:
    """Run what repeats or lasts: the tests marked ``soak``, one after the other."""
    install(session, "test")
    session.run("python", "-m", "pytest", "-m", "soak", "--durations=0", *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure fund load beside what a user would pick instead (``-- --short``: ours only)."""
    install(session, "bench")
    script, peers = "testbeds/bench/run_bench.py", str(session.env_dir / "peers")
    options = ["--environments", peers, "--install", "--reports", "reports"]
    session.run("python", script, *options, *session.posargs)


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Fuzz what reads foreign bytes, with atheris (``-- --seconds 60`` for each fuzzer)."""
    install(session, "fuzz")
    session.run("python", "testbeds/attacks/run_fuzz.py", *session.posargs)


@nox.session(default=False)
def build(session: nox.Session) -> None:
    """Build each package's source distribution and wheel into ``dist/``, with hatchling."""
    install(session, "build", packages=False)
    target = str(Path("dist").resolve())
    for package in MANIFESTS:
        with session.chdir(package):
            session.run("hatchling", "build", "--directory", target)


def run_tests(session: nox.Session) -> None:
    """Run pytest on all packages and testbeds, the packages as they stand in the checkout."""
    install(session, "test")
    session.run("python", "-m", "pytest", "-n", "logical", "--dist", "worksteal", *session.posargs)


def install(session: nox.Session, *groups: str, packages: bool = True) -> None:
    """Bring the session's environment up to date with the manifests.

    It is one resolution of the named dependency groups and of the packages, editable, with all
    their extras. An environment that is kept must follow a changed manifest or version, and need
    not be installed again when there is none: it holds a note of what was installed.
    """
    wanted = list(nox.project.dependency_groups(PROJECT, *groups))
    if packages:
        for package, manifest in MANIFESTS.items():
            extras = ",".join(manifest["project"].get("optional-dependencies", {}))
            wanted += ["-e", f"{package}[{extras}]" if extras else str(package)]
    note = session.env_dir / "installed.txt"
    state = "\n".join([str(Path.cwd()), *wanted, *map(metadata, MANIFESTS if packages else ())])
    if not note.exists() or note.read_text("utf-8") != state:
        session.install(*wanted)
        note.write_text(state, "utf-8")


def metadata(package: Path) -> str:
    """All that the metadata of an editable package is made from: its manifest and its version."""
    source = next(package.glob("src/*/__init__.py")).read_text("utf-8").splitlines()
    version = [line for line in source if line.startswith("__version__")]
    return "\n".join([*version, (package / "pyproject.toml").read_text("utf-8")])
