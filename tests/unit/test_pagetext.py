"""Page texts come back as they went in, sealed meanwhile."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from archive.database import Database
from archive.errors import Damaged
from archive.ids import new_id
from archive.model import PageText
from indexer.fold import fold
from indexer.pagetext import Page, load_pages, page, replace_pages, save_pages
from tests.factories.databases import without_what_it_hangs_on
from tests.fakes.vault import MemoryVault

RECORD, CONTENT = new_id(), new_id()


@pytest.fixture
def vault() -> MemoryVault:
    made = MemoryVault()
    made.add_owner(None, RECORD, due_year=None)
    return made


def kept(db: Database, vault: MemoryVault, pages: list[Page], content: UUID = CONTENT) -> tuple[list[Page], list[Any]]:
    with db.writing() as work:
        without_what_it_hangs_on(work.session)
        save_pages(work.session, vault, RECORD, content, pages)
        found = list(load_pages(work.session, vault, RECORD, content))
        rows = work.session.execute(select(PageText.first_page, PageText.page_count, PageText.sealed)).all()
    return found, rows


def test_pages_come_back_with_their_fold_and_tokens(db: Database, vault: MemoryVault) -> None:
    pages = [page(1, "第一頁 檔案", ["abc"]), page(2, ""), page(3, "Third")]
    found, rows = kept(db, vault, pages)
    assert found == pages
    assert found[0].folded == fold("第一頁 檔案")
    assert len(rows) == 1


def test_a_long_text_lies_in_several_slices_none_of_them_plain(db: Database, vault: MemoryVault) -> None:
    pages = [page(number, f"第{number}页" + "物业管理" * 400) for number in range(1, 101)]
    found, rows = kept(db, vault, pages)
    assert found == pages
    assert len(rows) > 3
    assert all("物业".encode() not in sealed for _, _, sealed in rows)


def test_saving_again_replaces_all(db: Database, vault: MemoryVault) -> None:
    long = [page(number, "物" * 20_000) for number in range(1, 9)]
    with db.writing() as work:
        without_what_it_hangs_on(work.session)
        save_pages(work.session, vault, RECORD, CONTENT, long)
        save_pages(work.session, vault, RECORD, CONTENT, long[:2])
        assert list(load_pages(work.session, vault, RECORD, CONTENT)) == long[:2]
        replace_pages(work.session, {CONTENT: []})
        assert list(load_pages(work.session, vault, RECORD, CONTENT)) == []


def test_a_slice_put_under_another_content_is_noticed(db: Database, vault: MemoryVault) -> None:
    with db.writing() as work:
        without_what_it_hangs_on(work.session)
        save_pages(work.session, vault, RECORD, CONTENT, [page(1, "甲")])
        row = work.session.scalars(select(PageText)).one()
        work.session.add(PageText(content_id=new_id(), first_page=1, page_count=1, sealed=row.sealed))
        work.session.flush()
        moved = work.session.scalars(select(PageText.content_id).where(PageText.content_id != CONTENT)).one()
        with pytest.raises(Damaged):
            list(load_pages(work.session, vault, RECORD, moved))
