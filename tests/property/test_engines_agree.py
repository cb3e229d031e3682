"""Whatever happens to records, the embedded engine, Elasticsearch and the database give everyone the same answers."""

import itertools
import os
import tempfile
from pathlib import Path
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule

from archive.model import RecordState
from indexer.fold import fold
from indexer.rebuild import begun
from indexer.tantivy.engine import TantivyEngine
from tests.factories.elastic import VARIABLE, passing_engine
from tests.factories.engine_house import never_idle
from tests.factories.search_office import LEVELS, Office
from tests.fakes.reference_engine import ReferenceEngine

WORDS = ("电梯", "合同", "维修", "層高", "防水", "elevator")


class Engines(RuleBasedStateMachine):
    """An office with every engine there is; without a server, without Elasticsearch."""

    held = Bundle("held")

    @initialize()
    def begin(self) -> None:
        self.folder = tempfile.TemporaryDirectory()
        base = Path(self.folder.name)
        engines = {
            "reference": lambda _db: ReferenceEngine(),
            "tantivy": lambda _db: TantivyEngine(base / "index", seconds=never_idle()),
        }
        if os.environ.get(VARIABLE):
            engines["elasticsearch"] = lambda db: passing_engine(begun=lambda: begun(db))
        self.office = Office(base, engines)
        self.count = itertools.count()
        self.settled = True

    @rule(
        target=held, words=st.lists(st.sampled_from(WORDS), min_size=1, max_size=3), level=st.sampled_from(LEVELS),
        apart=st.booleans(), which=st.integers(0, 1), named=st.booleans(),
    )  # fmt: skip
    def add(self, words: list[str], level: int, apart: bool, which: int, named: bool) -> UUID:
        self.settled = False
        title = f"{' '.join(words)} {next(self.count)}"  # apart: a Latin word is found whole alone
        return self.office.add(title, level=level, apart=apart and which == 0, which=which, named=named)

    @rule(record=held, level=st.sampled_from(LEVELS))
    def move_to_a_level(self, record: UUID, level: int) -> None:
        self.settled = False
        self.office.change(record, level_rank=level)

    @rule(record=held, apart=st.booleans())
    def put_under_need_to_know(self, record: UUID, apart: bool) -> None:
        self.settled = False
        self.office.change(record, group_id=self.office.group.id if apart else None)

    @rule(record=held, word=st.sampled_from(WORDS))
    def call_otherwise(self, record: UUID, word: str) -> None:
        self.settled = False
        self.office.change(record, title=f"{word} {next(self.count)}")

    @rule(record=held, state=st.sampled_from((RecordState.BINNED, RecordState.FILED)))
    def bin_or_restore(self, record: UUID, state: RecordState) -> None:
        self.settled = False
        self.office.change(record, state=state)

    @rule(level=st.sampled_from(LEVELS))
    def make_a_level_anew(self, level: int) -> None:
        for rebuilder in self.office.rebuilders.values():
            rebuilder.rebuild(str(level))

    @rule(word=st.sampled_from((*WORDS, "")), who=st.integers(0, 2), page=st.integers(0, 2))
    def ask(self, word: str, who: int, page: int) -> None:
        if not self.settled:
            self.office.settle()
            self.settled = True
        person = self.office.people[who]
        wanted = {key for key, row in self.office.may_read(person).items() if fold(word) in fold(row.title)}
        answers = {name: self.office.search(name, person, word) for name in self.office.engines}
        for name, answer in answers.items():
            assert {hit.record_id for hit in answer.hits} == wanted, name
            assert answer.total == len(wanted), name
        one = answers["reference"]
        ranked = {
            name: self.office.search(name, person, word, order="relevance", offset=page * 2, limit=2)
            for name in self.office.engines
        }
        for name, answer in answers.items():
            assert [hit.record_id for hit in answer.hits] == [hit.record_id for hit in one.hits], name
            assert {hit.record_id: hit.tier for hit in answer.hits} == {hit.record_id: hit.tier for hit in one.hits}
            assert answer.facets == one.facets, name
            assert [hit.tier for hit in ranked[name].hits] == [hit.tier for hit in ranked["reference"].hits]

    @invariant()
    def nothing_was_refused_by_the_database(self) -> None:
        if hasattr(self, "office"):
            assert all(service.leaks == 0 for service in self.office.services.values())

    def teardown(self) -> None:
        if not hasattr(self, "office"):
            return
        self.office.settle()
        with self.office.db.reading() as session:
            for name, rebuilder in self.office.rebuilders.items():
                assert list(rebuilder.differences(session)) == [], name
        self.office.close()
        self.folder.cleanup()


Engines.TestCase.settings = settings(
    max_examples=6, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
TestEnginesAgree = Engines.TestCase
