"""The project's tasks: ``./noxw --list`` names them. Each makes its environment, and keeps it."""

from __future__ import annotations

import os
import shutil
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
BENCH = Path("testbeds/bench")
FOUR_PROCESSES = Path("testbeds/fundload_4proc")
MINIMAL_INSTALL = Path("testbeds/minimal_install")
REPORT = Path("testbeds/report/write_report.py")
CONTRACT_PHASES = ("0", "1", "2", "3", "4", "4bis", "5pre")
SYSTEM_PROGRAMS = {  # The names under which each may be found, and the Debian package with it.
    "a browser": (("chromium", "chromium-browser", "google-chrome", "chrome"), "chromium"),
    "node": (("node",), "nodejs"),
    "npm": (("npm",), "npm"),
    "prometheus": (("prometheus",), "prometheus"),
}
REFERENCE_DATA = Path("../shared/data/fundload")  # Lies beside the checkout, or is absent.
# Hundreds of processes are started: each would compile all that it imports where that is kept from
# being written down, as it never is for a user.
COMPILED = {"PYTHONDONTWRITEBYTECODE": ""}
# Many tests wait for processes, or for a time to be over: three for two cores keep these busy.
IN_PARALLEL = ("-n", str((3 * (os.cpu_count() or 1) + 1) // 2), "--dist", "worksteal")


@nox.session(tags=["ci"])
def lint(session: nox.Session) -> None:
    """Check style and format (``-- --fix`` mends what can be mended)."""
    install(session, "lint", packages=False)
    fix = "--fix" in session.posargs
    session.run("ruff", "check", *(["--fix"] if fix else []), ".")
    session.run("ruff", "format", *([] if fix else ["--check"]), ".")


@nox.session(tags=["ci"])
def typing(session: nox.Session) -> None:
    """Check types, strictly: the packages together, then each testbed by itself."""
    install(session, "typing")
    sources = [str(package / "src") for package in MANIFESTS]
    session.run("mypy", *sources, "noxfile.py", "conftest.py", "proto")
    for testbed in TESTBEDS:
        session.run("mypy", str(testbed))


@nox.session(tags=["ci"])
def proto(session: nox.Session) -> None:
    """Generate the code of ``proto/`` anew, fail on a difference (``-- --write`` keeps it)."""
    session.install("-r", "proto/requirements.txt")
    write = "--write" in session.posargs
    session.run("python", "proto/generate.py", *([] if write else ["--check"]))


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests but ``browser``, ``receivers`` and ``soak`` (``-- ARGS`` go to pytest)."""
    run_tests(session)


@nox.session
def smoke(session: nox.Session) -> None:
    """Run the main job, fund load on four processes and in memory, and its speed by its floors."""
    install(session, "report")
    script = str(FOUR_PROCESSES / "run_smoke.py")
    run_reported(session, script, "--reports", "reports", *session.posargs)
    run_reported(session, str(BENCH / "run_bench.py"), "--short", "--reports", "reports")


@nox.session
def parity(session: nox.Session) -> None:
    """Prove parity of memory, four processes and the reference, on 100 000 records and more."""
    install(session, "report")
    options = ["--records", "100000", "--seed", "1", "--reports", "reports"]
    if REFERENCE_DATA.is_dir():
        options += ["--reference-data", str(REFERENCE_DATA)]
    else:
        session.log(f"{REFERENCE_DATA} is absent: generated data only")
    run_reported(session, str(FOUR_PROCESSES / "run_parity.py"), *options, *session.posargs)


@nox.session(default=False)
def contracts(session: nox.Session) -> None:
    """Prove every contract on every engine it applies to (``contracts-phase2``: of that phase)."""
    run_contracts(session, "contracts")


for phase in CONTRACT_PHASES:

    @nox.session(name=f"contracts-phase{phase}", default=False)
    def contracts_of_phase(session: nox.Session, phase: str = phase) -> None:
        """Prove the contracts of one phase."""
        run_contracts(session, f"contracts-phase{phase}", f"--contracts-phase={phase}")


@nox.session(default=False, tags=["ci"])
def browser(session: nox.Session) -> None:
    """Load the report in a browser, without a screen (Debian: ``chromium``)."""
    need(session, "a browser")
    install(session, "test")
    session.run("python", "-m", "pytest", "-m", "browser", "testbeds/report", *session.posargs)


@nox.session(default=False, tags=["ci"])
def docs(session: nox.Session) -> None:
    """Build the site, strictly, and load it in a browser (Debian: ``npm``, ``chromium``)."""
    need(session, "npm", "a browser")
    install(session, "docs", "test")
    site, work = Path("reports/docs").resolve(), session.env_dir / "site"
    script = "testbeds/site/build_site.py"
    session.run("python", script, "--output", str(site), "--work", str(work))
    load = ["python", "-m", "pytest", "-m", "browser", "testbeds/site", *session.posargs]
    session.run(*load, env={"SK_SITE": str(site)})


@nox.session(python=PYTHONS, default=False, tags=["ci"])
def tests_on(session: nox.Session) -> None:
    """Do ``tests`` on every supported Python (``-s tests_on-3.12``: on one)."""
    run_tests(session)


@nox.session(default=False, tags=["weekly"])
def soak(session: nox.Session) -> None:
    """Run what repeats or lasts: the tests marked ``soak``, and properties on many examples."""
    install(session, "test")
    # A test that takes minutes is none that hangs: it is not to write down what every thread does.
    command = ("python", "-m", "pytest", "--durations=0", "-o", "faulthandler_timeout=600", "-m")
    session.run(*command, "soak", *session.posargs, env=COMPILED)
    many = ("hypothesis and not soak", "--hypothesis-profile=soak", *IN_PARALLEL)
    session.run(*command, *many, *session.posargs, env=COMPILED)


@nox.session(default=False, tags=["weekly"])
def receivers(session: nox.Session) -> None:
    """Send to OTLP servers and more of others (Debian: ``nodejs``, ``npm``, ``prometheus``)."""
    need(session, "node", "npm", "prometheus")
    install(session, "test", "receivers")
    script, others = "testbeds/receivers/run_receivers.py", str(session.env_dir / "receivers")
    session.run("python", script, "--environments", others, *session.posargs)


@nox.session(default=False)
def bench(session: nox.Session) -> None:
    """Measure fund load beside what a user would pick instead (``-- --short``: ours only)."""
    install(session, "bench")
    script, peers = str(BENCH / "run_bench.py"), str(session.env_dir / "peers")
    options = ["--environments", peers, "--install", "--reports", "reports"]
    session.run("python", script, *options, *session.posargs)


@nox.session(default=False)
def growth(session: nox.Session) -> None:
    """Measure what a record costs as work grows (``-- --largest 1000000``: by less memory)."""
    install(session)
    script = str(BENCH / "run_growth.py")
    session.run("python", script, "--reports", "reports", *session.posargs)


@nox.session(default=False, tags=["weekly"])
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


@nox.session(default=False, tags=["ci"])
def minimal_install(session: nox.Session) -> None:
    """Install each package alone from its wheel, and run its tests there (``-- sk-kernel``)."""
    run_minimal_install(session)


@nox.session(default=False, tags=["ci"])
def minimums(session: nox.Session) -> None:
    """Do ``minimal_install`` with the lowest versions that the manifests allow, and Python."""
    # Those of packages that are compiled have no wheels for a Python that came after them.
    run_minimal_install(session, "--versions", "lowest", "--python", PYTHONS[0])


@nox.session(default=False, reuse_venv=False, tags=["weekly"])
def latest(session: nox.Session) -> None:
    """Do ``tests`` in an environment made anew: with the newest versions that there are."""
    run_tests(session)


@nox.session(name="release-check", default=False, tags=["ci"])
def release_check(session: nox.Session) -> None:
    """Check that the packages can be released (``-- sk-kernel-v1.2.0``: that one, as tagged)."""
    install(session, "install", packages=False)
    script = str(MINIMAL_INSTALL / "run_release_check.py")
    session.run("python", script, "--distributions", "dist", *session.posargs)


@nox.session(tags=["ci"])
def workflows(session: nox.Session) -> None:
    """Audit what CI runs, offline: pinned actions, permissions, credentials, injection."""
    install(session, "workflows", packages=False)
    session.run("zizmor", "--offline", "--persona", "pedantic", *session.posargs, ".github")


def need(session: nox.Session, *programs: str) -> None:
    """End the session, in one line, where the system lacks a program."""
    lacking = [name for name in programs if not any(map(shutil.which, SYSTEM_PROGRAMS[name][0]))]
    if lacking:
        packages = " ".join(SYSTEM_PROGRAMS[name][1] for name in lacking)
        session.error(f"needs {', '.join(lacking)} (Debian: apt install {packages})")


def run_minimal_install(session: nox.Session, *options: str) -> None:
    """Install each package alone, in environments that the session makes beside its own."""
    install(session, "install", packages=False)
    script = str(MINIMAL_INSTALL / "run_minimal_install.py")
    session.run("python", script, "--reports", "reports", *options, *session.posargs)


def run_contracts(session: nox.Session, name: str, *options: str) -> None:
    """Run the marked tests; write the matrix as JSON, Markdown and HTML, and into the page."""
    install(session, "test")
    matrix = [f"--contracts-report=reports/{name}.json", *options]
    run_reported(session, "-m", "pytest", *IN_PARALLEL, *matrix, *session.posargs)


def run_reported(session: nox.Session, *command: str) -> None:
    """Run Python, and bring ``reports/index.html`` up to date whatever comes of it."""
    try:
        session.run("python", *command, env=COMPILED)
    finally:
        session.run("python", str(REPORT), "--reports", "reports")


def run_tests(session: nox.Session) -> None:
    """Run pytest on all packages and testbeds, the packages as they stand in the checkout.

    In random order, on all cores; what needs a browser or others' programs, and what lasts, is left
    to the sessions of its own.
    """
    install(session, "test")
    session.run("python", "-m", "pytest", *IN_PARALLEL, *session.posargs, env=COMPILED)


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
