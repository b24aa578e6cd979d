"""PAGE FOLDER: reads one page, in the network that this process is started in."""

from __future__ import annotations

import sys
from pathlib import Path

import documents_accounts
import documents_adapters
import documents_listeners
import documents_readme

TABLES = {
    "README.md": documents_readme.TABLE,
    "docs/adapters.md": documents_adapters.TABLE,
    "docs/authentication.md": documents_accounts.AUTHENTICATION,
    "docs/accounts.md": documents_accounts.ACCOUNTS,
    "docs/listeners.md": documents_listeners.LISTENERS,
    "docs/terminal.md": documents_listeners.TERMINAL,
    "docs/bus.md": documents_listeners.BUS,
    "docs/simulators.md": documents_listeners.SIMULATORS,
}

if __name__ == "__main__":
    import documents_page

    documents_page.loopback()
    documents_page.read(sys.argv[1], Path(sys.argv[2]), TABLES[sys.argv[1]])
