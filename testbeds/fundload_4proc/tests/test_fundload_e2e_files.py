"""Output and rejects are put in place together at the end of a complete run, and only then."""

from __future__ import annotations

from e2e_bench import Bench, each_profile, reference, run_options
from reference_bench import load

OLD = b"old\n"
FILES = {"output": "out", "rejects": "rejects"}


@each_profile
def test_both_files_appear_at_the_end_and_not_before(bench: Bench, profile: str) -> None:
    """While the run is under way, what it has answered is in files beside those that it is for."""
    bench.write("out", OLD)
    bench.write("rejects", OLD)
    (bench.folder / "out").chmod(0o640)
    data = load() + b"\nno json\n"
    run = bench.start(*run_options("exp_mp", profile, input="-", **FILES))
    run.feed(data)
    run.await_word("running")
    assert (bench.read("out"), bench.read("rejects")) == (OLD, OLD)
    assert bench.finish(run).code == 0
    assert (bench.read("out"), bench.read("rejects")) == reference(data)
    assert (bench.folder / "out").stat().st_mode & 0o777 == 0o640


@each_profile
def test_a_full_disk_leaves_the_old_files_and_names_the_partial_ones(
    bench: Bench, profile: str, dirty: bytes
) -> None:
    """A limit on the size of files stands for the disk; 2 000 answers do not go into it."""
    bench.write("in", dirty)
    bench.write("out", OLD)
    bench.write("rejects", OLD)
    limited = ("sh", "-c", 'ulimit -f 20 && exec "$0" "$@"')
    ended = bench.run(*run_options("exp_mp", profile, input="in", **FILES), before=limited)
    assert ended.code == 4
    assert "cannot write out: File too large" in ended.said
    assert (bench.read("out"), bench.read("rejects")) == (OLD, OLD)
    assert {path.name.split(".")[0] for path in ended.partials} == {"out", "rejects"}
    (partial,) = (path for path in ended.partials if path.name.startswith("out."))
    assert reference(dirty).output.startswith(partial.read_bytes())


@each_profile
def test_a_target_that_cannot_be_replaced_in_the_end_is_told(bench: Bench, profile: str) -> None:
    """A folder has taken the target's place meanwhile: the complete output stays beside it."""
    run = bench.start(*run_options("exp_mp", profile, input="-", output="out", rejects="-"))
    run.feed(load() + b"\nno json\n")
    run.lines(1)
    (bench.folder / "out").mkdir()
    ended = bench.finish(run)
    assert ended.code == 4
    assert "cannot replace out" in ended.said
    (partial,) = ended.partials
    assert partial.read_bytes() == reference(load() + b"\nno json\n").output
