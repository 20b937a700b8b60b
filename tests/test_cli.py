import gzip
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import termios

import pandas as pd
import pytest
from numba.core.caching import CacheImpl
from typer.testing import CliRunner

from toolkit import cli, datasets, kernels, pipeline, report
from toolkit.files import shipped

SAMPLE = shipped("sample") / "articles.jsonl.gz"


def call(*args, stdin=None):
    """The command line in this process: exit code, standard output, standard error."""
    done = CliRunner().invoke(cli.app, [str(a) for a in args], input=stdin, catch_exceptions=False)
    return done.exit_code, done.stdout, done.stderr


@pytest.fixture
def few(tmp_path):
    path = tmp_path / "few.jsonl"
    path.write_text("\n".join(gzip.decompress(SAMPLE.read_bytes()).decode().splitlines()[:12]), "utf-8")
    return path


def test_version():
    from toolkit import __version__

    assert call("--version") == (0, f"news-toolkit {__version__}\n", "")


def test_the_installed_command_answers():
    done = subprocess.run(
        [sys.executable, "-m", "toolkit.cli", "--help"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0
    for verb in ("clean", "classify", "run", "report", "share", "apply", "datasets", "warmup"):
        assert verb in done.stdout


def test_clean_then_classify(few, tmp_path):
    code, out, err = call("clean", few, "-o", tmp_path / "c.parquet", "--spans", tmp_path / "s.jsonl")
    assert (code, err) == (0, "")
    assert "12 in = 12 kept + 0 quarantined" in out
    assert "clean_text" in pd.read_parquet(tmp_path / "c.parquet")
    code, out, err = call("classify", tmp_path / "c.parquet", "-o", tmp_path / "t.csv")
    assert (code, err) == (0, "")
    assert list(pd.read_csv(tmp_path / "t.csv")) == ["doc_id", "topic", "name", "probability"]
    assert "topics " in out


def test_a_file_of_no_topics_is_reported_and_a_wrong_command_shows_its_use(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "Subscribe now."}\n{"text": "Log in | Register"}\n', "utf-8")
    code, out, err = call("classify", tmp_path / "a.jsonl", "-o", tmp_path / "t.csv")
    assert (code, err) == (0, "")
    assert "topics       none: no article, or no topic likely enough, in 2 documents" in out
    assert len(pd.read_csv(tmp_path / "t.csv")) == 0
    code, out, err = call("clean")
    assert code == 2
    assert "[OPTIONS] IN..." in err
    assert "{" not in err


def test_jobs_and_index_reach_the_pipeline(few, tmp_path, monkeypatch):
    from toolkit import pipeline

    asked = []
    for verb in ("clean", "classify", "run"):
        monkeypatch.setattr(pipeline, verb, lambda *_, **options: asked.append(options) or "done")
    monkeypatch.setattr(report, "render", lambda *_: None)
    for verb, extra in (("clean", ["--index", "i"]), ("classify", []), ("clean", ["-j", "-1"])):
        assert call(verb, few, "-o", tmp_path / "o.csv", "--jobs", 2, *extra)[0] == 0
    assert [options["n_jobs"] for options in asked] == [2, 2, -1]
    assert str(asked[0]["index"]) == "i"


def test_run_says_where_the_report_is(few, tmp_path, monkeypatch):
    monkeypatch.setattr(report, "render", lambda folder, **_: folder / "report.html")
    code, out, err = call("run", few, "-o", tmp_path / "out")
    assert (code, err) == (0, "")
    first, *rest = out.splitlines()
    assert first.split() == ["report", str(tmp_path / "out" / "report.html")]
    assert [line.split()[0] for line in rest if not line.startswith(" ")] == [
        "documents",
        "languages",
        "removed",
        "outside",
        "duplicates",
        "topics",
    ]
    assert (tmp_path / "out" / "run.json").is_file()


def test_run_without_the_lab_extra_writes_all_else_and_says_so(few, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "nbclient", None)
    code, out, err = call("run", few, "-o", tmp_path / "out")
    assert code == 0
    assert err == "news-toolkit: no report: nbclient is not installed; pip install 'news-toolkit[lab]'\n"
    assert out.startswith("written ")
    assert (tmp_path / "out" / "cleaned.parquet").is_file()
    assert not (tmp_path / "out" / "report.html").exists()


BAD = {
    "empty.jsonl": b"",
    "binary.bin": bytes(range(256)) * 40,
    "cut.json": b'[{"text": "It rained in',
    "notext.csv": b"id,body2\n1,2\n",
}


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_read_is_one_line_and_exit_code_2(tmp_path, name):
    (tmp_path / name).write_bytes(BAD[name])
    for verb, target in (("clean", "o.parquet"), ("run", "out")):
        code, out, err = call(verb, tmp_path / name, "-o", tmp_path / target)
        assert (code, out) == (2, "")
        assert err.count("\n") == 1
        assert err.startswith(f"news-toolkit: {name}")
    assert not (tmp_path / "o.parquet").exists()


def test_a_part_that_cannot_be_read_is_quarantined_and_the_rest_done(few, tmp_path):
    (tmp_path / "bad.jsonl").write_bytes(BAD["binary.bin"])
    code, out, _ = call("clean", few, tmp_path / "bad.jsonl", "-o", tmp_path / "o.parquet")
    assert code == 0
    assert "= 12 kept + " in out
    assert "+ 0 quarantined" not in out


def test_missing_input_and_strict(few, tmp_path):
    code, out, err = call("clean", tmp_path / "none.jsonl", "-o", tmp_path / "o.parquet")
    assert (code, out) == (2, "")
    assert "none.jsonl: no such file or folder" in err
    few.write_text(few.read_text("utf-8") + "\nno JSON\n", "utf-8")
    code, _, err = call("clean", few, "-o", tmp_path / "o.parquet", "--strict")
    assert code == 2
    assert err.startswith("news-toolkit: few.jsonl#13: ")


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["-o", "x.doc"], "unknown ending; use .parquet"),
        (["-o", "x.csv", "--remove", "adverts"], "adverts"),
        (["-o", "x.csv", "-c", "text"], "is not COLUMN=FIELD"),
    ],
)
def test_wrong_options_are_named(few, tmp_path, monkeypatch, args, words):
    monkeypatch.chdir(tmp_path)
    code, _, err = call("clean", few, *args)
    assert code != 0
    assert words in err
    assert not (tmp_path / "x.csv").exists()


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        (["title=Titel"], "title=Titel: in no input; no column 'Titel'; found 'body2', 'id'"),
        (["title=head"], ""),  # one of two files has it
        (["desk=desk", "title=id"], "desk=desk: in no input"),
        (["title=id", "title=body2"], "title is named twice, for id and body2"),
    ],
)
def test_a_field_that_no_input_has_is_refused(tmp_path, pairs, words):
    (tmp_path / "a.csv").write_text("id,body2\n1,It rained on Monday in the old town.\n")
    (tmp_path / "b.jsonl").write_text('{"body2": "Snow fell."}\n{"body2": "It was cold.", "head": "Cold"}\n')
    named = [part for pair in ("text=body2", *pairs) for part in ("-c", pair)]
    for verb in ("clean", "run"):
        out = tmp_path / f"{verb}.csv"
        code, _, err = call(
            verb, tmp_path / "*.*l", tmp_path / "a.csv", "-o", out, *named, *["--no-report"] * (verb == "run")
        )
        assert (code, words in err) == (2 if words else 0, True)
        assert list(tmp_path.rglob(".*partial")) == []


def test_columns_and_kinds_reach_the_job(tmp_path):
    (tmp_path / "in.csv").write_text("id,body2\n1,It rained on Monday. Sign up for our newsletter.\n")
    code, _, _ = call(
        "clean",
        tmp_path / "in.csv",
        "-o",
        tmp_path / "o.csv",
        "-c",
        "text=body2",
        "--remove",
        "notice,byline",
    )
    assert code == 0
    assert pd.read_csv(tmp_path / "o.csv")["clean_text"][0].startswith("It rained on Monday.")


def test_hostile_names_do_not_reach_the_terminal(tmp_path):
    path = tmp_path / "a\x1b[31m.jsonl"
    path.write_text("no JSON\n")
    code, _, err = call("clean", path, "-o", tmp_path / "o.csv")
    assert code == 2
    assert "\x1b" not in err


OVER = {
    "the file itself": ("classify", "news/a.jsonl", "-o", "news/a.jsonl"),
    "by another way": ("clean", "news/a.jsonl", "-o", "news/../news/a.jsonl"),
    "through a link": ("clean", "news/a.jsonl", "-o", "link.jsonl"),
    "an input that is a link": ("clean", "link.jsonl", "-o", "news/a.jsonl"),
    "a hard link": ("clean", "news/a.jsonl", "-o", "hard.jsonl"),
    "a file of a folder": ("clean", "news", "-o", "news/a.jsonl"),
    "a new file in a folder": ("clean", "news", "-o", "news/clean.jsonl"),
    "a match of a glob": ("clean", "ne*/*.jsonl", "-o", "news/a.jsonl"),
    "what a glob would match": ("clean", "news/**/*.jsonl", "-o", "news/sub/clean.jsonl"),
    "one of several": ("clean", "other.jsonl", "news/a.jsonl", "-o", "news/a.jsonl"),
    "two outputs in one place": ("clean", "news/a.jsonl", "-o", "c.jsonl", "--spans", "./c.jsonl"),
    "spans over the input": ("clean", "news/a.jsonl", "-o", "c.jsonl", "--spans", "news/a.jsonl"),
    "the index": ("clean", "news/a.jsonl", "-o", "model.parquet", "--index", "model.parquet"),
    "a folder over itself": ("run", "news", "-o", "news"),
    "a folder in the input": ("run", "news", "-o", "news/out"),
    "a folder through a link": ("run", "news", "-o", "folder"),
    "results of a run": ("run", "out/cleaned.parquet", "-o", "out"),
    "results that a glob matches": ("run", "out/*.parquet", "-o", "out"),
    "a report over its page": ("report", "page.html", "-o", "page.html"),
}


@pytest.mark.parametrize("args", OVER.values(), ids=OVER)
def test_an_output_never_stands_where_an_input_does(tmp_path, monkeypatch, args):
    monkeypatch.chdir(tmp_path)
    for name in ("news/a.jsonl", "other.jsonl", "out/cleaned.parquet", "page.html", "model.parquet"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text('{"text": "Rain fell."}\n')
    (tmp_path / "link.jsonl").symlink_to("news/a.jsonl")
    (tmp_path / "hard.jsonl").hardlink_to("news/a.jsonl")
    (tmp_path / "folder").symlink_to("news")
    before = {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")}
    monkeypatch.setattr("toolkit.jobs.engine.found_in", lambda *_: pytest.fail("work was begun"))
    code, out, err = call(*args)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "give" in err
    assert {path: path.is_file() and path.read_bytes() for path in tmp_path.rglob("*")} == before


def test_results_may_stand_beside_what_was_read(few):
    code, _, err = call("clean", few, "-o", few.with_name("clean.jsonl"))
    assert (code, err) == (0, "")


def test_home_and_brackets_in_the_names_of_places(tmp_path, monkeypatch):
    """Such as a program gives them, or a study: no shell writes the home for ``~``, and a bracket is no pattern."""
    home, here = tmp_path / "home", tmp_path / "a[1]"
    for folder in (home, here):
        folder.mkdir()
        (folder / "a.txt").write_text("It rained on Monday in the old town.")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(here)
    assert call("clean", "~/a.txt", "-o", "~/c.csv", "--spans", "~/s.csv", "-q") == (0, "", "")
    pipeline.clean("~/a.txt", "~/d.csv", spans="~/t.csv")
    for inputs, output in (("~/a.txt", "~/out"), ("*.txt", "out"), ("a.txt", "out2")):
        (here / "study.toml").write_text(f'inputs = "{inputs}"\noutput = "{output}"\n')
        assert call("run", here / "study.toml", "--no-report", "-q") == (0, "", "")
    assert {p.name for p in home.iterdir()} == {"a.txt", "c.csv", "s.csv", "d.csv", "t.csv", "out"}
    assert {p.name for p in here.iterdir()} == {"a.txt", "study.toml", "out", "out2"}
    (here / "study.toml").write_text('inputs = "a.txt"\noutput = ""\n')
    code, _, err = call("run", here / "study.toml")
    assert (code, err.count("\n"), "study.toml: '' is no path" in err) == (2, 1, True)


def test_standard_input(few, tmp_path):
    environment = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"}
    done = subprocess.run(
        [sys.executable, "-m", "toolkit.cli", "clean", "-", "-o", tmp_path / "o.jsonl"],
        input=few.read_bytes(), capture_output=True, check=False, env=environment,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")
    assert len((tmp_path / "o.jsonl").read_text("utf-8").splitlines()) == 12
    assert json.loads((tmp_path / "o.jsonl").read_text("utf-8").splitlines()[0])["clean_text"]


def shell(command, *args):
    """A command of a shell, in which ``nt`` is the command line: exit code of the first in a pipe, standard error."""
    line = f'set -o pipefail; nt() {{ {sys.executable} -m toolkit.cli "$@"; }}; {command}'
    done = subprocess.run(
        ["bash", "-c", line, "bash", *args], capture_output=True, text=True, check=False, timeout=100
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize(
    ("command", "expected", "words"),
    [
        ("nt --version >/dev/full", 1, "standard output: no space left"),
        ("nt datasets list >/dev/full", 1, "standard output: no space left"),
        ("nt datasets list | true", 141, None),
        ("nt clean - -o $1 <&-", 2, "-: standard input is closed"),
    ],
)
def test_standard_streams_that_are_closed_or_full(tmp_path, command, expected, words):
    code, err = shell(command, tmp_path / "o.csv")
    assert (code, err.count("\n")) == (expected, words is not None), err
    assert (words or "") in err
    assert list(tmp_path.iterdir()) == []


def test_bars_are_drawn_on_a_terminal_only(few, tmp_path):
    terminal, line = pty.openpty()
    termios.tcsetwinsize(line, (24, 100))
    environment = {k: v for k, v in os.environ.items() if k != "TQDM_DISABLE"}
    with subprocess.Popen(
        [sys.executable, "-m", "toolkit.cli", "clean", few, "-o", tmp_path / "o.parquet"],
        stdout=subprocess.PIPE, stderr=line, env=environment,
    ) as process:  # fmt: skip
        out = process.stdout.read()
    os.close(line)
    shown = b""
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:
            break
        if not piece:
            break
        shown += piece
    os.close(terminal)
    assert b"cleaning" in shown
    assert b"12 in = 12 kept" in out


def test_datasets(monkeypatch):
    code, out, _ = call("datasets", "list")
    assert code == 0
    assert "sample" in out
    monkeypatch.setattr(datasets, "fetch", lambda name: f"{name} fetched", raising=False)
    assert call("datasets", "fetch", "allsides") == (0, "allsides fetched\n", "")


def test_warmup():
    code, out, _ = call("warmup")
    assert code == 0
    assert out.startswith("kernels ready after")


def test_verify_of_the_record_itself_names_the_folder(tmp_path):
    (tmp_path / "run.json").write_text("{}")
    code, _, err = call("verify", tmp_path / "run.json")
    assert (code, f"run.json: a file; give the folder of the run, such as {tmp_path}\n" in err) == (2, True)


def test_report_needs_a_finished_run(tmp_path):
    code, out, err = call("report", tmp_path)
    assert (code, out) == (2, "")
    assert "no run.json, so no finished run" in err


def test_report_of_files_names_its_page(few, tmp_path, monkeypatch):
    code, out, err = call("report", few)
    assert (code, out) == (2, "")
    assert "to make a report of files, name its page: -o report.html" in err
    monkeypatch.setattr(report, "render", lambda folder, page, **_: page)
    code, out, err = call("report", few, "-o", tmp_path / "study.html")
    assert (code, err) == (0, "")
    assert out.split()[:2] == ["report", str(tmp_path / "study.html")]
    assert (tmp_path / "study_files" / "run.json").is_file()
    assert call("report", tmp_path / "study_files", "-o", tmp_path / "b.html")[1].strip() == str(
        tmp_path / "b.html"
    )
    code, out, err = call("report", few, "-o", tmp_path / "study.pdf")
    assert code == 2
    assert "name it study.html" in err


def test_an_option_named_at_its_default_outweighs_the_study(tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(pipeline, "run", lambda *_, **options: asked.append(options) or "done")
    for options in ([], ["--detect-language"], ["--no-detect-language"], ["--rows", "2500"]):
        assert call("run", "study.toml", "--no-report", *options)[0] == 0
    wanted = [{}, {"detect_language": True}, {"detect_language": False}, {"rows": 2500}]
    assert asked == [{"progress": False, **each} for each in wanted]


def test_a_finished_run_is_reported_as_it_is(tmp_path, monkeypatch):
    (tmp_path / "run.json").write_text("{}")
    monkeypatch.setattr(report, "render", lambda folder, page, **_: "done")
    assert call("report", tmp_path, "--title", "Rain", "--no-texts")[:2] == (0, "done\n")
    code, out, err = call("report", tmp_path, "--lang", "de", "-j", 2, "--no-duplicates", "-c", "text=a")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert "a finished run, which --column, --lang, --duplicates, --jobs cannot change; leave" in err


def signatures():
    modules = [module for name, module in sys.modules.items() if name.startswith("toolkit")]
    kernels = {kernel for module in modules for kernel in vars(module).values() if hasattr(kernel, "py_func")}
    return {kernel: kernel.signatures for kernel in kernels}


def test_a_second_process_compiles_only_what_a_run_calls():
    pipeline.warm()
    known = signatures()
    pipeline.compile_others()
    assert signatures() == known


@pytest.mark.parametrize("executable", [None, "/nowhere/python", shutil.which("false")])
def test_kernels_are_compiled_where_the_second_process_fails(monkeypatch, executable):
    monkeypatch.setattr("toolkit.pipeline.is_warm", lambda: False)
    monkeypatch.setattr("toolkit.pipeline.processors", lambda: 2)
    monkeypatch.setattr("sys.executable", executable)
    assert pipeline.warm().startswith("kernels ready after")


def test_where_nothing_can_be_kept_kernels_are_compiled_all_the_same(monkeypatch):
    monkeypatch.setattr(CacheImpl, "_locator_classes", [])
    kernel = kernels.njit(cache=True, nogil=True)(lambda n: n + 1)
    monkeypatch.setattr("toolkit.boilerplate.scoring.KERNEL", kernel)
    assert (kernel(1), kernel.stats.cache_path, pipeline.is_warm()) == (2, None, False)


def test_a_first_command_that_is_stopped_stops_the_process_beside_it(monkeypatch, tmp_path):
    begun = []

    class Beside(subprocess.Popen):
        def __init__(self, command, **options):
            super().__init__(["sleep", "600"], **options)
            begun.append((self, options["env"]))

    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMBA_CACHE_DIR", "cache")
    monkeypatch.setattr("toolkit.pipeline.is_warm", lambda: False)
    monkeypatch.setattr("toolkit.pipeline.processors", lambda: 2)
    monkeypatch.setattr("subprocess.Popen", Beside)
    monkeypatch.setattr("toolkit.pipeline.BoilerplateRemover.fit", stopped)
    with pytest.raises(KeyboardInterrupt):
        pipeline.warm()
    ((process, env),) = begun
    assert process.returncode == -signal.SIGKILL
    assert env["NUMBA_CACHE_DIR"] == str(tmp_path / "cache")


@pytest.mark.parametrize("warm", [True, False])
def test_a_first_command_on_a_terminal_says_why_it_takes_long(monkeypatch, capsys, warm):
    monkeypatch.setattr("toolkit.pipeline.is_warm", lambda: warm)
    warmed = []
    monkeypatch.setattr("toolkit.pipeline.warm", lambda: warmed.append(1))
    cli._warm_if_cold(all_kernels=False)
    assert (capsys.readouterr().err, warmed) == ("", [])  # nobody looks on
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    cli._warm_if_cold(all_kernels=True)
    assert warmed == [1] * (not warm)
    assert ("compiling kernels, once on this machine" in capsys.readouterr().err) is not warm
