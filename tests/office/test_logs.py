"""What libraries say stands in the log as all the rest does."""

import json
import logging

import pytest
import structlog

from fob_office.logs import configure_logs
from fob_office.settings import LogSettings


@pytest.fixture(autouse=True)
def _as_before() -> object:
    logger = logging.getLogger("uvicorn")
    kept = logger.handlers, logger.propagate
    yield
    logger.handlers, logger.propagate = kept
    structlog.reset_defaults()


def test_what_the_http_server_says_is_structured_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs(LogSettings(format="json"))
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    said = json.loads(capsys.readouterr().err)
    assert (said["event"], said["level"]) == ("Invalid HTTP request received.", "warning")
