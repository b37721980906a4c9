from __future__ import annotations

import io
import logging

import pytest

from numebot.redaction import MASK, RedactingFilter, RedactingFormatter, redact

SIGNED = "https://bucket.example.com/predictions.csv?X-Amz-Signature=CANARY1&X-Amz-Credential=CANARY2%2Faws"


@pytest.mark.parametrize(
    "text",
    [
        SIGNED,
        "Max retries exceeded with url: /bucket/file.csv?X-Amz-Signature=CANARY1 (Caused by x)",
        "GET /file?sig=CANARY HTTP/1.1",
        "X-Amz-Signature=CANARY&x=1",
        "X-Amz-Signature%3DCANARY",
        "Signature=CANARY",
        "Authorization: Token CANARY$CANARY",
        "{'Authorization': 'Token CANARY$CANARY', 'x': 1}",
        "sent Token CANARYPUBLIC$CANARYSECRET to",
        "Bearer CANARY.CANARY.CANARY",
        "https://user:CANARY@proxy.example.com:3128",
        "https://discord.com/api/webhooks/123/CANARY",
        "https://hooks.slack.com/services/T0/B0/CANARY",
        "https://api.telegram.org/bot123456789:CANARYCANARYCANARYCANARY/sendMessage",
        "api_key=CANARY",
    ],
)
def test_secrets_are_taken_out_whatever_they_look_like(text: str) -> None:
    cleaned = redact(text)

    assert "CANARY" not in cleaned
    assert MASK in cleaned


def test_exact_secrets_are_taken_out_also_in_their_percent_encoded_form() -> None:
    assert "s3cr" not in redact("a s3cr/et+x b s3cr%2Fet%2Bx c", ["s3cr/et+x"])


def test_ordinary_text_stays_as_it_is() -> None:
    text = "round 1404: my_model confirmed (predictions-TqMFjDcNB8CX.csv). Token expired. Was the file sent? yes/no?"

    assert redact(text, ["abc"]) == text


def test_the_host_and_path_of_an_address_stay_readable() -> None:
    assert redact(SIGNED) == f"https://bucket.example.com/predictions.csv?{MASK}"


def logged(log: logging.Handler, action: object) -> None:
    logger = logging.Logger("redaction-test")
    logger.addHandler(log)
    action(logger)  # type: ignore[operator]


def fail(logger: logging.Logger) -> None:
    try:
        raise ValueError(f"could not fetch {SIGNED}")
    except ValueError:
        logger.exception("failed for %s with %s", "hunter22", SIGNED, stack_info=True)


def test_the_filter_cleans_message_arguments_exception_and_stack() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter(["hunter22"]))

    logged(handler, fail)

    assert "CANARY" not in stream.getvalue()
    assert "hunter22" not in stream.getvalue()
    assert "ValueError: could not fetch https://bucket.example.com/predictions.csv" in stream.getvalue()


def test_the_filter_survives_a_wrong_placeholder() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.addFilter(RedactingFilter(["hunter22"]))

    logged(handler, lambda logger: logger.warning("%d items", "hunter22"))

    assert "items" in stream.getvalue()
    assert "hunter22" not in stream.getvalue()


def test_the_formatter_cleans_what_another_formatter_built() -> None:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(RedactingFormatter(logging.Formatter("%(name)s %(message)s"), ["hunter22"]))

    logged(handler, fail)

    assert "CANARY" not in stream.getvalue()
    assert "hunter22" not in stream.getvalue()
