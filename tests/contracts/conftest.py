"""Every search engine: empty, filled for all tests to read, or filled for one test to change."""

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


@pytest.fixture(scope="session", params=list(FACTORIES))
def house(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[SearchEngine]:
    """For reading only: a server would take longer to make it for each test than to answer all."""
    made = FACTORIES[request.param](tmp_path_factory.mktemp("index"))
    made.write(HOUSE)
    made.commit()
    yield made
    made.close()


@pytest.fixture
def own_house(engine: SearchEngine) -> SearchEngine:
    engine.write(HOUSE)
    engine.commit()
    return engine
