"""What tests of the command line share."""

from __future__ import annotations

import re

KEY = re.compile(r"[0-9a-f]{64}")
#: A running host must know of a change within this time; the rest is for the machine's other work.
SOON = 2.0 + 0.5
#: None of these may be seen anywhere.
SECRETS = {"api_key": "CANARY-one-3f7a", "api_secret": "CANARY-two-91c4", "pin": "CANARY-three-55e0"}


def fails(result, *words, code=1):
    assert result.returncode == code, (result.returncode, result.stdout, result.stderr)
    assert result.stdout == "" and result.stderr.startswith("Error: ")
    for word in words:
        assert str(word) in result.stderr, f"{word!r} is not in {result.stderr!r}"
    assert "Traceback" not in result.stderr and "Fatal" not in result.stderr
