"""What is allowed and may not be meant; and where in a file a configuration has its values."""

from __future__ import annotations

from sk_config import build_config, cautions, load_config, parse_config, place_of

SECRET = "sixteen bytes, or more"  # noqa: S105
TEXT = """\
version: 1
scenario: s
runtime:
  discovery_modules: [app]
  platform:
    process_groups: [{name: a, nodes: [x]}]
nodes:
  x: {a: 1,
      b: {c: 2}}
"""


def _with_secret(minimal, secret, **more):
    auth = {"secret_mode": "static", "secret": secret}
    minimal["runtime"]["platform"] = {"execution_ipc": {"auth": auth}}
    return build_config(minimal, **more)


def test_a_secret_in_clear_text_is_cautioned_of_and_not_shown(minimal):
    (caution,) = cautions(_with_secret(minimal, SECRET))
    assert caution.startswith("runtime.platform.execution_ipc.auth.secret: a secret in clear text")
    assert SECRET not in caution


def test_a_secret_from_elsewhere_is_as_it_should_be(minimal):
    assert cautions(_with_secret(minimal, "${ENV:A}", environ={"A": SECRET})) == ()


def test_a_variable_of_a_shell_is_cautioned_of(minimal):
    minimal["nodes"] = {"n": {"password": "$DBPW", "list": ["$a_1"], "sum": "$5", "b": "$A $B"}}
    found = [caution.partition(":")[0] for caution in cautions(build_config(minimal))]
    assert found == ["nodes.n.password", "nodes.n.list[0]"]


def test_a_value_has_a_place_and_what_is_not_there_that_of_what_is_around_it(tmp_path):
    file = tmp_path / "a.yaml"
    file.write_text(TEXT)
    config = load_config(file)
    for path, line in [
        ("nodes.x.a", 8),
        ("nodes.x.b.c", 9),
        ("nodes.x.none.at.all", 8),
        ("runtime.platform.process_groups[0].nodes[0]", 6),
    ]:
        assert place_of(config, path) == f"{file}, line {line}"


def test_what_is_in_no_file_or_set_by_an_override_has_no_place(minimal):
    config = parse_config(TEXT, overrides=["nodes.x.b=1"])
    assert place_of(config, "nodes.x.a") == "<text>, line 8"
    assert [place_of(config, path) for path in ("nodes.x.b", "source:source", "", "..")] == [""] * 4
    assert place_of(build_config(minimal), "version") == ""


def test_where_it_stands_is_no_part_of_what_a_configuration_says():
    assert parse_config(TEXT) == parse_config(f"# moved\n{TEXT}", origin="elsewhere")
