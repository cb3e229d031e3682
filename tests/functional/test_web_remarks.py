"""What a record's page says of files that no virus scanner looked at, and of those that LibreOffice might read."""

from pathlib import Path

import pytest
from sqlalchemy import update

from archive.model import Content
from tests.factories.hostile_files import a_locked_pdf
from tests.factories.packages import a_docx
from tests.factories.web_house import a_web_house
from tests.functional.test_web_put_aside import with_file
from web.aids import Aids

UNSCANNED = "未查毒"


@pytest.mark.parametrize(("viruses", "todo"), [(False, "JUANKU_CLAMAV"), (True, "juanku reprocess 补查")])
def test_a_file_without_a_scan_is_told_with_what_to_do(tmp_path: Path, viruses: bool, todo: str) -> None:
    with a_web_house(tmp_path, aids=Aids(viruses=viruses)) as house:
        archivist = house.browser("archivist")
        record, _ = with_file(house, archivist, a_locked_pdf())
        for page in (f"/records/{record}", "/put-aside"):
            told = archivist.get(page).text
            assert UNSCANNED in told
            assert todo in told
        with house.services.db.writing() as work:
            work.session.execute(update(Content).values(scanned_with="ClamAV 1.0/1"))
            work.commit()
        for page in (f"/records/{record}", "/put-aside"):
            assert UNSCANNED not in archivist.get(page).text
            assert todo not in archivist.get(page).text


@pytest.mark.parametrize("office", [False, True])
def test_where_libreoffice_is_missing_a_document_without_words_says_so(tmp_path: Path, office: bool) -> None:
    with a_web_house(tmp_path, aids=Aids(office=office)) as house:
        archivist = house.browser("archivist")
        record, _ = with_file(house, archivist, a_docx(""))
        assert ("请安装 LibreOffice" in archivist.get(f"/records/{record}").text) is not office
