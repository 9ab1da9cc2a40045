import fcntl
import hashlib
import os
import re
import shutil
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from zipfile import ZipFile

from infra.local.commands import ROOT, run_sam

SOURCES = (
    "functions",
    "shared",
    "template.yaml",
    "samconfig.toml",
    "Makefile",
    "uv.lock",
    "infra/local/building.py",
    "infra/local/door.py",
    "infra/local/gaps.py",
)
FOLDER = ROOT / ".aws-sam" / "embedded"
# All artifacts are equal (a test compares them), so one is built for all.
ANY_FUNCTION = "TelegramWebhook"
BUILD_NAME_LENGTH = 16


def digest_of_sources() -> str:
    """Changes with whatever the built artifact and the deployed template depend on."""
    digest = hashlib.sha256(f"{sys.executable} {sys.version} {sysconfig.get_platform()}".encode())
    for file in _source_files():
        content = hashlib.sha256(file.read_bytes()).hexdigest()
        digest.update(f"{file.relative_to(ROOT)} {content}\n".encode())
    return digest.hexdigest()


def is_built() -> bool:
    stamp = FOLDER / "digest"
    return stamp.exists() and stamp.read_text() == digest_of_sources()


def build(log: Path) -> None:
    """Build for this machine with SAM, unless that is done.

    Tests and `make run` share the build, one at a time.
    """
    with _alone():
        if not is_built():
            _build(log)


def artifact() -> Path:
    """The folder with all code of the Lambdas, once it is built."""
    return FOLDER / "build" / ANY_FUNCTION


def take_over(builds: Path) -> Path:
    """Link what is built into a deployment's own folder; return the template to deploy.

    Its Lambdas run the code from there, whatever is built later.
    """
    with _alone():
        name = (FOLDER / "digest").read_text()[:BUILD_NAME_LENGTH]
        taken = builds / name
        if not taken.exists():
            unfinished = builds / "unfinished"
            shutil.rmtree(unfinished, ignore_errors=True)
            shutil.copytree(artifact(), unfinished / "code", copy_function=_link)
            _write_template(unfinished, name)
            unfinished.rename(taken)
    return taken / "template.yaml"


def forget_others(template: Path) -> None:
    """Remove what was taken over before this."""
    taken = template.parent
    for other in set(taken.parent.iterdir()) - {taken}:
        shutil.rmtree(other)


def _build(log: Path) -> None:
    stamp = FOLDER / "digest"
    stamp.unlink(missing_ok=True)
    digest = digest_of_sources()
    run_sam(
        ["build", ANY_FUNCTION, "--build-dir", str(FOLDER / "build")],
        log=log,
        folder=ROOT,
        failed="The build failed.",
        BUILD_FOR=f"--python {sys.executable}",
        TARGET="embedded",
        COMPILE_WITH=sys.executable,
        RUNTIME=f"python{sys.version_info.major}.{sys.version_info.minor}",
    )
    stamp.write_text(digest)


def _write_template(folder: Path, build: str) -> None:
    """Give every Lambda a zip that only leads to the code: the emulator unpacks one for each process."""
    with ZipFile(folder / "door.zip", "w") as door:
        door.write(Path(__file__).with_name("door.py"), "functions/__init__.py")
        door.writestr("functions/build", build)
    template = (FOLDER / "build" / "template.yaml").read_text()
    shared = re.sub(r"^( +CodeUri: ).+$", r"\g<1>door.zip", template, flags=re.MULTILINE)
    (folder / "template.yaml").write_text(shared)


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # the state may lie on another disk
        shutil.copy2(source, target)


def _source_files() -> list[Path]:
    found: list[Path] = []
    for name in SOURCES:
        path = ROOT / name
        found += [path] if path.is_file() else [file for file in path.rglob("*") if _is_source(file)]
    return sorted(found)


def _is_source(file: Path) -> bool:
    return file.is_file() and "__pycache__" not in file.parts


@contextmanager
def _alone() -> Iterator[None]:
    FOLDER.mkdir(parents=True, exist_ok=True)
    with (FOLDER / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
