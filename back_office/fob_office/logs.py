"""Structured logs on standard error: readable on a terminal, JSON in a journal that is parsed."""

import logging
import sys

import structlog

from fob_office.settings import LogSettings


def configure_logs(settings: LogSettings) -> None:
    """Set up structlog once, for the whole process. No formatter here prints the values of local variables."""
    level = logging.getLevelNamesMapping()[settings.level.upper()]
    renderers: list[structlog.typing.Processor] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings.format == "json"
        else [
            structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback)
        ]
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(sys.stderr),
        cache_logger_on_first_use=True,
    )
    _take_over("uvicorn")


class _Structured(logging.Handler):
    """What a library logs, as all the rest is logged."""

    def emit(self, record: logging.LogRecord) -> None:
        """Called by logging."""
        structlog.get_logger(record.name).log(record.levelno, record.getMessage(), exc_info=record.exc_info or None)


def _take_over(library: str) -> None:
    logger = logging.getLogger(library)
    logger.handlers = [_Structured()]
    logger.propagate = False
