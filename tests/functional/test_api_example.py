"""What the handbook tells programs to do works, against a server that listens."""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from archive.log.sealer import Sealer
from tests.factories.api_house import ApiHouse, an_api_house

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ApiHouse, dict[str, str]]]:
    with an_api_house(tmp_path_factory.mktemp("example")) as house:
        server = make_server("127.0.0.1", 0, house.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        people = {"TOKEN": "archivist", "READER": "staff", "AUDITOR": "auditor"}
        yield house, {
            **os.environ, "URL": f"http://127.0.0.1:{server.server_port}", "no_proxy": "*",
            **{name: house.token(login) for name, login in people.items()},
        }  # fmt: skip
        server.shutdown()
        thread.join()
        server.server_close()


def blocks(language: str, kind: str) -> list[str]:
    text = (ROOT / "docs/handbook" / language / "programs.md").read_text("utf-8")
    return re.findall(rf"```{kind}\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_example_runs_as_it_stands(served: tuple[ApiHouse, dict[str, str]], language: str) -> None:
    house, environment = served
    code, goes_on = blocks(language, "python")
    assert len(code.splitlines()) <= 25
    Sealer(house.web.services.db, house.web.clock).seal_all()
    ran = subprocess.run(
        [sys.executable, "-c", code + goes_on], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    lines = ran.stdout.splitlines()
    assert lines[0].endswith(" Lift contract")
    assert lines[-3].endswith(" False")  # it came back as it went out
    assert int(lines[-1]) > 0
    assert {"record.create", "file.add", "record.describe", "record.file", "loan.issue", "loan.return"} <= set(
        house.acts()
    )


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_the_curl_lines_run_as_they_stand(served: tuple[ApiHouse, dict[str, str]], language: str) -> None:
    _, environment = served
    [lines] = blocks(language, "sh")
    for line in lines.strip().splitlines():
        command = line.replace("curl ", "curl --fail-with-body ", 1)
        ran = subprocess.run(["sh", "-c", command], env=environment, capture_output=True, text=True, check=False)
        assert ran.returncode == 0, (line, ran.stdout, ran.stderr)
        assert ran.stdout.startswith("{")
