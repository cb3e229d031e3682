"""The documents say what is there: every setting, command, failpoint and link."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import pytest

from archive.failpoints import EVERY
from archive.numbering.rule import WIDTHS, NumberField
from runtime.cli.main import cli
from runtime.doctor import LOOKS
from runtime.doctor.words import WORDS
from runtime.settings import SPECS, load

ROOT = Path(__file__).parents[2]
SKIPPED = {".venv", ".tools", ".git", "node_modules"}
LANGUAGES = ("en", "zh_CN", "zh_TW")


@cache
def documents() -> list[Path]:
    return sorted(
        p
        for p in ROOT.rglob("*.md")
        if not {part for part in p.relative_to(ROOT).parts if part.startswith(".")} and not SKIPPED & set(p.parts)
    )


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def commands(group: click.Group, before: str = "") -> Iterator[tuple[str, click.Command]]:
    for name in group.list_commands(click.Context(group)):
        command = group.get_command(click.Context(group), name)
        path = f"{before} {name}".strip()
        if isinstance(command, click.Group):
            yield from commands(command, path)
        else:
            yield path, command


COMMANDS = dict(commands(cli))


@pytest.mark.parametrize("name", SPECS)
def test_every_setting_is_in_the_table(name: str) -> None:
    spec = SPECS[name]
    row = next((line for line in read("docs/formats/settings.md").splitlines() if f"| `{spec.variable}`" in line), None)
    assert row, f"{spec.variable} is not in docs/formats/settings.md"
    assert spec.meaning in row


def test_the_table_of_settings_has_no_other_and_tells_the_defaults() -> None:
    text = read("docs/formats/settings.md")
    assert set(re.findall(r"^\| `(JUANKU_\w+)`", text, re.MULTILINE)) == {spec.variable for spec in SPECS.values()}
    settings = load({"JUANKU_HOME": "/srv/juanku"})
    for name in ("search_url", "broker_url", "search_prefix", "port", "host", "worker_threads", "log_level"):
        row = next(line for line in text.splitlines() if f"| `{SPECS[name].variable}`" in line)
        assert f"`{getattr(settings, name)}`" in row


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_and_option_is_in_the_handbook(path: str) -> None:
    for language in LANGUAGES:
        text = read(f"docs/handbook/{language}/commands.md")
        assert f"`juanku {path}" in text, f"{language}: juanku {path}"
        for parameter in COMMANDS[path].params:
            if isinstance(parameter, click.Option) and parameter.name != "as_json":
                assert parameter.opts[0] in text, f"{language}: juanku {path} {parameter.opts[0]}"


def said_commands(path: Path) -> Iterator[str]:
    """Command lines of a document: what stands after ``./juanku`` or ``juanku`` in code."""
    text = path.read_text("utf-8")
    for code in [*re.findall(r"```(?:sh|bash|console)?\n(.*?)```", text, re.DOTALL), *re.findall(r"`([^`\n]+)`", text)]:
        for line in code.splitlines():
            found = re.match(r"\$? ?(?:[A-Z_]+=\S+ )*(?:\./)?juanku ([a-z][\w-]*(?: [a-z][\w-]*)?)", line.strip())
            if found:
                yield found.group(1)


def launcher_words() -> set[str]:
    """Commands that the launcher itself answers, before there is an environment."""
    return set(re.findall(r'words\[:1\] == \["(\w+)"\]', read("juanku")))


def test_what_the_launcher_answers_is_in_the_handbook() -> None:
    assert launcher_words()
    for language in LANGUAGES:
        text = read(f"docs/handbook/{language}/commands.md")
        assert [word for word in launcher_words() if f"`./juanku {word}" not in text] == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_command_lines_in_documents_exist(path: Path) -> None:
    known = {name.split()[0] for name in COMMANDS} | launcher_words()
    groups = {name.split()[0] for name in COMMANDS if " " in name}
    for line in said_commands(path):
        words = line.split()
        assert words[0] in known, f"juanku {line}"
        if words[0] in groups and len(words) > 1:
            assert f"{words[0]} {words[1]}" in COMMANDS, f"juanku {line}"


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_lead_somewhere(path: Path) -> None:
    text = re.sub(r"```.*?```", "", path.read_text("utf-8"), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if not re.match(r"[a-z]+:|#", target):
            assert (path.parent / target.partition("#")[0]).exists(), target


@pytest.mark.parametrize("path", documents(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_modules_named_in_documents_exist(path: Path) -> None:
    for name in re.findall(
        r"`((?:archive|storage|indexer|retention|web|runtime|tests|docs|migrations)/[\w./-]*)`", path.read_text("utf-8")
    ):
        assert (ROOT / name).exists(), name


def test_every_language_has_the_same_pages_and_parts() -> None:
    pages = {language: {p.name for p in (ROOT / "docs/handbook" / language).glob("*.md")} for language in LANGUAGES}
    assert pages["en"] == pages["zh_CN"] == pages["zh_TW"]
    twins = [
        (f"docs/handbook/{one}/{name}", f"docs/handbook/{other}/{name}")
        for name in sorted(pages["en"])
        for one, other in (("zh_CN", "zh_TW"), ("en", "zh_CN"))
    ]
    for one, other in [("README.md", "README.zh.md"), *twins]:
        shape = [re.findall(r"^(#+) ", read(name), re.MULTILINE) for name in (one, other)]
        assert shape[0] == shape[1], (one, other)
        lines = [sorted(set(said_commands(ROOT / name))) for name in (one, other)]
        assert lines[0] == lines[1], (one, other)


def test_the_two_commands_come_first() -> None:
    for name in ("README.md", "README.zh.md"):
        said = list(said_commands(ROOT / name))
        assert said[:2] == ["demo", "test"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_look_and_message_of_the_doctor_is_explained(language: str) -> None:
    text = read(f"docs/handbook/{language}/doctor.md")
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(LOOKS)
    assert not [message for message in WORDS if f"`{message}`" not in text]


def test_every_failpoint_is_in_the_document_and_in_the_code() -> None:
    text = read("docs/formats/faults.md")
    assert set(re.findall(r"^\| `([a-z_.]+)` \|", text, re.MULTILINE)) == EVERY
    code = "".join(
        p.read_text("utf-8")
        for room in ("archive", "indexer", "storage", "retention", "runtime")
        for p in (ROOT / room).rglob("*.py")
    )
    assert set(re.findall(r'\breach\("([a-z_.]+)"\)', code)) == EVERY


def test_every_field_of_a_number_rule_is_in_the_document() -> None:
    rows = dict(re.findall(r"^\| `\{(\w+)\}` \| (\d+|–) \|", read("docs/formats/numbers.md"), re.MULTILINE))
    assert rows == {f.value: str(WIDTHS.get(f, "–")) for f in NumberField}


def test_every_decision_has_its_four_parts_and_is_listed() -> None:
    listed = read("docs/adr/README.md")
    for path in sorted((ROOT / "docs/adr").glob("[0-9]*.md")):
        text = path.read_text("utf-8")
        assert re.findall(r"^## (.+)$", text, re.MULTILINE) == [
            "Context",
            "Decision",
            "Consequences",
            "Alternatives",
        ], path.name
        assert f"({path.name})" in listed
        assert text.startswith(f"# {int(path.name[:4])}. ")


def test_the_changelog_has_this_version() -> None:
    version = re.search(r'^version = "(.+)"$', read("pyproject.toml"), re.MULTILINE)
    assert version
    assert f"## {version.group(1)}" in read("CHANGELOG.md")
