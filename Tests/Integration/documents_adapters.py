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
from host import HEADERS, REPO

KIT = REPO / "Sources/AdapterKit"
MODULES = REPO / ".build/debug/Modules"
SWIFT = ["-swift-version", "6", "-I", MODULES, "-Xcc", f"-I{HEADERS}"]


def objects() -> list[Path]:
    """What the debug build made of the kit's sources that there are now."""
    names = sorted(file.name for file in (KIT / "Sources/AdapterKit").rglob("*.swift"))
    return [REPO / f".build/debug/AdapterKit.build/{name}.o" for name in names]


def ran(page: Page, *words) -> subprocess.CompletedProcess:
    done = subprocess.run(
        [str(word) for word in words], cwd=page.acme, env=page.environment, capture_output=True, text=True,
        timeout=300)
    assert done.returncode == 0, f"{words[0]} …:\n{done.stdout}{done.stderr}"
    return done


def call(page: Page, *words) -> str:
    return ran(page, *words).stdout


def package(page: Page, text: str) -> dict:
    (page.acme / "Package.swift").write_text(text)
    return json.loads(call(page, "swift", "package", "--disable-sandbox", "dump-package"))


def manifest(page: Page, block: Block) -> None:
    page.installed()
    kit(page)
    page.acme = page.home / "acme"
    (page.acme / "Sources/Acme").mkdir(parents=True)
    page.manifest = block.text
    target = package(page, block.text)["targets"][0]
    (setting,) = target["settings"]
    assert setting["condition"]["config"] == "release"
    page.flags = setting["kind"]["unsafeFlags"]["_0"]
    assert f"--version-script={page.acme}/adapter.map" in page.flags


def tarball(page: Page, block: Block) -> None:
    """In a checkout. The tests further down are built with what it has unpacked."""
    shutil.copy(REPO / "LICENSE", page.folder)
    page.command(
        "git init -q && git add LICENSE Sources && git -c user.name=a -c user.email=a@example.in commit -qm kit")
    page.run(block)
    assert (page.acme / "AdapterKit/LICENSE").read_bytes() == (REPO / "LICENSE").read_bytes()
    assert (page.acme / "AdapterKit/Package.swift").read_bytes() == (KIT / "Package.swift").read_bytes()


def fetches_nothing(page: Page) -> None:
    """In a fresh home and a network without an outside: the kit is all that there is, and it is where it was."""
    tree = json.loads(call(page, "swift", "package", "show-dependencies", "--format", "json"))
    assert [kit["identity"] for kit in tree["dependencies"]] == ["adapterkit"], tree
    assert tree["dependencies"][0]["dependencies"] == [], tree
    left = [*(page.acme / ".build/repositories").glob("*"), *(page.acme / ".build/checkouts").glob("*")]
    assert not left and not (page.acme / "Package.resolved").exists(), left


def version_script(page: Page, block: Block) -> None:
    (page.acme / "adapter.map").write_text(block.text)
    ours = (REPO / "Plugins/adapter.map").read_text()
    assert block.text == "".join(line + "\n" for line in ours.splitlines() if not line.startswith("#"))


def adapter(page: Page, block: Block) -> None:
    """Built here, where it may take its time; the next block finds it done."""
    page.source = block.text
    (page.acme / "Sources/Acme/Acme.swift").write_text(block.text)
    fetches_nothing(page)
    builds(page, "build", "-c", "release", "--product", "acme")


def builds(page: Page, *words: str) -> str:
    """Also without a word of the compiler about the kit, whose warnings are errors nowhere else."""
    done = ran(page, "swift", *words)
    said = done.stdout + done.stderr
    assert "warning:" not in said, said
    return said


def install(page: Page, block: Block) -> None:
    def answer(ws) -> None:
        for text in ws:
            for symbol in json.loads(text).get("subscribe", []):
                ws.send(json.dumps({"symbol": symbol, "price": "1187.75", "qty": 10}))

    page.at = page.acme
    with serve(answer, "127.0.0.1", 9000) as venue:
        threading.Thread(target=venue.serve_forever, daemon=True).start()
        said = page.run(block, replace={"access_token=…": "access_token=today"})
        symbols = re.findall(r"^[0-9a-f]+ \w (\S+)$", said, re.MULTILINE)
        assert [name.partition("@")[0] for name in symbols] == ["feedhost_adapter_entry_v1"], said
        assert re.search(r"^loaded +acme +in\.example\.acme +1\.0\.0", said, re.MULTILINE), said
        tick = page.tick("NSE:RELIANCE", page.aside("keys", "issue", "dave"))
        assert tick["broker"] == "acme" and tick["data"]["ltp"] == 1187.75, tick
        page.end()
        venue.shutdown()


# MARK: C


def kit(page: Page) -> None:
    target = page.folder / "Sources/AdapterKit"
    if not target.exists():
        shutil.copytree(KIT, target, ignore=shutil.ignore_patterns(".build"))


def examples(page: Page) -> None:
    """The parts of a checkout that the commands name."""
    kit(page)
    if not (page.folder / "Plugins").exists():
        shutil.copytree(REPO / "Plugins/Examples", page.folder / "Plugins/Examples")
        shutil.copy(REPO / "Plugins/adapter.map", page.folder / "Plugins")


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
         *objects(), *page.flags, "-o", page.home / "parts/acme.so")
    listed = page.command(f"cd ../feedhost && feedhost plugins list --plugins {page.home}/parts")
    assert re.search(r"^loaded +acme .* orders +\S*/parts/acme\.so$", listed, re.MULTILINE), listed


# MARK: Tests


def test_target(page: Page, block: Block) -> None:
    text = page.manifest.replace("            ])\n    ],", f"            ]),\n{block.text.rstrip()},\n    ],", 1)
    assert text != page.manifest
    text = text.replace('"../feedhost/Sources/AdapterKit"', '"AdapterKit"')
    names = [target["name"] for target in package(page, text)["targets"]]
    assert names == ["Acme", "AcmeTests"]


def tests(page: Page, block: Block) -> None:
    """With the kit from the tarball, and the checkout gone."""
    shutil.rmtree(page.folder / "Sources/AdapterKit")
    (page.acme / "Tests/AcmeTests").mkdir(parents=True)
    (page.acme / "Tests/AcmeTests/AcmeTests.swift").write_text(block.text)
    fetches_nothing(page)
    said = builds(page, "test")
    assert re.search(r"2 tests .*passed", said), said


TABLE = {
    "// swift-tools-version: 6.2": manifest,
    "git archive --prefix=AdapterKit/ --add-file=LICENSE -o AdapterKit.tar.gz HEAD:Sources/AdapterKit": tarball,
    "{ global: feedhost_adapter_entry_v1; local: *; };": version_script,
    "import AdapterKit": adapter,
    "swift build -c release --product acme": install,
    "make -C Plugins/Examples c OUT=/tmp/examples": make_c,
    "cc -std=c11 -O2 -shared -fPIC -fvisibility=hidden -ISources/AdapterKit/Sources/CFeedhostABI/include \\": by_hand,
    "extension Acme {": masters,
    "static const void *extension(fh_instance *instance, const char *id) {": extension,
    "static fh_status read_file(fh_str adapter, uint32_t file, fh_str bytes, const fh_master_sink *to) {": read_file,
    'var market = Link("market", carries: [.lastPrice, .orders])': orders_link,
    "override func startOrders() throws(AdapterError) {": orders,
    ".testTarget(": test_target,
    "import AdapterKit (2)": tests,
}
