import fcntl
import hashlib
import re
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
    "infra/local/gaps.py",
)
FOLDER = ROOT / ".aws-sam" / "embedded"
TEMPLATE = FOLDER / "build" / "one-artifact.yaml"
# All artifacts are equal (a test compares them), so one is built for all.
ANY_FUNCTION = "TelegramWebhook"


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


def build(log: Path) -> Path:
    """Build for this machine with SAM, unless that is done; return the template to deploy.

    Tests and `make run` share the build, one at a time.
    """
    with _alone():
        if not is_built():
            _build(log)
    return TEMPLATE


def artifact() -> Path:
    """The folder that the Lambdas run from, once it is built."""
    return FOLDER / "build" / ANY_FUNCTION


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
    _share_one_artifact(FOLDER / "build")
    stamp.write_text(digest)


def _share_one_artifact(built: Path) -> None:
    """Give every Lambda the one artifact, packed: SAM would zip it for each, at every deployment."""
    _pack(built / ANY_FUNCTION, built / "artifact.zip")
    template = (built / "template.yaml").read_text()
    shared = re.sub(r"^( +CodeUri: ).+$", r"\g<1>artifact.zip", template, flags=re.MULTILINE)
    TEMPLATE.write_text(shared)


def _pack(folder: Path, archive: Path) -> None:
    """Without compression: it never leaves this machine, and every cold start unpacks it."""
    with ZipFile(archive, "w", strict_timestamps=False) as packed:
        for file in sorted(folder.rglob("*")):
            packed.write(file, file.relative_to(folder))


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
