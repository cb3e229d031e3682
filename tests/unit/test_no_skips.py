"""Where no test may be left out, one that is fails; but for the reasons that are named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.factories.archives import ROOT
from tests.factories.no_skips import ALLOWED, VARIABLE

BODIES = {
    "in a test": "import pytest\n\ndef test_it():\n    pytest.skip({reason!r})\n",
    "of a test": "import pytest\n\n@pytest.mark.skipif(True, reason={reason!r})\ndef test_it():\n    pass\n",
    "of a module": "import pytest\n\npytest.skip({reason!r}, allow_module_level=True)\n",
}


@pytest.mark.parametrize("where", BODIES)
def test_a_test_that_is_left_out_fails_but_for_a_reason_that_is_named(tmp_path: Path, where: str) -> None:
    file = tmp_path / "test_own.py"

    def left_out(reason: str, asked: str) -> bool:
        file.write_text(BODIES[where].format(reason=reason) + "\n\ndef test_other():\n    pass\n")
        words = [sys.executable, "-m", "pytest", "-q", "-p", "tests.factories.no_skips", "-p", "no:cacheprovider", file]
        environment = os.environ | {VARIABLE: asked, "PYTHONPATH": str(ROOT)}
        return not subprocess.run(words, cwd=tmp_path, env=environment, capture_output=True, check=False).returncode % 5

    assert left_out("no server answers", "")
    assert not left_out("no server answers", "1")
    assert left_out(ALLOWED[0], "1")
