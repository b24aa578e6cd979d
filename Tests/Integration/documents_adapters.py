"""What the blocks of docs/adapters.md do: the adapter is compiled, loaded, tested and fed; the parts go into it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import threading
from pathlib import Path

from websockets.sync.server import serve

from documents import Block
from documents_page import Page
from host import REPO

HEADERS = REPO / "Sources/CFeedhostABI/include"
MODULES = REPO / ".build/debug/Modules"
def objects(room: str) -> list[Path]:
    """What the debug build made of the sources that there are now."""
    names = sorted(file.name for file in (REPO / "Sources" / room).rglob("*.swift"))
    return [REPO / f".build/debug/{room}.build/{name}.o" for name in names]


SWIFT = ["-swift-version", "6", "-I", MODULES, "-Xcc", f"-I{HEADERS}"]

#: Stands in for `swift build`, which would fetch and compile Feedhost's own dependencies for minutes: the same compiler,
#: the flags of the page's Package.swift, and AdapterKit as this build has it.
SWIFT_BUILD = r"""#!/bin/bash
set -eu
[ "$*" = "build -c release --product acme" ] || {{ echo "swift $*: not what the page said" >&2; exit 1; }}
mkdir -p .build/release
exec "$SWIFTC" {swift} -parse-as-library -module-name Acme -emit-library Sources/Acme/*.swift {objects} \
    {flags} -o .build/release/libacme.so
"""


def call(page: Page, *words, folder=None) -> str:
    done = subprocess.run(
        [str(word) for word in words], cwd=folder or page.acme, env=page.environment, capture_output=True, text=True,
        timeout=180)
    assert done.returncode == 0, f"{words[0]} …:\n{done.stdout}{done.stderr}"
    return done.stdout


def package(page: Page, text: str) -> dict:
    (page.acme / "Package.swift").write_text(text)
    return json.loads(call(page, "swift", "package", "--disable-sandbox", "dump-package"))


def manifest(page: Page, block: Block) -> None:
    page.installed()
    page.acme = page.home / "acme"
    (page.acme / "Sources/Acme").mkdir(parents=True)
    page.manifest = block.text
    target = package(page, block.text)["targets"][0]
    (setting,) = target["settings"]
    assert setting["condition"]["config"] == "release"
    page.flags = setting["kind"]["unsafeFlags"]["_0"]
    assert f"--version-script={page.acme}/adapter.map" in page.flags


def version_script(page: Page, block: Block) -> None:
    (page.acme / "adapter.map").write_text(block.text)
    ours = (REPO / "Plugins/adapter.map").read_text()
    assert block.text == "".join(line + "\n" for line in ours.splitlines() if not line.startswith("#"))


def adapter(page: Page, block: Block) -> None:
    """Written down; the next block builds it."""
    page.source = block.text
    (page.acme / "Sources/Acme/Acme.swift").write_text(block.text)


def install(page: Page, block: Block) -> None:
    def answer(ws) -> None:
        for text in ws:
            for symbol in json.loads(text).get("subscribe", []):
                ws.send(json.dumps({"symbol": symbol, "price": "1187.75", "qty": 10}))

    tools = page.home / "tools"
    tools.mkdir()
    script = SWIFT_BUILD.format(
        swift=" ".join(map(str, SWIFT)), objects=" ".join(map(str, objects("AdapterKit"))), flags=" ".join(page.flags))
    (tools / "swift").write_text(script)
    (tools / "swift").chmod(0o755)
    swiftc = shutil.which("swiftc", path=page.environment["PATH"])
    page.environment["PATH"] = f"{tools}:{page.environment['PATH']}"
    page.at = page.acme
    with serve(answer, "127.0.0.1", 9000) as venue:
        threading.Thread(target=venue.serve_forever, daemon=True).start()
        said = page.run(block, replace={"access_token=…": "access_token=today"}, SWIFTC=swiftc)
        symbols = re.findall(r"^[0-9a-f]+ \w (\S+)$", said, re.MULTILINE)
        assert [name.partition("@")[0] for name in symbols] == ["feedhost_adapter_entry_v1"], said
        assert re.search(r"^loaded +acme +in\.example\.acme +1\.0\.0", said, re.MULTILINE), said
        tick = page.tick("NSE:RELIANCE", page.aside("keys", "issue", "dave"))
        assert tick["broker"] == "acme" and tick["data"]["ltp"] == 1187.75, tick
        page.end()
        venue.shutdown()
    page.environment["PATH"] = page.environment["PATH"].replace(f"{tools}:", "")


# MARK: C


def examples(page: Page) -> None:
    """The parts of a checkout that the commands name."""
    if not (page.folder / "Plugins").exists():
        shutil.copytree(REPO / "Plugins/Examples", page.folder / "Plugins/Examples")
        shutil.copy(REPO / "Plugins/adapter.map", page.folder / "Plugins")
        shutil.copytree(HEADERS, page.folder / "Sources/CFeedhostABI/include")


def make_c(page: Page, block: Block) -> None:
    examples(page)
    page.run(block, replace={"/tmp/examples": str(page.home / "examples")})
    assert (page.home / "examples/tide.so").is_file()


def by_hand(page: Page, block: Block) -> None:
    page.run(block)
    listed = page.command("mkdir tides && mv tide.so tides && feedhost plugins list --plugins tides")
    assert re.search(r"^loaded +tide ", listed, re.MULTILINE), listed


def compiles(page: Page, text: str) -> None:
    file = page.home / "part.c"
    file.write_text("#include <string.h>\n#include <feedhost/adapter.h>\n#include <feedhost/extensions.h>\n" + text)
    call(page, "cc", "-std=c11", "-Wall", "-Wextra", "-Werror", f"-I{HEADERS}", "-fsyntax-only", file)


def extension(page: Page, block: Block) -> None:
    compiles(page, f"""
        struct fh_instance {{ int link; }};
        enum {{ ORDERS = 2 }};
        static const fh_instruments masters;
        static const fh_transport_events events;
        static const fh_orders orders;
        {block.text}
        fh_adapter used(void);
        fh_adapter used(void) {{ fh_adapter table = {{.extension = extension}}; return table; }}""")


def read_file(page: Page, block: Block) -> None:
    """The two ellipses are the reading itself."""
    body = block.text.replace("…", "(void)adapter; (void)file; fh_str line = bytes; int ends_with_newline = 0;", 1)
    body = body.replace("…", "")
    compiles(page, f"""
        static fh_str text(const char *words) {{ fh_str made = {{words, strlen(words)}}; return made; }}
        {body}
        fh_instruments used(void);
        fh_instruments used(void) {{ fh_instruments table = {{.read = read_file}}; return table; }}""")


# MARK: Parts of the adapter


def masters(page: Page, block: Block) -> None:
    page.masters = block.text
    own, _, entry = page.source.rpartition("private let entry")
    _, _, exported = entry.partition("])\n")
    page.source = f"{own}{block.text}{exported}"
    type_checks(page)


def type_checks(page: Page) -> None:
    file = page.home / "Parts.swift"
    file.write_text(page.source)
    call(page, "swiftc", "-typecheck", "-parse-as-library", "-module-name", "Acme", *SWIFT, file)


def orders_link(page: Page, block: Block) -> None:
    line = r' *var market = Link\("market", carries: \.lastPrice\)\n'
    assert re.search(line, page.source)
    first, *rest = block.text.strip().split("\n")
    page.source = re.sub(line, first + "\n", page.source, count=1)
    page.source = page.source.replace("        capabilities.links = [market]\n", "\n".join(rest) + "\n")
    type_checks(page)


def orders(page: Page, block: Block) -> None:
    """The methods stand in the class; the whole is compiled, linked, and loaded with what it declares now."""
    head, tail = page.source.split("    override func receive(_ frame: Frame) {", 1)
    page.source = f"{head}{block.text}    override func receive(_ frame: Frame) {{{tail}"
    file = page.home / "Parts.swift"
    file.write_text(page.source)
    (page.home / "parts").mkdir()
    call(page, "swiftc", *SWIFT, "-parse-as-library", "-module-name", "Acme", "-emit-library", file,
         *objects("AdapterKit"), *page.flags, "-o", page.home / "parts/acme.so")
    listed = page.command(f"cd ../feedhost && feedhost plugins list --plugins {page.home}/parts")
    assert re.search(r"^loaded +acme .* orders +\S*/parts/acme\.so$", listed, re.MULTILINE), listed


# MARK: Tests


def test_target(page: Page, block: Block) -> None:
    text = page.manifest.replace("            ])\n    ],", f"            ]),\n{block.text.rstrip()},\n    ],", 1)
    assert text != page.manifest
    names = [target["name"] for target in package(page, text)["targets"]]
    assert names == ["Acme", "AcmeTests"]


def tests(page: Page, block: Block) -> None:
    """Run by Swift Testing, as `swift test` does."""
    folder = page.home / "tests"
    folder.mkdir()
    (folder / "AcmeTests.swift").write_text(block.text)
    (folder / "Runner.swift").write_text(
        "import Testing\n"
        "@main struct Runner { static func main() async { await Testing.__swiftPMEntryPoint() as Never } }\n")
    call(page, "swiftc", *SWIFT, "-parse-as-library", "-module-name", "Acme", "-enable-testing", "-emit-module",
         "-emit-module-path", folder / "Acme.swiftmodule", "-c", page.acme / "Sources/Acme/Acme.swift", "-o",
         folder / "Acme.o")
    call(page, "swiftc", *SWIFT, "-I", folder, "-parse-as-library", "-module-name", "AcmeTests",
         folder / "AcmeTests.swift", folder / "Runner.swift", folder / "Acme.o", *objects("AdapterKit"),
         *objects("AdapterTestKit"), "-lTesting", "-o", folder / "run")
    done = subprocess.run(
        [folder / "run", "--testing-library", "swift-testing"], env=page.environment, capture_output=True, text=True,
        timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode == 0 and re.search(r"2 tests .*passed", said), said


TABLE = {
    "// swift-tools-version: 6.2": manifest,
    "{ global: feedhost_adapter_entry_v1; local: *; };": version_script,
    "import AdapterKit": adapter,
    "swift build -c release --product acme": install,
    "make -C Plugins/Examples c OUT=/tmp/examples": make_c,
    "cc -std=c11 -O2 -shared -fPIC -fvisibility=hidden -ISources/CFeedhostABI/include \\": by_hand,
    "extension Acme {": masters,
    "static const void *extension(fh_instance *instance, const char *id) {": extension,
    "static fh_status read_file(fh_str adapter, uint32_t file, fh_str bytes, const fh_master_sink *to) {": read_file,
    'var market = Link("market", carries: [.lastPrice, .orders])': orders_link,
    "override func startOrders() throws(AdapterError) {": orders,
    ".testTarget(": test_target,
    "import AdapterKit (2)": tests,
}
