"""Lines of what is handed over: how many volumes each is, and from which year to which."""

from datetime import date

from web.prints.lists import handover_lines
from web.prints.papers import Paper, Words


def paper(key: str, **more: object) -> Paper:
    """Return a paper of 2010 in a fonds."""
    facts = {"level_rank": 1, "level": "", "shape": "", "fonds": "H001", "term": "D10", "drawn_up": "2010-03-05"}
    return Paper(number=f"H001-HT·2010-{key}", id=key, **(facts | more))  # type: ignore[arg-type]  # as they come


def test_a_dossier_tells_the_volumes_and_years_of_what_lies_in_it_and_that_adds_none() -> None:
    papers = [
        paper("0001", dossier=True, volumes=3, years="2008–2010"), paper("0001-01", inside="0001"),
        paper("0002-01", inside="0002"), paper("0003"),
    ]  # fmt: skip
    lines = handover_lines(papers, Words("zh_CN", date(2026, 1, 1)))
    assert [(each["serial"], each["dossier_serial"], each["copies"], each["years"]) for each in lines] == [
        ("1", "0001", "3", "2008–2010"), ("2", "", "", "2010"), ("3", "", "1", "2010"), ("4", "", "1", "2010"),
    ]  # fmt: skip
