"""A form's template may be hostile: it reads no file of others, reaches no network, and ends if it takes too much."""

import sys

import pytest

from indexer.extract.answer import Reason
from indexer.sandbox.typeset import NotSet, TypesetLimits, Typesetter

linux = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the kernel's walls are Linux's")


@pytest.fixture(scope="module")
def setter(tmp_path_factory: pytest.TempPathFactory) -> Typesetter:
    folder = tmp_path_factory.mktemp("forms")
    secret = folder.with_name(f"{folder.name}-secret.txt")
    secret.write_text("梅花三弄")
    root = folder / "root"
    root.mkdir()
    (root / "link.txt").symlink_to(secret)
    (root / "parts.typ").write_text("#let twice(it) = it + it\n")
    return Typesetter(root)


def test_a_template_imports_what_lies_in_the_folder_of_forms_and_its_data_is_never_markup(setter: Typesetter) -> None:
    source = '#import "parts.typ": twice\n#set page(width: 5cm, height: 3cm)\n#twice(json(bytes(sys.inputs.data)))'
    made = setter.pdf(source, "#pagebreak()")
    assert isinstance(made, bytes)
    assert made.count(b"/Type/Page/") + made.count(b"/Type/Page\n") <= 1
    drawn = setter.pictures(source, "档案", 2)
    assert isinstance(drawn, tuple)
    assert (len(drawn[0]), drawn[1]) == (1, 1)


@linux
@pytest.mark.parametrize(
    "act",
    [
        '#read("/etc/passwd")',
        '#read("../../../../etc/passwd")',
        '#read("link.txt")',
        '#import "@preview/cetz:0.3.0": *',
    ],
)
def test_a_template_reads_nothing_outside_its_folder_and_fetches_nothing(setter: Typesetter, act: str) -> None:
    made = setter.pdf(f"题名\n{act}", [])
    assert isinstance(made, NotSet)
    assert (made.reason, made.line) == (Reason.BROKEN, 2)
    assert "梅花" not in made.words


@linux
@pytest.mark.parametrize(
    ("act", "limits", "reason"),
    [
        ("#range(1000000000).len()", TypesetLimits(memory=256 * 1024**2), Reason.MEMORY),
        ("#for i in range(3000000) { let s = str(i) }", TypesetLimits(cpu=1, wall=30.0), Reason.TIME),
        ("#for i in range(3000000) { let s = str(i) }", TypesetLimits(wall=0.5), Reason.TIME),
        ("题名", TypesetLimits(size=2_000), Reason.TOO_LARGE),
    ],
)
def test_a_template_that_takes_too_much_is_ended(
    setter: Typesetter, act: str, limits: TypesetLimits, reason: Reason
) -> None:
    made = setter.pdf(act, [], limits=limits)
    assert isinstance(made, NotSet)
    assert made.reason is reason


def test_the_compilers_words_come_with_the_line_they_speak_of(setter: Typesetter) -> None:
    made = setter.pdf("#let a = 1\n\n#let b = a + nothing\n", [])
    assert made == NotSet(Reason.BROKEN, "unknown variable: nothing", 3)
