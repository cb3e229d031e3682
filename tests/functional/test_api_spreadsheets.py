"""A program brings a spreadsheet in: columns said, every fault told before anything is written, bad rows sent back."""

from io import BytesIO
from pathlib import Path
from uuid import uuid4

from python_calamine import CalamineWorkbook

from tests.factories.api_house import an_api_house

SHEET = """题名,日期,密级,页数,文件名
电梯维保合同,2024-3-5,1,12,a.pdf
坏的,2024-13-40,绝顶,十,
,,,,
物业费通知,2024,,,
""".encode()


def test_good_rows_come_in_and_bad_rows_come_back(tmp_path: Path) -> None:
    with an_api_house(tmp_path) as house:
        own = house.web.services
        fonds = own.directory.fonds()[house.web.category.fonds_id].code
        to = f"/api/v1/spreadsheets?name=list.csv&fonds={fonds}&category={house.web.category.code}"
        for sent in (SHEET, b""):  # nothing is read of who may not bring it in
            assert house.ask("POST", to, "auditor", data=sent).status_code == 403
        for wrong, code in ((b"", "empty_file"), (b"\x89PNG\r\n\x1a\n\0\0", "not_a_sheet")):
            refused = house.ask("POST", to, data=wrong)
            assert [each["code"] for each in refused.json["fields"]] == [code]
        unknown = house.ask("POST", to.replace(f"category={house.web.category.code}", "category=NONE"), data=SHEET)
        assert [each["field"] for each in unknown.json["fields"]] == ["category"]
        made = house.ask("POST", to, data=SHEET, Idempotency_Key="s1")
        assert (made.status_code, house.ask("POST", to, data=SHEET, Idempotency_Key="s1").json) == (201, made.json)
        at = made.headers["Location"]
        shown = house.get(at, Accept_Language="en").json
        assert (shown["state"], shown["rows"], shown["columns"]) == ("prepared", 3, [])
        assert shown["proposed"] == ["title", "drawn_up", "level", "pages", "file"]
        assert shown["choices"]["f.phone"] == "Telephone"
        assert house.get(f"{at}/check").status_code == 422  # nobody has said yet what the columns are
        assert house.ask("POST", f"{at}/start").status_code == 422
        assert house.get(at, "clerk").status_code == house.get(f"/api/v1/spreadsheets/{uuid4()}").status_code == 404
        assert house.ask("PUT", f"{at}/columns", json={"columns": ["drawn_up"]}).status_code == 422
        said = house.ask("PUT", f"{at}/columns", json={"columns": shown["proposed"]})
        assert said.json["columns"] == shown["proposed"]
        for wrong in ({"columns": ["drawn_up"], "sheet": 0}, {"columns": shown["proposed"], "sheet": 7}):
            assert house.ask("PUT", f"{at}/columns", json=wrong).status_code == 422
        assert house.get(at).json["columns"] == shown["proposed"]
        checked = house.get(f"{at}/check", Accept_Language="en").json
        assert (checked["rows"], checked["good"], checked["bad"], checked["next"]) == (3, 2, 1, None)
        [row] = checked["faults"]
        assert (row["row"], row["cells"][0]) == (3, "坏的")
        assert [(each["column"], each["where"], each["field"]) for each in row["faults"]] == [
            ("C", "C 密级", "level"), ("D", "D 页数", "pages"), ("B", "B 日期", "drawn_up"),
        ]  # fmt: skip
        assert not house.get("/api/v1/records").json["records"]

        assert house.ask("POST", f"{at}/start").status_code == 200
        house.web.bring_in()
        assert [each["brought"] for each in house.get("/api/v1/spreadsheets").json["spreadsheets"]] == [2]
        first = house.get(f"{at}/records?limit=1").json
        [came] = first["rows"]
        assert (came["row"], came["files"]) == (2, ["a.pdf"])
        assert [each["row"] for each in house.get(f"{at}/records?cursor={first['next']}").json["rows"]] == [5]
        house.ask("POST", f"/api/v1/records/{came['record']}/files?name=a.pdf", data=b"%PDF-1.4")
        assert house.get(f"{at}/records").json["rows"][0]["files"] == []
        back = CalamineWorkbook.from_filelike(BytesIO(house.get(f"{at}/faults").data)).get_sheet_by_index(0).to_python()
        assert [line[0] for line in back] == ["题名", "坏的"]
        assert "B 日期" in str(back[1][5])
        assert house.ask("PUT", f"{at}/columns", json={"columns": shown["proposed"]}).status_code == 409
        assert house.ask("POST", f"{at}/stop").status_code == 200
        assert house.ask("DELETE", at).status_code == 204
        assert house.get(at).status_code == 404
        assert {"batch.prepare", "batch.columns", "batch.start", "batch.end", "batch.faults"} <= set(house.acts())
