"""What is installed and what is handed on: licences, hashes, wheel, sdist, and the names that users lean on."""

import ast
import json
import os
import re
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from importlib import metadata
from importlib.util import find_spec

import licences
import pytest

import toolkit

ROOT = licences.ROOT
SETTINGS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PROJECT = SETTINGS["project"]

needs_all_that_is_locked = pytest.mark.skipif(
    find_spec("mypy") is None,
    reason="needs the extra dev (mypy): it reads the licences of all locked packages",
)


@needs_all_that_is_locked
def test_every_locked_package_has_an_allowed_licence():
    stated = {package.name: licences.licence(package.name) for package in licences.locked()}
    wrong = {
        name: licence
        for name, licence in stated.items()
        if not licences.allowed(licence) and licences.ONLY_BESIDE.get(name) != licence
    }
    assert not wrong


def test_what_is_allowed_beside_is_not_needed_by_the_package():
    assert not licences.at_run_time() & licences.ONLY_BESIDE.keys()
    assert {"numpy", "trafilatura", "lxml"} <= licences.at_run_time()
    assert "jupyterlab" not in licences.at_run_time()


def test_an_expression_is_allowed_by_all_that_binds_or_one_that_is_offered():
    assert licences.allowed("MIT")
    assert licences.allowed("MPL-1.1 OR GPL-2.0-only")
    assert not licences.allowed("MIT AND GPL-3.0-only")
    assert not licences.allowed("AGPL-3.0-only")
    assert not licences.allowed("unknown")


@needs_all_that_is_locked
def test_the_page_of_licences_is_the_one_of_the_lock():
    path = ROOT / "docs" / "licences.md"
    assert path.read_text("utf-8") == licences.page(), "python tests/licences.py > docs/licences.md"


def test_the_lock_pins_every_package_by_hash_and_names_no_other_place():
    packages = licences.locked()
    assert len(packages) > 150
    assert len({(package.name, package.version) for package in packages}) == len(packages)
    for package in packages:
        assert package.hashes, package.name
        assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in package.hashes)
    text = (ROOT / "requirements.lock").read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    assert not [line for line in lines if re.search(r"https?://|^-|@ |git\+", line)]


def test_training_reads_only_sets_that_models_may_learn_from():
    registered = {e["name"] for e in json.loads((ROOT / "toolkit/datasets/registry.json").read_text("utf-8"))}
    read = {
        node.value
        for path in (ROOT / "training").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and node.value in registered
    }
    assert read - {"sample"} == {entry["name"] for entry in licences.learned_from()}  # ours, CC0


def test_everything_the_project_asks_for_is_locked():
    asked = [
        *PROJECT["dependencies"],
        *(line for extra in PROJECT["optional-dependencies"].values() for line in extra),
        *(
            line
            for name, group in SETTINGS["dependency-groups"].items()
            if name not in APART
            for line in group
        ),
    ]
    names = {re.sub(r"[-_.]+", "-", re.split(r"[\[<>=!~; ]", line)[0]).lower() for line in asked}
    # the encoder, which training needs too, has a lock of its own
    apart = re.findall(r"^([\w-]+)==", (ROOT / "data/training/encoder.lock").read_text("utf-8"), re.MULTILINE)
    assert names <= {package.name for package in licences.locked()} | set(apart)


APART = {"docs": "docs/requirements.lock", "audit": "tests/audit.lock"}
"""Groups with an environment and a lock of their own, so that they make `make demo` and `make test` no heavier."""


@pytest.mark.parametrize("group", APART)
def test_what_has_an_environment_of_its_own_has_a_lock_of_its_own(group):
    lock = (ROOT / APART[group]).read_text("utf-8")
    assert "--hash=sha256:" in lock
    assert not re.search(r"https?://|^-", lock, re.MULTILINE)
    names = {re.split(r"[\[>=]", line)[0] for line in SETTINGS["dependency-groups"][group]}
    assert names <= set(re.findall(r"^([\w.-]+)==", lock, re.MULTILINE))
    assert not [name for name in names if f"\n{name}==" in (ROOT / "requirements.lock").read_text("utf-8")]


def test_actions_are_pinned_by_commit_and_run_what_make_runs():
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        text = path.read_text("utf-8")
        used = re.findall(r"uses: *(.*)", text)
        assert used
        assert not [line for line in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[\d.]+", line)]
        targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
        commands = re.sub(r"\S+=(\$\{\{.*?\}\}|\S)*", "", "\n".join(re.findall(r"run: make (.*)", text)))
        assert {"wheel", "sbom", "audit", "test", "docs"} == set(commands.split()) <= targets


def test_the_part_of_the_lock_for_run_time_is_whole():
    done = subprocess.run(
        [sys.executable, licences.__file__, "--run-time"], capture_output=True, text=True, check=True
    )
    names = {
        re.sub(r"[-_.]+", "-", name).lower()
        for name in re.findall(r"^([\w.-]+)==", done.stdout, re.MULTILINE)
    }
    assert names == licences.at_run_time()
    assert done.stdout.count("\n    --hash=") > len(names)


AUDIT = """#!{python}
import sys
print({told!r}, end="")
print("what went wrong", file=sys.stderr)
sys.exit({code})
"""


@pytest.mark.parametrize(
    ("told", "code", "required", "ends", "said"),
    [
        ("", 0, "", 0, "audit: no vulnerability is known"),
        ("idna 1.0 PYSEC-1\n", 1, "", 2, "idna 1.0 PYSEC-1"),
        ("", 1, "", 0, "audit: not checked, no database of vulnerabilities was reached; see out/audit.log"),
        ("", 1, "1", 2, "audit: not checked, no database of vulnerabilities was reached; see out/audit.log"),
    ],
)
def test_an_audit_that_reached_no_database_never_says_good(tmp_path, told, code, required, ends, said):
    """pip-audit ends with 1 for a fault found and for a network that is not there."""
    for name in ("Makefile", "requirements.lock", "pyproject.toml"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    folder = tmp_path / "out" / "audit-env" / "bin"
    folder.mkdir(parents=True)
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "audit.lock").touch()
    (folder / "pip-audit").write_text(AUDIT.format(python=sys.executable, told=told, code=code))
    (folder / "pip-audit").chmod(0o755)
    (folder / "ready").touch()
    done = subprocess.run(
        ["make", "--silent", "audit", f"REQUIRED={required}"], cwd=tmp_path, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert done.returncode == ends
    lines = [line for line in (done.stdout + done.stderr).splitlines() if "] Error " not in line]
    assert lines == [said]


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """The wheel and the sdist, made without a network."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-t", "sdist", "-d", str(folder)],
        cwd=ROOT, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))


@pytest.fixture(scope="session")
def installed(built, tmp_path_factory):
    """The wheel alone, unpacked as pip does it, far from the checkout."""
    folder = tmp_path_factory.mktemp("site")
    with zipfile.ZipFile(built[0]) as wheel:
        wheel.extractall(folder)
    return folder


def test_the_wheel_holds_models_and_taxonomy_and_nothing_of_the_workshop(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
    wanted = {
        "toolkit/models/boilerplate.npz", "toolkit/models/boilerplate.json", "toolkit/models/topics.npz",
        "toolkit/models/topics.json", "toolkit/data/taxonomy.json",
        "toolkit/data/sample/articles.jsonl.gz", "toolkit/data/sample/gold.jsonl", "toolkit/datasets/registry.json",
        "toolkit/report/page.md", "toolkit/py.typed",
    }  # fmt: skip
    assert wanted <= names
    outside = {name.split("/")[0] for name in names}
    assert outside == {"toolkit", f"news_toolkit-{toolkit.__version__}.dist-info"}
    assert not [
        n
        for n in names
        if n.startswith(("toolkit/tests", "toolkit/notebooks")) or n.endswith((".pyc", ".pkl"))
    ]
    assert not [n for n in names if n.endswith(".ipynb")]
    assert f"news_toolkit-{toolkit.__version__}.dist-info/licenses/LICENSE" in names


def test_the_wheel_holds_every_module_of_the_package(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
    tracked = subprocess.run(
        ["git", "ls-files", "toolkit"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split()  # fmt: skip
    assert {name for name in tracked if (ROOT / name).is_file()} <= names


def test_the_sdist_can_be_tested_and_built_again(built, tmp_path):
    with tarfile.open(built[1]) as archive:
        archive.extractall(tmp_path, filter="data")
    (root,) = tmp_path.iterdir()
    for name in (
        "pyproject.toml",
        "LICENSE",
        "README.md",
        "tests/test_supply.py",
        "docs/trust.md",
        "data/taxonomy.json",
    ):
        assert (root / name).is_file(), name
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path / "again")],
        cwd=root, check=True, capture_output=True, text=True,
    )  # fmt: skip
    with zipfile.ZipFile(next((tmp_path / "again").iterdir())) as again, zipfile.ZipFile(built[0]) as first:
        assert sorted(again.namelist()) == sorted(first.namelist())


def test_the_wheel_needs_what_the_project_says_and_no_more(built):
    with zipfile.ZipFile(built[0]) as wheel:
        name = next(n for n in wheel.namelist() if n.endswith("METADATA"))
        about = metadata.PathDistribution(zipfile.Path(built[0], name.rpartition("/")[0] + "/"))
        required = [line for line in about.requires or [] if "extra ==" not in line]
    bare = {re.sub(r"\s", "", line) for line in required}
    assert bare == {re.sub(r"\s", "", line) for line in PROJECT["dependencies"]}


OUTSIDE = """
import pathlib, sys
import toolkit
assert pathlib.Path(toolkit.__file__).is_relative_to(sys.argv[1]), toolkit.__file__
corpus = toolkit.datasets.load("sample")
cleaned = toolkit.clean(["It rained in the port.\\n\\nSign up for our daily newsletter today."])
assert cleaned["clean_text"].tolist() == ["It rained in the port."], cleaned
topic, = toolkit.TopicClassifier().predict(["The striker scored twice and the home team won the cup final."])
assert topic == "15000000", topic
from toolkit.topics import taxonomy
assert len(taxonomy.names()) == 17
assert len(toolkit.datasets.list()) > 5
print(len(corpus))
"""


def alone(installed, *arguments, cwd):
    """Run Python with the wheel and its dependencies; without site there is no editable install of the checkout."""
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {k: v for k, v in os.environ.items() if k != "NEWS_TOOLKIT_DATA"}
    return subprocess.run(
        [sys.executable, "-S", "-c", *arguments], cwd=cwd, capture_output=True, text=True, check=False,
        env=environment | {"PYTHONPATH": os.pathsep.join([str(installed), packages])},
    )  # fmt: skip


def test_the_wheel_alone_works_outside_the_repository(installed, tmp_path):
    done = alone(installed, OUTSIDE, str(installed), cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert int(done.stdout) > 300


def test_the_command_of_the_wheel_alone_makes_a_run(installed, tmp_path):
    (tmp_path / "in.csv").write_text("id,text\n1,It rained all day in the port.\n", "utf-8")
    arguments = ["news-toolkit", "clean", "in.csv", "-o", "out.csv"]
    code = f"import sys; from toolkit.cli import main; sys.argv = {arguments}; main()"
    done = alone(installed, code, cwd=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "1 in = 1 kept + 0 quarantined" in done.stdout


PUBLIC = [
    "BoilerplateRemover", "TemplateIndex", "ToolkitError", "TopicClassifier", "apply", "audit", "census", "certify",
    "clean", "datasets", "display", "distributed", "duplicates", "errors", "evaluation", "iter_batches", "load",
    "pipeline", "plots", "prevalence", "quarantine", "report", "review", "share", "show", "verdicts", "words",
]  # fmt: skip


def test_public_names_are_those_of_this_version():
    """docs/api-policy.md: a name leaves this list only after a version in which it warned."""
    assert sorted(toolkit.__all__) == PUBLIC
    assert all(hasattr(toolkit, name) for name in PUBLIC)


POLICY = (ROOT / "docs" / "api-policy.md").read_text("utf-8")


def test_the_policy_names_every_public_name():
    assert not [name for name in PUBLIC if f"`{name}`" not in POLICY]
