"""The description is true: whatever it allows is answered as it says, whoever asks."""

import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from archive.identity import Role, system
from tests.factories.api_house import ApiHouse, an_api_house
from tests.factories.web_house import PASSWORD
from web.api.operations import OPERATIONS, PREFIX

load_all_checks()
HELD = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_headers_conformance",
        "response_schema_conformance",
    ]
)
ROLES = ("archivist", "clerk", "staff", "auditor", "system", "security", "secrecy", "approver")
EXAMPLES = 3
"""The first of an operation goes to everyone, the others to the first: a call costs more than making what is sent."""
ALL = list(HealthCheck)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[ApiHouse]:
    with an_api_house(tmp_path) as made:
        made.web.services.people.add_person(
            system("set-up"), login="approver", name="approver", password=PASSWORD, roles=[Role.APPROVER]
        )
        made.a_file(made.a_draft("电梯合同"))
        yield made


def test_every_operation_answers_everyone_as_it_is_described(house: ApiHouse) -> None:
    schema = schemathesis.openapi.from_wsgi("/openapi.json", house.app)
    schema.config.generation.with_security_parameters = False  # who asks is ours to say: made-up tokens take the place
    tokens = [{"Authorization": f"Bearer {house.token(login)}"} for login in ROLES]
    seen: dict[str, set[int]] = defaultdict(set)
    for found in schema.get_all_operations():
        operation = found.ok()
        sent = st.one_of(operation.as_strategy(), operation.as_strategy(GenerationMode.NEGATIVE))

        @given(sent)
        @settings(
            max_examples=EXAMPLES,
            database=None,
            deadline=None,
            derandomize=True,
            suppress_health_check=ALL,
            phases=[Phase.generate],
        )
        def ask(case: schemathesis.Case) -> None:
            told = seen[case.operation.definition.raw["operationId"]]
            for headers in tokens[:1] if told else tokens:
                told.add(case.call_and_validate(headers=headers, checks=HELD).status_code)

        ask()
    assert set(seen) == {each.name for each in OPERATIONS}
    assert not {status for statuses in seen.values() for status in statuses} & {401, 500}


def test_what_is_made_says_where_it_is_shown() -> None:
    shown = {re.sub(r"{\w+}", "{}", each.path) for each in OPERATIONS if each.method == "GET"}
    made = [each for each in OPERATIONS if each.status == 201]
    assert {re.sub(r"{\w+}", "{}", PREFIX + each.made_at) for each in made if each.made_at} <= shown
    assert {each.name for each in made if not each.made_at} == {
        "add_copy", "add_group", "add_number_rule", "add_person", "add_place", "add_post", "add_shelf",
        "distribute_level", "enter_event", "enter_event_of_subject", "enter_matter", "enter_matter_of_subject",
        "give_grant", "give_post", "lose_circulating_paper", "lose_kept_paper", "lose_paper", "name_deputy",
        "note_check",
    }  # fmt: skip  # shown in lists alone


PLAIN = {
    "authority", "belongs", "category", "department", "digest", "fonds", "group", "kind", "label", "missing", "name",
    "note", "number", "place", "post", "purpose", "reason", "registration_number", "rule", "why",
}  # fmt: skip
"""Texts of answers to POST that are kept: numbers, codes, paths, and what holds and appraisals say of themselves."""


def _texts(schema: dict[str, Any], shared: dict[str, Any], name: str = "") -> set[str]:
    """Return the names below which a schema has a text that may be any."""
    if "$ref" in schema:
        return _texts(shared[schema["$ref"].rsplit("/", 1)[1]], shared, name)
    anything = schema.get("type") == "string" and not {"format", "enum", "const", "pattern"} & set(schema)
    below = [(name, each) for each in schema.get("anyOf", [])] + list(schema.get("properties", {}).items())
    below += [(name, schema[key]) for key in ("items", "additionalProperties") if isinstance(schema.get(key), dict)]
    return {name for _ in range(anything)}.union(*(_texts(each, shared, key) for key, each in below))


def test_answers_that_are_kept_hold_no_words_but_those_known() -> None:
    found = set()
    for each in OPERATIONS:
        if each.repeatable and each.answer is not None and not each.speaks:
            schema = each.answer.json_schema(mode="serialization")
            found |= _texts(schema, schema.get("$defs", {}))
    assert found == PLAIN


def test_what_makes_an_answer_anew_is_given_what_it_is_made_from() -> None:
    again = [each for each in OPERATIONS if each.again]
    assert {each.name for each in again if each.status == 201} == {"add_subject", "create_record", "split_dossier"}, (
        "the log's entry must be about what was made"
    )
    by_place = [each for each in again if each.status != 201]
    assert [each.name for each in by_place if next(iter(each.places.values()), None) is not UUID] == []
