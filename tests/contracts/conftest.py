"""Every search engine, empty or filled."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from indexer.engine import SearchEngine
from tests.factories.engine_house import FACTORIES, HOUSE


@pytest.fixture(params=list(FACTORIES))
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SearchEngine]:
    made = FACTORIES[request.param](tmp_path / "index")
    yield made
    made.close()


@pytest.fixture
def house(engine: SearchEngine) -> SearchEngine:
    engine.write(HOUSE)
    engine.commit()
    return engine
