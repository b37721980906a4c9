"""Which roots a request asks for, and requests that are none."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests

from numebot.practice.graphql.gateway import BODY_LIMIT_BYTES, Root, root_fields


def roots(query: str, **more: object) -> list[tuple[str, str]]:
    return [(root.name, root.key) for root in root_fields(json.dumps({"query": query, **more}).encode())]


def test_roots_are_named_in_camel_case_and_answered_as_written() -> None:
    assert root_fields(b'{"query": "{ up: submission_upload_auth { url } rounds { id } }"}') == (
        Root("submissionUploadAuth", "submission_upload_auth", "up"),
        Root("rounds", "rounds", "rounds"),
    )


def test_fragments_are_followed() -> None:
    query = "query { ...All ... on Query { account { id } } } fragment All on Query { rounds { id } }"
    assert roots(query) == [("rounds", "rounds"), ("account", "account")]


def test_a_fragment_that_holds_itself_ends() -> None:
    assert roots("query { ...A } fragment A on Query { rounds { id } ...A }") == [("rounds", "rounds")]


def test_the_named_operation_is_meant() -> None:
    query = "query A { rounds { id } } mutation B { create_submission { id } }"
    assert roots(query) == [("rounds", "rounds")]
    assert roots(query, operationName="B") == [("createSubmission", "create_submission")]


NO_QUERIES = [b"", b"{", b"[]", b"null", b"\xff"]
NO_QUERIES += [b'{"query": %s}' % text for text in (b"5", b"null", b'""', b'"{"')]


@pytest.mark.parametrize("body", NO_QUERIES)
def test_what_is_no_query_has_no_roots(body: bytes) -> None:
    assert root_fields(body) == ()


def test_a_huge_body_is_refused(rig: Any) -> None:
    answer = requests.post(rig.url, data=b"x" * (BODY_LIMIT_BYTES + 1), timeout=5)
    assert answer.status_code == 413
