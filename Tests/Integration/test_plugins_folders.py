"""What is found in folders, what is refused, and the sentence that says why."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time

import pytest

from host import REPO, Host, binary, plugins_folder

#: Every bad file, with what its reason must name.
BAD = {
    "empty.so": ["empty"],
    "text.so": ["not an ELF"],
    "truncated.so": ["truncated"],
    "wrong-machine.so": ["built for", "this machine is"],
    "no-entry.so": ["feedhost_adapter_entry_v1"],
    "unresolved-symbol.so": ["symbol", "function_that_nobody_has"],
    "wrong-magic.so": ["magic", "0x31484446"],
    "future-abi.so": ["ABI 2.1", "1.1", "major"],
    "wrong-layout.so": ["layout", "fh_tick", "248", "256"],
    "crashing-constructor.so": ["crashed", "SIGSEGV"],
    "hanging-constructor.so": ["timed out"],
    "duplicate-a.so": ["twin", "duplicate-b.so", "same folder"],
    "duplicate-b.so": ["twin", "duplicate-a.so", "same folder"],
}
EXTRA = {
    "host-too-old.so": ["1.99", "this host has 1.1"],
    "unresolved-library.so": ["library", "libdoesnotexist.so.1"],
    "world-writable.so": ["written by everybody", "chmod o-w"],
    "exiting-constructor.so": ["exited", "status 0"],
    "exit-in-entry.so": ["exited", "status 0"],
    "not-a-library.so": ["executable"],
    "pie-program.so": ["executable"],
    "32-bit.so": ["32-bit"],
    "huge-section.so": ["truncated"],
    "no-broker-key.so": ["Bad Key!"],
    "null-descriptors.so": ["descriptors"],
}
#: Start-up may take this much longer, in seconds, when the bad files are there.
EXTRA_TIME = 3.0


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The folders that the Makefile of the bad plugins fills."""
    folder = tmp_path_factory.mktemp("bad-plugins")
    subprocess.run(
        ["make", "-s", "-C", str(REPO / "Tests/Fixtures/BadPlugins"), f"OUT={folder}"], check=True, timeout=120,
        stdin=subprocess.DEVNULL, capture_output=True)
    return folder


@pytest.fixture
def here(tmp_path):
    """A host that is not started: home, working folder and environment for commands."""
    return Host(tmp_path / "host")


def listed(host, *folders, environment=None) -> list[dict]:
    arguments = [argument for folder in folders for argument in ("--plugins", folder)]
    host.environment |= environment or {}
    result = host.run("plugins", "list", "--json", *arguments, timeout=30)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def by_file(records: list[dict]) -> dict[str, dict]:
    return {record["file"]: record for record in records}


def copy(source, folder, name=None):
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / (name or source.name)
    shutil.copy(source, target)
    target.chmod(0o755)
    return target


def assert_reasons(records, expected):
    for file, words in expected.items():
        record = records[file]
        assert record["state"] != "loaded", f"{file} is loaded"
        for word in words:
            assert word.lower() in record["reason"].lower(), f"{file}: {word!r} is not in {record['reason']!r}"


def test_a_reason_for_every_bad_file(here, made):
    records = by_file(listed(here, made / "bad"))
    assert set(records) == set(BAD)
    assert_reasons(records, BAD)
    assert not [file for file, record in records.items() if record["state"] == "loaded"]


def test_a_reason_for_every_extra_file(here, made):
    records = by_file(listed(here, made / "extra"))
    assert_reasons(records, EXTRA)
    assert records["crash-on-create.so"]["state"] == "loaded", "it crashes later, not here"
    assert set(records) == {*EXTRA, "crash-on-create.so"}


def test_the_table_for_people_says_the_same(here, made):
    result = here.run("plugins", "list", "--plugins", made / "bad", timeout=30)
    assert result.returncode == 0
    for file, words in BAD.items():
        assert any(file in line and words[0].lower() in line.lower() for line in result.stdout.splitlines()), file


def test_start_up_with_bad_files(start_host, connect, made):
    def start(folders):
        begin = time.monotonic()
        host = start_host(plugins=folders)
        return host, time.monotonic() - begin

    # Two of each, the faster counts: the machine has other things to do.
    plain = min(start([plugins_folder()])[1] for _ in range(2))
    starts = [start([made / "bad", plugins_folder()]) for _ in range(2)]
    host, took = starts[0][0], min(seconds for _, seconds in starts)
    assert took - plain < EXTRA_TIME, f"{took:.2f} s with the bad files, {plain:.2f} s without"
    assert "twin" not in host.ready["brokers"]
    for file in BAD:
        assert f"{file} is not loaded" in host.stderr
    client = connect(host, "alice")
    client.subscribe("NSE:RELIANCE")
    client.ticks(3)


def test_json_has_the_facts(here):
    records = by_file(listed(here, plugins_folder()))
    for file, broker in (("simulator.so", "simulator"), ("binance.so", "binance")):
        record = records[file]
        assert record["state"] == "loaded" and record.get("reason") is None
        assert record["broker"] == broker and record["abi"] == "1.1"
        assert record["path"] == str(plugins_folder() / file)
        assert record["id"] and record["version"].count(".") == 2
        assert record["capabilities"]["exchanges"]


def test_one_folder_shadows_the_next(here, made):
    first, second = made / "shadow/first", made / "shadow/second"
    for order in ([first, second], [second, first]):
        records = {record["folder"]: record for record in listed(here, *order)}
        assert records[str(order[0])]["state"] == "loaded"
        assert records[str(order[1])]["state"] == "shadowed"
        assert str(order[0] / "shadow.so") in records[str(order[1])]["reason"]


def test_search_order(here, made, tmp_path):
    """--plugins, FEEDHOST_PLUGIN_PATH (several), ./plugins.d, XDG_DATA_HOME: the first that has the broker serves it."""
    source = made / "shadow/first/shadow.so"
    flag, one, two = tmp_path / "flag", tmp_path / "one", tmp_path / "two"
    data = tmp_path / "data"
    order = [flag, one, two, here.folder / "plugins.d", data / "feedhost/plugins.d"]
    for folder in order:
        copy(source, folder)
    environment = {"FEEDHOST_PLUGIN_PATH": f"{one}:{two}", "XDG_DATA_HOME": str(data)}
    while order:
        records = listed(here, flag, environment=environment)
        folders = [record["folder"] for record in records if record["file"] == "shadow.so"]
        assert folders == [str(folder) for folder in order]
        states = [record["state"] for record in records if record["file"] == "shadow.so"]
        assert states == ["loaded"] + ["shadowed"] * (len(order) - 1)
        (order.pop(0) / "shadow.so").unlink()


def test_a_pin_decides_between_two_files_of_one_folder(here, made):
    (here.folder / "feedhost.yaml").write_text("plugins: {pin: {twin: duplicate-b.so}}\n")
    records = by_file(listed(here, made / "bad"))
    assert records["duplicate-b.so"]["state"] == "loaded"
    assert records["duplicate-a.so"]["state"] == "shadowed" and "pinned" in records["duplicate-a.so"]["reason"]


def test_a_world_writable_folder_is_refused(here, made, tmp_path):
    folder = tmp_path / "open"
    copy(made / "shadow/first/shadow.so", folder)
    folder.chmod(0o777)
    records = listed(here, folder)
    assert not [record for record in records if record["state"] == "loaded" and record["folder"] == str(folder)]
    reason = next(record["reason"] for record in records if record["path"].startswith(str(folder)))
    assert "written by everybody" in reason and str(folder) in reason and "chmod" in reason


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_files_of_another_user_are_refused(here, made, tmp_path):
    file = copy(made / "shadow/first/shadow.so", tmp_path / "theirs")
    os.chown(file, 65534, 65534)
    record = by_file(listed(here, file.parent))["shadow.so"]
    assert record["state"] == "refused" and "own" in record["reason"]
    assert "65534" in record["reason"] or "nobody" in record["reason"]


def test_a_missing_folder_is_said(here, tmp_path):
    records = listed(here, tmp_path / "nowhere")
    record = next(record for record in records if record["path"] == str(tmp_path / "nowhere"))
    assert record["state"] == "refused" and "does not exist" in record["reason"]


def test_other_files_are_ignored(here, tmp_path):
    folder = tmp_path / "mixed"
    folder.mkdir()
    (folder / "README.md").write_text("nothing")
    (folder / "old.so.bak").write_text("nothing")
    (folder / "nested.so").mkdir()
    records = by_file(listed(here, folder))
    assert records["old.so.bak"]["state"] == "ignored" and "does not end in .so" in records["old.so.bak"]["reason"]
    assert records.get("README.md", {}).get("state", "ignored") == "ignored"
    assert records["nested.so"]["state"] != "loaded" and "folder" in records["nested.so"]["reason"]


def test_no_plugin_at_all(here):
    result = here.run("plugins", "list")
    assert result.returncode == 0 and "plugins.d" in result.stdout
    assert listed(here) == []
    assert binary().exists()
