"""Settings of the library in a bench's process; imported first, because the library reads them when it is imported."""

import os

import tests.conftest  # noqa: F401 (sets the tests' own)

os.environ.update(POWERTOOLS_LOG_LEVEL="CRITICAL", POWERTOOLS_METRICS_DISABLED="true")
