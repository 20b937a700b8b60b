"""Disks fill up, rights are missing, processes die: outputs are whole or absent, and the next run continues."""

import errno
import gzip
import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet
from typer.testing import CliRunner

from toolkit import cli, files, pipeline, record, report
from toolkit.errors import SpoolError, describe
from toolkit.files import shipped
from toolkit.jobs import engine, parts
from toolkit.jobs.spool import Spool, claim

SAMPLE = shipped("sample") / "articles.jsonl.gz"
ROWS = 6


@pytest.fixture(scope="module")
def few(tmp_path_factory):
    """Twelve articles and a broken record: two parts of six documents."""
    path = tmp_path_factory.mktemp("in") / "few.jsonl"
    lines = gzip.decompress(SAMPLE.read_bytes()).decode().splitlines()[:12]
    path.write_text("\n".join([*lines, "no JSON", ""]), "utf-8")
    return path


@pytest.fixture(scope="module")
def undisturbed(few, tmp_path_factory):
    out = tmp_path_factory.mktemp("undisturbed")
    pipeline.run(few, out, rows=ROWS)
    return results(out)


FORKING = """
import json, os, signal, sys, traceback
from toolkit import cli, files, pipeline, report
from toolkit.jobs import parts

pipeline.run(sys.argv[1], sys.argv[2], rows=6)
report.render = lambda folder, **_: folder
for line in sys.stdin:
    task = json.loads(line)
    child = os.fork()
    if not child:
        # a shell that starts the tests in the background lets them ignore it
        signal.signal(signal.SIGINT, signal.default_int_handler)
        for number in (1, 2):
            os.dup2(os.open(f"{task['log']}{number}", os.O_CREAT | os.O_WRONLY | os.O_TRUNC), number)
        sys.argv, code = ["news-toolkit", *task["args"]], 0
        try:
            exec(task["code"])
        except SystemExit as error:
            code = error.code or 0
        except BaseException:
            traceback.print_exc()
            code = 99
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    print(child, flush=True)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Forks:
    """Processes that live and die by themselves, without the seconds that importing takes."""

    def __init__(self, few, folder):
        self.log = folder / "log"
        self.server = subprocess.Popen(
            [sys.executable, "-c", FORKING, few, folder / "warm"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def start(self, code, *args):
        """Fork a child that runs ``code``; return its number."""
        task = {"code": code, "args": [str(a) for a in args], "log": str(self.log)}
        for number in (1, 2):
            Path(f"{self.log}{number}").write_text("")
        self.server.stdin.write(json.dumps(task) + "\n")
        self.server.stdin.flush()
        return int(self.server.stdout.readline())

    def end(self):
        """Wait for the child: exit code (minus the signal that killed it), output, standard error."""
        return int(self.server.stdout.readline()), self.out(), Path(f"{self.log}2").read_text("utf-8")

    def out(self):
        return Path(f"{self.log}1").read_text("utf-8")

    def run(self, code, *args):
        self.start(code, *args)
        return self.end()


@pytest.fixture(scope="module")
def forks(few, tmp_path_factory):
    made = Forks(few, tmp_path_factory.mktemp("forks"))
    yield made
    made.server.stdin.close()
    made.server.stdout.close()
    assert made.server.wait(20) == 0


def results(folder):
    """The bytes of each result; the record without what differs from run to run."""
    found = {p.name: p.read_bytes() for p in folder.iterdir() if p.name in pipeline.RESULTS}
    record = json.loads((folder / "run.json").read_text("utf-8"))
    record.pop("environment")
    return found | {"run.json": record}


def whole_or_absent(folder, undisturbed):
    """Whatever has the name of a result is that result, and ``run.json`` is there only with all others."""
    if not folder.is_dir():
        return
    names = {p.name for p in folder.iterdir()}
    for name in names & set(pipeline.RESULTS):
        assert (folder / name).read_bytes() == undisturbed[name]
    if "run.json" in names:
        assert names >= set(pipeline.RESULTS)


def call(*args):
    """The command line in this process, without the report: exit code and standard error."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(report, "render", lambda folder, **_: folder / "report.html")
        done = CliRunner().invoke(cli.app, [str(a) for a in args])
    return done.exit_code, done.stderr


def one_line(error, *words):
    assert error.startswith("news-toolkit: ")
    assert error.count("\n") == 1
    assert "Traceback" not in error
    assert ".tmp" not in error
    for word in words:
        assert word in error


# --- the disk is full -------------------------------------------------------------------------------------


def writes(patch, fail_at=None, code=errno.ENOSPC):
    """Count the files a run puts in place; the write of a number or a name fails half-way. Returns the count."""
    count = []
    real = files._sync

    def sync(path):
        if path.is_file():
            count.append(path.name)
            if len(count) == fail_at or (isinstance(fail_at, str) and fail_at in path.name):
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
                raise OSError(code, os.strerror(code))
        real(path)

    patch.setattr(files, "_sync", sync)
    return count


def test_disk_full_at_each_write(few, undisturbed, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        count = writes(patch)
        pipeline.run(few, tmp_path / "count", rows=ROWS)
    assert len(count) >= 17  # 2 parts of 5 kinds, 4 results, run.json and what was noted between them
    for number in range(1, len(count) + 1):
        out = tmp_path / f"out{number}"
        with monkeypatch.context() as patch:
            writes(patch, number)
            with pytest.raises(OSError, match="No space left") as caught:
                pipeline.run(few, out, rows=ROWS)
        assert ".tmp" not in str(caught.value.filename)
        assert not (out / "run.json").exists()
        assert not list(out.rglob("*.tmp*")), number
        whole_or_absent(out, undisturbed)
        pipeline.run(few, out, rows=ROWS)
        assert results(out) == undisturbed
        assert not (out / ".partial").exists()
        shutil.rmtree(out)


@contextmanager
def largest_file(size):
    """The kernel itself refuses to let a file grow further; Python ignores the signal and sees EFBIG."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("size", [0, 300, 9_000, 18_000, 24_000])
def test_a_file_the_kernel_cuts_off_is_never_a_result(few, undisturbed, tmp_path, size):
    with largest_file(size), pytest.raises(OSError) as caught:
        pipeline.run(few, tmp_path / "out", rows=ROWS)
    assert caught.value.errno == errno.EFBIG
    whole_or_absent(tmp_path / "out", undisturbed)
    pipeline.run(few, tmp_path / "out", rows=ROWS)
    assert results(tmp_path / "out") == undisturbed


def test_a_full_disk_is_reported_in_one_line(few, tmp_path, monkeypatch):
    with monkeypatch.context() as patch:
        writes(patch, 3)
        code, error = call("run", few, "-o", tmp_path / "out")
    assert code == 1
    one_line(error, "no space left on the disk; make room and run the same command again", str(tmp_path))


@pytest.mark.parametrize("name", ["o.csv", "o.jsonl.gz", "o.parquet"])
def test_clean_leaves_the_old_file_where_the_disk_is_full(few, tmp_path, monkeypatch, name):
    (tmp_path / name).write_text("old")
    with monkeypatch.context() as patch:
        real = files._sync

        def full(path):
            if path.parent == tmp_path and path.is_file():
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            real(path)

        patch.setattr(files, "_sync", full)
        code, error = call("clean", few, "-o", tmp_path / name)
    assert code == 1
    one_line(error, f"{tmp_path / name}: no space left")
    assert (tmp_path / name).read_text() == "old"
    assert call("clean", few, "-o", tmp_path / name) == (0, "")
    assert [p.name for p in tmp_path.iterdir()] == [name]


SMALL_DISK = """
import ctypes
from pathlib import Path

libc = ctypes.CDLL(None, use_errno=True)
user, group, folder = os.geteuid(), os.getegid(), Path(sys.argv[2])
if libc.unshare(0x00020000 | 0x10000000):  # a mount and a user namespace of its own
    sys.exit(50)
Path("/proc/self/setgroups").write_text("deny")
Path("/proc/self/uid_map").write_text(f"0 {user} 1")
Path("/proc/self/gid_map").write_text(f"0 {group} 1")
if libc.mount(b"none", os.fsencode(folder), b"tmpfs", 0, b"size=64k"):
    sys.exit(50)
try:
    pipeline.run(sys.argv[1], folder / "out", rows=6)
except OSError as error:
    print(error.errno, sorted(path.name for path in (folder / "out").iterdir()))
"""


def test_a_small_disk_in_truth(few, tmp_path, forks):
    """A disk of 64 kB; where nobody may mount one, a limit of the kernel on files stands in."""
    code, out, error = forks.run(SMALL_DISK, few, tmp_path)
    if code == 50:
        with largest_file(0), pytest.raises(OSError):
            pipeline.run(few, tmp_path / "out", rows=ROWS)
    else:
        assert (code, error) == (0, "")
        assert out.startswith(f"{errno.ENOSPC} [")
        assert not [name for name in [*pipeline.RESULTS, "run.json"] if name in out]
    assert not list(tmp_path.rglob("*.parquet"))


# --- rights and folders -----------------------------------------------------------------------------------


@contextmanager
def nobody():
    """Be a user without rights, also where the tests run as root; gives a folder that user may enter."""
    root = os.geteuid() == 0
    folder = Path(tempfile.mkdtemp(prefix="news-"))
    try:
        folder.chmod(0o755)
        if root:
            os.seteuid(65534)
        yield folder
    finally:
        if root:
            os.seteuid(0)
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o755)
        shutil.rmtree(folder)


def test_an_output_folder_without_the_right_to_write(few):
    with nobody() as folder:
        source = folder / "few.jsonl"
        euid = os.geteuid()
        os.seteuid(os.getuid())
        shutil.copy(few, source)
        source.chmod(0o644)
        (folder / "out").mkdir()
        (folder / "out").chmod(0o555)
        folder.chmod(0o555)
        os.seteuid(euid)
        code, error = call("run", source, "-o", folder / "out")
        assert code == 1
        one_line(error, f"{folder / 'out' / '.partial'}: permission denied; choose another place")
        code, error = call("clean", source, "-o", folder / "new" / "o.csv")
        assert code == 1
        one_line(error, f"{folder / 'new'}: permission denied")
        assert sorted(p.name for p in folder.iterdir()) == ["few.jsonl", "out"]
        os.seteuid(os.getuid())
        source.chmod(0o000)
        (folder / "out").chmod(0o777)
        os.seteuid(euid)
        code, error = call("run", source, "-o", folder / "out")
        assert code == 2
        one_line(error, "few.jsonl: ", "ermission denied")
        assert not list((folder / "out").iterdir())


def test_an_output_that_cannot_be_one_is_reported_before_the_work(few, tmp_path, monkeypatch):
    monkeypatch.setattr(engine.Job, "work", lambda self: pytest.fail("worked"))
    (tmp_path / "folder.csv").mkdir()
    (tmp_path / "file").write_text("x")
    code, error = call("clean", few, "-o", tmp_path / "folder.csv")
    assert code == 2
    one_line(error, "folder.csv: is a folder; give the name of a file")
    code, error = call("clean", few, "-o", tmp_path / "a.csv", "--spans", tmp_path / "spans.txt")
    assert code == 2
    one_line(error, "spans.txt: unknown ending")
    for place in ("file", "file/below"):
        code, error = call("run", few, "-o", tmp_path / place)
        assert code == 1
        one_line(error, "a file stands where a folder is needed; choose another place")
    assert (tmp_path / "file").read_text() == "x"
    if Path("/proc/self").exists():
        code, error = call("run", few, "-o", "/proc/nowhere")
        assert code == 2
        one_line(error, "/proc/nowhere: no folder can be made there; choose another place")


@pytest.mark.parametrize("at", [3, 9, 14, 17])
def test_an_output_folder_that_vanishes(few, undisturbed, tmp_path, monkeypatch, at):
    out, count = tmp_path / "out", []
    with monkeypatch.context() as patch:
        real = files._sync

        def sync(path):
            count.append(path)
            if len(count) == at:
                shutil.rmtree(out)
            real(path)

        patch.setattr(files, "_sync", sync)
        code, error = call("run", few, "-o", out, "--rows", ROWS)
    assert code == 1
    one_line(error)
    assert not (out / "run.json").exists()
    assert call("run", few, "-o", out, "--rows", ROWS)[0] == 0
    assert results(out) == undisturbed


def test_a_damaged_part_is_named(few, tmp_path, monkeypatch):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        writes(patch, "topics-000001")
        with pytest.raises(OSError):
            pipeline.run(few, out, rows=ROWS)
    part = out / ".partial" / "corpus-000001.parquet"
    another = part.with_name("corpus-000000.parquet").read_bytes()
    for damaged in (b"", part.read_bytes()[:-9], another):
        part.write_bytes(damaged)
        code, error = call("run", few, "-o", out, "--rows", ROWS)
        assert code == 1
        one_line(error, f"{part}: this part of an interrupted run is damaged; remove {out / '.partial'}")
    shutil.rmtree(out / ".partial")
    assert call("run", few, "-o", out, "--rows", ROWS)[0] == 0


def test_parts_are_removed_while_the_folder_is_still_locked(few, tmp_path, monkeypatch):
    """Whoever had the lock by then would lose the parts just written."""
    real, told = shutil.rmtree, []

    def rmtree(folder, **options):
        with pytest.raises(SpoolError) as error:
            claim(Path(folder), "another run")
        told.append(str(error.value))
        real(folder, **options)

    monkeypatch.setattr(engine.shutil, "rmtree", rmtree)
    pipeline.run(few, tmp_path / "out")
    assert told == [f"{tmp_path / 'out'}: another run is writing there; wait for it or choose another output"]


def test_a_run_that_is_killed_while_it_removes_its_parts_is_run_again(
    few, undisturbed, tmp_path, monkeypatch
):
    """Some parts are gone then, and their notes are still there."""

    def rmtree(folder, **_):
        for part in Path(folder).glob("corpus-*.parquet"):
            part.unlink()

    with monkeypatch.context() as killed:
        killed.setattr(engine.shutil, "rmtree", rmtree)
        pipeline.run(few, tmp_path / "out", rows=ROWS)
    assert list((tmp_path / "out" / ".partial").glob("*.json"))
    pipeline.run(few, tmp_path / "out", rows=ROWS)
    assert not (tmp_path / "out" / ".partial").exists()
    assert results(tmp_path / "out") == undisturbed


def test_where_files_cannot_be_locked_the_run_goes_on(few, tmp_path, monkeypatch):
    import fcntl

    def refuse(*_):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", refuse)
    assert pipeline.run(few, tmp_path / "out").kept == 12


# --- signals ----------------------------------------------------------------------------------------------

KILLED = """
import signal

source, out, strike = sys.argv[1], sys.argv[2], int(sys.argv[3])
count, real = [], files._sync


def sync(path):
    if path.is_file():
        count.append(path)
        if len(count) == strike:
            if strike % 2:  # in the middle of a write: half the file is on the disk
                os.truncate(path, path.stat().st_size // 2)
            os.kill(os.getpid(), signal.SIGKILL)
    real(path)


files._sync = sync
pipeline.run(source, out, rows=6)
"""


def test_sigkill_at_each_write(few, undisturbed, tmp_path, forks):
    number = 0
    while True:
        number += 1
        out = tmp_path / "out"
        code, _, error = forks.run(KILLED, few, out, number)
        if not code:
            break
        assert (code, error) == (-signal.SIGKILL, "")
        assert not (out / "run.json").exists()
        whole_or_absent(out, undisturbed)
        pipeline.run(few, out, rows=ROWS)
        assert results(out) == undisturbed, number
        assert sorted(p.name for p in out.iterdir()) == sorted([*pipeline.RESULTS, "run.json"]), number
        shutil.rmtree(out)
    assert number > 17


SLOW = """
import time

real = parts._worked


def slow(*rest):
    real(*rest)
    print("part", flush=True)
    time.sleep(30)


parts._worked = slow
cli.main()
"""


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_that_ask_leave_a_run_that_continues(few, undisturbed, tmp_path, forks, number, expected):
    out = tmp_path / "out"
    child = forks.start(SLOW, "run", few, "-o", out, "--rows", ROWS)
    while "part" not in forks.out():
        time.sleep(0.02)
    os.kill(child, number)
    code, _, error = forks.end()
    assert code == expected, error
    one_line(error, "stopped; the same command continues or starts again")
    assert [p.name for p in out.iterdir()] == [".partial"]
    assert not list(out.rglob("*.tmp*"))
    pipeline.run(few, out, rows=ROWS)
    assert results(out) == undisturbed


REPORTING = """
import importlib

from nbformat import v4

importlib.reload(report)


def slow():
    book = blank()
    code = "import os, pathlib, time; pathlib.Path({mark!r}).write_text(str(os.getpid())); time.sleep(60)"
    book.cells.append(v4.new_code_cell(code))
    return book


blank, report.blank = report.blank, slow
cli.main()
"""


@pytest.mark.parametrize(("number", "expected"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_signals_stop_a_report_and_its_kernel(few, tmp_path, forks, number, expected):
    out, mark = tmp_path / "out", tmp_path / "mark"
    pipeline.run(few, out, rows=ROWS)
    before = results(out)
    child = forks.start(REPORTING.format(mark=str(mark)), "report", out)
    while not mark.is_file() or not mark.read_text():
        time.sleep(0.05)
    os.kill(child, number)
    code, _, error = forks.end()
    assert code == expected, error
    one_line(error, "stopped; the same command continues or starts again")
    assert results(out) == before
    assert not list(out.glob("report*"))
    kernel = Path("/proc", mark.read_text(), "stat")
    assert not kernel.exists() or kernel.read_text().rpartition(") ")[2][0] == "Z"


SWALLOWED = """
import ctypes


@ctypes.CFUNCTYPE(None, ctypes.c_int)
def struck(number):  # no exception leaves a callback of C
    signal.raise_signal(number)


def worked(*rest):
    print("part", flush=True)
    for number in {numbers}:
        struck(number)
    return real(*rest)


real, parts._worked = parts._worked, worked
cli.main()
"""


@pytest.mark.parametrize(
    ("numbers", "expected"), [([signal.SIGTERM], 143), ([signal.SIGINT], 130), ([15, 15], -15), ([15, 2], -2)]
)
def test_a_signal_that_a_library_swallows_ends_the_run_at_the_next_task(
    few, tmp_path, forks, numbers, expected
):
    code = SWALLOWED.format(numbers=[int(number) for number in numbers])
    code, out, error = forks.run(code, "run", few, "-o", tmp_path / "out", "--rows", ROWS)
    assert (code, out) == (expected, "part\n"), error
    if expected > 0:
        one_line(error, "stopped; the same command continues or starts again")
    else:
        assert error == ""


IMPORTING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell has it ignored in the background
from toolkit import cli

module, number = sys.argv[1], int(sys.argv[2])
del sys.argv[1:3]


class Finder:
    def find_spec(name, *_):
        if name == module:
            signal.raise_signal(number)


sys.meta_path.insert(0, Finder)
cli.main()
"""


@pytest.mark.parametrize(
    ("module", "number", "expected"),
    [("pandas", 2, -2), ("pandas", 15, -15), ("numba", 2, 130), ("numba", 15, 143)],
)
def test_a_signal_while_modules_are_imported_shows_no_traceback(few, tmp_path, module, number, expected):
    done = subprocess.run(
        [sys.executable, "-c", IMPORTING, module, str(number), "clean", few, "-o", tmp_path / "o.csv"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == expected, done.stderr
    assert done.stderr.count("\n") == (expected > 0)


# --- memory and time --------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", [MemoryError(), pa.ArrowMemoryError("malloc of size 64 failed")])
def test_out_of_memory_is_reported_and_the_next_run_continues(few, undisturbed, tmp_path, monkeypatch, error):
    out = tmp_path / "out"
    with monkeypatch.context() as patch:
        real, count = parts._check_spans, []

        def check(*args):
            count.append(1)
            if len(count) == 2:
                raise error
            real(*args)

        patch.setattr(parts, "_check_spans", check)
        code, message = call("run", few, "-o", out, "--rows", ROWS)
    assert code == 1
    one_line(message, "not enough memory; pass a smaller --rows")
    assert [p.name for p in out.iterdir()] == [".partial"]
    assert call("run", few, "-o", out, "--rows", ROWS) == (0, "")
    assert results(out) == undisturbed


SHORT_OF_MEMORY = """
import resource

pages = int(open("/proc/self/statm").read().split()[0])
resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (24 << 20),) * 2)
cli.main()
"""


def test_out_of_memory_in_truth(tmp_path, forks):
    """The kernel grants 24 MB more than the process has when it begins to read a larger file."""
    source = tmp_path / "in.jsonl"
    source.write_bytes(40 * gzip.decompress(SAMPLE.read_bytes()))
    code, _, error = forks.run(SHORT_OF_MEMORY, "clean", source, "-o", tmp_path / "o.csv", "--rows", 100_000)
    assert code == 1, error
    one_line(error, "not enough memory; pass a smaller --rows")
    assert not (tmp_path / "o.csv").exists()


class Backwards(datetime):
    """A clock that loses a day at each look."""

    looks = 0

    @classmethod
    def now(cls, tz=None):
        cls.looks += 1
        return datetime(2030, 1, 1, tzinfo=UTC) - timedelta(days=cls.looks)


def test_a_clock_that_runs_backwards_changes_nothing(few, undisturbed, tmp_path, monkeypatch):
    out = tmp_path / "out"
    start = time.time()
    looks = iter(range(10**9))
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "datetime", Backwards)
        patch.setattr(record, "datetime", Backwards)
        patch.setattr(time, "time", lambda: start - 3600 * next(looks))
        writes(patch, "topics-000001")
        with pytest.raises(OSError):
            pipeline.run(few, out, rows=ROWS)
    for path in out.rglob("*"):  # files from the future
        os.utime(path, (start + 10**8, start + 10**8))
    done = []
    real = parts._worked
    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "datetime", Backwards)
        patch.setattr(record, "datetime", Backwards)
        patch.setattr(parts, "_worked", lambda *a: (done.append(int(a[-1]["name"])), real(*a))[1])
        pipeline.run(few, out, rows=ROWS)
    assert done == [1]  # it went on from the part that was done
    assert results(out) == undisturbed


# --- the account ------------------------------------------------------------------------------------------


def test_clean_and_classify_hold_their_accounts_too(few, tmp_path, monkeypatch):
    real = Spool.tables

    def loses_one(self, kind, *given, **named):
        for table in real(self, kind, *given, **named):
            yield table.slice(1) if kind == "cleaned" else table

    monkeypatch.setattr(Spool, "tables", loses_one)
    code, error = call("clean", few, "-o", tmp_path / "o.csv")
    assert code == 1
    one_line(error, "13 documents came in, but 11 were kept and 1 quarantined; do not use these results")
    assert not (tmp_path / "o.csv").exists()
    monkeypatch.undo()

    write = Spool.write

    def drops_one(self, kind, number, table):
        return write(self, kind, number, table.slice(1) if kind == "quarantine" else table)

    monkeypatch.setattr(Spool, "write", drops_one)
    code, error = call("classify", few, "-o", tmp_path / "t.csv")
    assert code == 1
    one_line(error, "13 documents came in, but 12 were kept and 0 quarantined")
    assert not (tmp_path / "t.csv").exists()


@pytest.mark.parametrize("code", [*sorted({errno.ENOSPC, errno.EACCES, errno.EROFS, errno.EIO}), 9999])
def test_every_fault_has_a_mend(code):
    text = describe(OSError(code, os.strerror(code), "out"))
    assert text.startswith("out: ")
    assert "; " in text
    assert "\n" not in text


def test_parts_are_parquet(few, tmp_path, monkeypatch):
    """What the tests above call a part is what a run leaves."""
    with monkeypatch.context() as patch:
        writes(patch, "topics-000001")
        with pytest.raises(OSError):
            pipeline.run(few, tmp_path / "out", rows=ROWS)
    parts = sorted((tmp_path / "out" / ".partial").glob("*.parquet"))
    assert sum(parquet.read_metadata(p).num_rows for p in parts if p.name.startswith("corpus")) == 12
