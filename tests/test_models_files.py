"""Files that hold models, indexes and decisions: a changed one is refused in one line, and none is ever run."""

import ast
import contextlib
import hashlib
import io
import json
import os
import pickle
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import toolkit
from toolkit.boilerplate.decisions import read_decisions
from toolkit.boilerplate.model import SHIPPED as SEGMENTS
from toolkit.boilerplate.model import SegmentModel
from toolkit.boilerplate.reading import LAYOUTS
from toolkit.errors import ModelError
from toolkit.modelfile import read_arrays
from toolkit.topics.model import SHIPPED as TOPICS
from toolkit.topics.model import TopicModel

PACKAGE = Path(toolkit.__file__).parent
ROOT = PACKAGE.parent

RUNNING = {
    "pickle",
    "cPickle",
    "_pickle",
    "joblib",
    "dill",
    "cloudpickle",
    "shelve",
    "marshal",
    "torch",
    "skops",
}
CALLS = {"eval", "exec", "compile", "__import__", "read_pickle", "to_pickle", "fromfile", "load_module"}


def called(node):
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def receiver(node):
    return ast.unparse(node.func.value) if isinstance(node.func, ast.Attribute) else ""


def test_nothing_in_the_package_can_run_what_a_file_says():
    for path in sorted(PACKAGE.rglob("*.py")):
        runs_nothing(path)


def runs_nothing(path):
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [str(node.module)] if isinstance(node, ast.ImportFrom) else []
        assert not [name for name in names if name.split(".")[0] in RUNNING], f"line {node.lineno}: {names}"
        if isinstance(node, ast.Call):
            keywords = {word.arg: ast.unparse(word.value) for word in node.keywords}
            assert keywords.get("allow_pickle", "False") == "False", f"line {node.lineno}"
            assert called(node) not in CALLS or receiver(node) == "re", f"line {node.lineno}: {called(node)}"
            # numpy compiles the header of an array to read it; read_arrays does not
            assert (receiver(node), called(node)) != ("np", "load"), f"line {node.lineno}: use read_arrays"


def test_no_shipped_file_is_a_pickle():
    files = [
        path for folder in (PACKAGE / "models", ROOT / "data") for path in folder.rglob("*") if path.is_file()
    ]
    assert len(files) > 20
    assert {path.suffix for path in (PACKAGE / "models").iterdir()} == {".npz", ".json"}
    for path in files:
        assert path.read_bytes()[:1] != b"\x80", path
        if path.suffix == ".npz":
            with zipfile.ZipFile(path) as archive:
                assert all(b"'|O'" not in archive.read(name)[:200] for name in archive.namelist())


CORPUS = pd.DataFrame(
    {
        "doc_id": [str(i) for i in range(8)],
        "text": [
            f"Story number {i} of the day.\n\nSign up for our daily newsletter today." for i in range(8)
        ],
        "publisher": ["a.example"] * 8,
    }
)


@pytest.fixture(scope="module")
def originals(tmp_path_factory):
    """One good file, or pair of files, of every kind."""
    folder = tmp_path_factory.mktemp("models")
    for stem in (SEGMENTS, TOPICS.with_suffix("")):
        for suffix in (".npz", ".json"):
            name = "segments" if stem == SEGMENTS else "topics"
            shutil.copy(stem.with_suffix(suffix), folder / f"{name}{suffix}")
    own = toolkit.TopicClassifier(bits=8, folds=2)
    own.fit(["rain fell", "goal scored", "wind blew", "match won"] * 4, ["weather", "sport"] * 8)
    own.save(folder / "own")
    toolkit.BoilerplateRemover(remove=["promo"]).fit(CORPUS).save(folder / "remover.parquet")
    lines = [{"template_id": "0" * 16, "verdict": "keep"}, {"text": "Sign up.", "verdict": "promo"}]
    (folder / "decisions.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    return folder


@pytest.fixture
def files(originals, tmp_path):
    return Path(shutil.copytree(originals, tmp_path / "models"))


LOADERS = {
    "segments.npz": SegmentModel.load,
    "topics.npz": TopicModel.load,
    "own.npz": toolkit.TopicClassifier.load,
    "remover.parquet": toolkit.BoilerplateRemover.load,
}
CARDS = {name: Path(name).with_suffix(".json").name for name in LOADERS if name.endswith(".npz")}


def refused(load, path, match=None):
    with pytest.raises(ValueError, match=match) as caught:
        load(path)
    said = str(caught.value)
    assert "\n" not in said
    assert len(said) < 500 + len(str(path))
    assert str(path.with_suffix("")) in said
    return said


@pytest.mark.parametrize("name", LOADERS)
def test_the_files_are_good_to_begin_with(files, name):
    assert LOADERS[name](files / name)
    remover = toolkit.BoilerplateRemover.load(files / "remover.parquet")
    assert (list(remover.remove), len(remover.spans(CORPUS))) == (["promo"], 8)


@pytest.mark.parametrize("kept", [0, 0.001, 0.5, 0.99])
@pytest.mark.parametrize("name", [*LOADERS, *CARDS.values()])
def test_a_file_cut_off_is_refused(files, name, kept):
    path = files / name
    data = path.read_bytes()
    path.write_bytes(data[: int(kept * len(data))])
    model = Path(name).with_suffix(".npz").name if name.endswith(".json") else name
    refused(LOADERS[model], files / model)


def same_index(path, folder):
    """Whether an index can be read, and is written again as the one it was."""
    with contextlib.suppress(ValueError):
        toolkit.TemplateIndex.load(path).save(folder / "again.parquet")
        return (folder / "again.parquet").read_bytes() == (folder / "first.parquet").read_bytes()
    return False


@pytest.mark.parametrize("name", LOADERS)
def test_a_byte_changed_anywhere_in_the_numbers_is_refused(files, name):
    path = files / name
    data = path.read_bytes()
    shutil.copy(files / "remover.parquet", files.parent / "first.parquet")
    for position in np.linspace(0, len(data) - 1, 24).astype(int):
        changed = bytearray(data)
        changed[position] ^= 0x20
        path.write_bytes(changed)
        # Parquet has bytes that hold nothing; with one of them changed the index is the very same
        if name != "remover.parquet" or not same_index(path, files.parent):
            refused(LOADERS[name], path)


@pytest.mark.parametrize("name", LOADERS)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04\x95pickle",
        pickle.dumps({"a": 1}),
        b"PK\x05\x06" + b"\0" * 18,
        b"PAR1PAR1",
        b"\0" * 4096,
    ],
    ids=["empty", "protocol 4", "pickle", "empty zip", "empty parquet", "zeros"],
)
def test_another_file_in_its_place_is_refused(files, name, data):
    (files / name).write_bytes(data)
    refused(LOADERS[name], files / name)
    if name in CARDS:
        reseal(files / name)
        refused(LOADERS[name], files / name)


def reseal(path, **changes):
    """Write the card anew so that the digest is right: whoever changes a file can change its card too."""
    card = json.loads(path.with_suffix(".json").read_text("utf-8"))
    card |= {"sha256": hashlib.sha256(path.read_bytes()).hexdigest(), **changes}
    path.with_suffix(".json").write_text(json.dumps(card))


def repack(path, **arrays):
    """Change arrays and the digest with them."""
    with np.load(path, allow_pickle=False) as stored:
        kept = {name: stored[name] for name in stored.files}
    with path.open("wb") as out:
        np.savez_compressed(out, **{name: a for name, a in (kept | arrays).items() if a is not None})
    reseal(path)


CARD_HARM = [
    b"", b"{", b"[]", b"null", b"5", b'"x"', b"\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"{}",
    b'{"format": null}', b'{"format": [1]}', b'{"format": "news-toolkit topics 1"}',
    b'{"format": "news-toolkit segment model 2"}', b'{"format": "' + b"x" * 10_000 + b'"}',
]  # fmt: skip


@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("card", CARD_HARM, ids=lambda card: repr(card[:24]))
def test_a_card_that_is_none_is_refused(files, name, card):
    (files / CARDS[name]).write_bytes(card)
    refused(LOADERS[name], files / name)


@pytest.mark.parametrize("name", CARDS)
def test_another_version_is_refused_by_name(files, name):
    reseal(files / name, format="news-toolkit 99")
    assert "format" in refused(LOADERS[name], files / name)


OWN_HARM = {
    "features": [None, {}, {"bits": 40}, {"bits": "8"}, {"bits": 8, "lead": 0}, {"bits": 8, "more": 1}, [8]],
    "classes": [None, [], ["a"], ["a", "a"], ["b", "a"], ["a", 1], [["a"], ["b"]], 5, ["a", "b", "c"]],
    "kind": [None, "other", 5, []],
    "card": [None, 5, "text", [1]],
}


@pytest.mark.parametrize(
    ("key", "value"), [(key, value) for key, values in OWN_HARM.items() for value in values]
)
def test_a_card_of_topics_that_says_something_else_is_refused(files, key, value):
    reseal(files / "own.npz", **{key: value})
    refused(LOADERS["own.npz"], files / "own.npz")


def thresholds(**of_loss):
    """Thresholds of a card, one value for all layouts."""
    return {
        part: {loss: dict.fromkeys(LAYOUTS, value) for loss, value in of_loss.items()}
        for part in ("fitted", "alone", "appeals")
    }


THRESHOLDS = [None, {}, [], thresholds(), thresholds(best=0.5), thresholds(x=0.5, best=0.5),
              thresholds(**{"0.01": "many", "best": 0.5}), thresholds(**{"0.01": float("nan"), "best": 0.5}),
              thresholds(**{"0.01": 0.5, "best": 0.5}) | {"appeals": {"0.01": {"page": 0.5}}}]  # fmt: skip


@pytest.mark.parametrize("given", THRESHOLDS, ids=lambda given: str(given)[:60])
def test_a_card_of_segments_with_other_thresholds_is_refused(files, given):
    reseal(files / "segments.npz", thresholds=given)
    refused(SegmentModel.load, files / "segments.npz")


OBJECTS = np.array([{"a": 1}, print], dtype=object)


@pytest.mark.parametrize("name", CARDS)
def test_an_object_among_the_arrays_is_refused_though_the_digest_is_right(files, name):
    path = files / name
    with zipfile.ZipFile(path, "a") as archive:
        out = io.BytesIO()
        np.lib.format.write_array(out, OBJECTS, allow_pickle=True)
        archive.writestr("more.npy", out.getvalue())
    reseal(path)
    assert "'more' is no array of plain numbers" in refused(LOADERS[name], path)


@pytest.mark.parametrize("name", CARDS)
def test_a_header_made_to_be_searched_for_ever_is_refused(files, name):
    path = files / name
    header = b"{'descr': '<f4', 'fortran_order': False, 'shape': (" + b"1" * 400 + b"x), } \n"
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("more.npy", b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header)
    reseal(path)
    assert "'more' is no array of plain numbers" in refused(LOADERS[name], path)


WRONG = {
    "segments.npz": {
        "words": [np.zeros((8, 16), np.uint8), np.zeros((1 << 17, 16), np.int8)],
        "words_scale": [np.full(16, np.nan, np.float32), np.zeros(16)],
        "fitted.laid_out_left": [
            np.zeros(5, np.int32),
            np.zeros(4650, np.int64),
            np.zeros((5, 5), np.int32),
        ],
        "fitted.page_threshold": [np.zeros(0, np.float32)],
        "fitted.laid_out_roots": [np.array([1 << 30], np.int32), np.array([-1], np.int32)],
        "fitted.run_together_baseline": [np.zeros(0), np.zeros(3), np.array([np.inf])],
        "fitted_scale": [np.zeros(3), np.full((2, 8), np.nan), np.zeros((2, 3))],
        "fitted_kinds": [
            np.zeros((0, 7), np.float32),
            np.zeros((900, 7), np.float32),
            np.zeros(7, np.float32),
        ],
        "alone.page_feature": [None, np.full(4650, 500, np.int16)],
        "appeals_feature": [None, np.full(4650, 500, np.int16)],
        "appeals_scale": [None],
    },
    "own.npz": {
        "weights": [
            None,
            np.zeros((256, 3), np.float32),
            np.full((256, 2), np.nan, np.float32),
            np.zeros((256, 2)),
        ],
        "bias": [np.zeros(3, np.float32), np.array([np.inf, 0], np.float32)],
        "idf": [np.zeros(2, np.float32)],
    },
}
CASES = [
    (name, array, value)
    for name, arrays in WRONG.items()
    for array, values in arrays.items()
    for value in values
]


@pytest.mark.parametrize(("name", "array", "value"), CASES, ids=lambda v: getattr(v, "shape", str(v)))
def test_arrays_that_do_not_fit_are_refused_though_the_digest_is_right(files, name, array, value):
    repack(files / name, **{array: value})
    refused(LOADERS[name], files / name)


@pytest.mark.parametrize("name", CARDS)
def test_a_bomb_among_the_arrays_is_refused_before_it_is_unpacked(files, name):
    path = files / name
    with (
        zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive,
        archive.open("more.npy", "w", force_zip64=True) as member,
    ):
        for _ in range(80):
            member.write(bytes(1 << 20))
    assert path.stat().st_size < 4 << 20
    reseal(path)
    refused(LOADERS[name], path, "unpacks to|holds more than")


@pytest.mark.parametrize("name", LOADERS)
def test_a_file_too_large_is_refused_before_it_is_read(files, name):
    with (files / name).open("r+b") as file:
        file.truncate(64 << 30)  # a hole; nothing that reads it comes back soon
    refused(LOADERS[name], files / name)


@pytest.mark.parametrize("name", CARDS)
def test_a_card_too_large_is_refused_before_it_is_read(files, name):
    with (files / CARDS[name]).open("r+b") as file:
        file.truncate(64 << 30)
    refused(LOADERS[name], files / name)


def index_with(path, change):
    """Write the index again with its columns or its words changed."""
    table = pq.read_table(path)
    said = json.loads(table.schema.metadata[b"news-toolkit"])
    table = change(table, said) or table
    pq.write_table(table.replace_schema_metadata({"news-toolkit": json.dumps(said)}), path)


def scaled(table, said):
    return table.set_column(2, "docs", pa.array(table["docs"].to_numpy() + 1, pa.int32()))


INDEX_HARM = {
    "counts": scaled,
    "order": lambda t, s: t.slice(1, 2).take([1, 0]),
    "rows": lambda t, s: t.slice(0, 3),
    "type": lambda t, s: t.set_column(2, "docs", t["docs"].cast(pa.int64())),
    "column": lambda t, s: t.drop_columns(["first"]),
    "missing": lambda t, s: t.set_column(2, "docs", pa.array([None] * t.num_rows, pa.int32())),
    "version": lambda t, s: s.update(format="news-toolkit template index 1"),
    "capacity": lambda t, s: s.update(capacity="many"),
    "about": lambda t, s: s["about"].update(remove=["appeal"]),
    "digest": lambda t, s: s.pop("sha256") and None,
}


@pytest.mark.parametrize("harm", INDEX_HARM)
def test_an_index_that_was_changed_is_refused(files, harm):
    path = files / "remover.parquet"
    index_with(path, INDEX_HARM[harm])
    refused(toolkit.TemplateIndex.load, path, "fit the remover again and save it")
    refused(toolkit.BoilerplateRemover.load, path)


def test_a_bomb_in_an_index_is_refused_before_it_is_unpacked(files):
    path = files / "remover.parquet"
    n = 5_000_000

    def grown(table, said):
        def zeros(field):
            return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), pa.array([0], field.type))

        return pa.table([zeros(f).cast(f.type) for f in table.schema], names=table.schema.names)

    index_with(path, grown)
    assert path.stat().st_size < 2_000_000
    refused(toolkit.TemplateIndex.load, path, "do not fit into this file")


PARAMETERS = [
    {"remove": "promo"},
    {"remove": 5},
    {"remove": ["advert"]},
    {"threshold": "x"},
    {"max_article_loss": None},
]


@pytest.mark.parametrize("about", PARAMETERS, ids=str)
def test_a_remover_with_parameters_that_are_none_is_refused(tmp_path, about):
    index = toolkit.TemplateIndex()
    index.save(tmp_path / "r.parquet", toolkit.BoilerplateRemover().get_params() | about | {"fitted": False})
    refused(toolkit.BoilerplateRemover.load, tmp_path / "r.parquet", "its parameters are those of no remover")


DECISIONS = [
    b"no JSON\n", b"[]\n", b"5\n", b"{}\n", b'{"verdict": "keep"}\n', b'{"text": "a", "verdict": "burn"}\n',
    b'{"text": "a", "verdict": ["keep"]}\n', b'{"text": "a"}\n', b'{"text": "a", "verd', b"\x80\x04\x95\n",
    b'{"text": "\xff", "verdict": "keep"}\n', b"[" * 100_000 + b"\n", b'{"text": ' * 100_000 + b"\n",
]  # fmt: skip


@pytest.mark.parametrize("data", DECISIONS, ids=lambda data: repr(data[:30]))
def test_decisions_that_are_none_are_refused_with_their_line(tmp_path, data):
    path = tmp_path / "decisions.jsonl"
    path.write_bytes(b'{"text": "a", "verdict": "keep"}\n\n' + data)
    with pytest.raises(ValueError, match=r"decisions\.jsonl") as caught:
        read_decisions(path)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500 + len(str(path))


def test_decisions_too_many_are_refused_before_they_are_read(tmp_path):
    with (tmp_path / "decisions.jsonl").open("wb") as file:
        file.truncate(64 << 30)
    with pytest.raises(ValueError, match="larger than"):
        read_decisions(tmp_path / "decisions.jsonl")


@given(st.binary(max_size=300) | st.tuples(st.integers(0, 900), st.integers(0, 255)))
def test_whatever_the_bytes_arrays_are_plain_or_refused(data):
    if isinstance(data, tuple):
        out = io.BytesIO()
        np.savez(out, a=np.arange(6.0).reshape(2, 3), b=np.zeros(4, np.uint8))
        changed = bytearray(out.getvalue())
        changed[data[0] % len(changed)] = data[1]
        data = bytes(changed)
    arrays = {}
    with contextlib.suppress(ModelError):
        arrays = read_arrays(data, 10_000)
    assert all(array.dtype.kind in "biuf" for array in arrays.values())
    assert sum(array.nbytes for array in arrays.values()) <= 10_000


@pytest.mark.parametrize("order", ["C", "F"])
@pytest.mark.parametrize("shape", [(), (0,), (3,), (2, 3), (2, 0, 4)])
@pytest.mark.parametrize("kind", [np.float32, np.int64, np.uint8, np.bool_])
def test_arrays_come_back_as_numpy_wrote_them(kind, shape, order):
    array = np.asarray(np.arange(np.prod(shape)).reshape(shape), kind, order=order)
    for write in (np.savez, np.savez_compressed):
        out = io.BytesIO()
        write(out, a=array)
        (found,) = read_arrays(out.getvalue(), 10_000).values()
        assert (found.dtype, found.shape, found.tobytes()) == (array.dtype, array.shape, array.tobytes())
        assert found.flags.writeable


WATCH = """
import sys
from pathlib import Path
import toolkit
from toolkit.boilerplate.decisions import read_decisions
from toolkit.boilerplate.model import SegmentModel
from toolkit.topics import taxonomy
from toolkit.topics.model import TopicModel

def everything(folder):
    folder, said = Path(folder), []
    for load, name in (
        (SegmentModel.load, "segments"), (TopicModel.load, "topics.npz"),
        (toolkit.TopicClassifier.load, "own.npz"), (toolkit.TemplateIndex.load, "remover.parquet"),
        (toolkit.BoilerplateRemover.load, "remover.parquet"), (read_decisions, "decisions.jsonl"),
    ):
        try:
            load(folder / name)
            said.append("read")
        except ValueError as error:
            said.append("refused")
    taxonomy.load.cache_clear()
    taxonomy.load()
    return said

everything(sys.argv[1])  # what is imported on the way is ours, not the files'
seen = []
active = True

def watch(event, arguments):
    if active and (event in {"exec", "compile", "import", "os.system", "os.exec", "os.fork", "os.posix_spawn",
                  "os.spawn", "subprocess.Popen", "pty.spawn", "pickle.find_class", "marshal.loads",
                  "code.__new__", "function.__new__", "os.remove", "os.rename", "shutil.rmtree"}
            or event.startswith(("socket.", "ctypes.", "urllib.", "http.", "ftplib.", "smtplib."))
            or (event == "open" and any(c in str(arguments[1]) for c in "wax+"))):
        seen.append(f"{event} {arguments!r:.200}")

sys.addaudithook(watch)
said = [everything(folder) for folder in sys.argv[1:]]
active = False
print(seen)
print(said)
"""


def test_loading_any_file_runs_nothing_and_writes_nothing(originals, files, tmp_path):
    """Audit events (PEP 578) of a process that reads each kind of file, good and hostile."""
    hostile = shutil.copytree(files, tmp_path / "hostile")
    for name in CARDS:
        with zipfile.ZipFile(hostile / name, "a") as archive:
            archive.writestr("more.npy", pickle.dumps(OBJECTS[:1]))
        reseal(hostile / name)
    (hostile / "remover.parquet").write_bytes(pickle.dumps([1]))
    (hostile / "decisions.jsonl").write_text("__import__('os').system('true')\n")
    done = subprocess.run(
        [sys.executable, "-c", WATCH, originals, hostile],
        capture_output=True, text=True, check=True, cwd=tmp_path, env={**os.environ},
    )  # fmt: skip
    seen, said = done.stdout.splitlines()
    assert seen == "[]"
    assert ast.literal_eval(said) == [["read"] * 6, ["refused"] * 6]
