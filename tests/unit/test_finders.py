"""What is proposed for a paper is what a clerk would write down; better nothing than something wrong."""

import pytest

from archive.cataloguing.proposals import FIELDS, Finding
from indexer.finders.paper import Paper, chosen
from indexer.finders.propose import propose
from indexer.pagetext import page
from tests.factories.papers import PAPERS, TODAY, Sample


def found_in(sample: Sample) -> dict[str, Finding]:
    pages = chosen([page(number, text) for number, text in enumerate(sample.pages, start=1)])
    title, author, created = sample.about
    found = propose(Paper(pages, TODAY, "文件.txt", sample.media_type, title, author, created))
    assert len({each.field for each in found}) == len(found), "one value a field"
    return {each.field: each for each in found}


def test_the_made_set_is_large_enough_to_tell() -> None:
    assert len(PAPERS) >= 40
    for field in FIELDS:
        assert sum(getattr(sample, field) is not None for sample in PAPERS) >= 15, field
        assert sum(getattr(sample, field) is None for sample in PAPERS) >= 8, field


@pytest.mark.parametrize("field", FIELDS)
@pytest.mark.parametrize("sample", PAPERS, ids=lambda sample: sample.name)
def test_a_paper_proposes_what_a_clerk_would_write(sample: Sample, field: str) -> None:
    found = found_in(sample).get(field)
    assert (found.value if found else None) == getattr(sample, field)


@pytest.mark.parametrize("sample", PAPERS, ids=lambda sample: sample.name)
def test_a_proposal_stands_exactly_where_it_says(sample: Sample) -> None:
    for field, found in found_in(sample).items():
        if found.page is None:
            assert found.source == "property"
            continue
        words = sample.pages[found.page - 1][found.start : found.end]
        assert words == words.strip()
        if field != "drawn_up":
            assert "".join(words.split()) == "".join(found.value.split())
