import os
import subprocess
from pathlib import Path

from infra.local.errors import StartError

ROOT = Path(__file__).resolve().parents[2]
SAM = ROOT / ".tools" / "sam" / "bin" / "sam"
REGION = "us-east-1"

# What a child may know of the shell that started it. Not AWS_PROFILE, not the bot's token.
PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "TMPDIR",
    "UV_CACHE_DIR",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "http_proxy",
    "https_proxy",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
)


def child_environment(**more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in PASSED_ON if name in os.environ}
    account = {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": REGION,
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "NO_PROXY": "localhost,127.0.0.1",
        "no_proxy": "localhost,127.0.0.1",
    }
    return kept | account | more


def run_sam(arguments: list[str], *, log: Path, folder: Path, failed: str, **environment: str) -> None:
    """Run the SAM CLI with its output in a log; raise the given sentence where it fails."""
    if not SAM.exists():
        raise StartError("The SAM CLI is not there; `make run` installs it.")
    log.parent.mkdir(parents=True, exist_ok=True)
    settings = {"SAM_CLI_TELEMETRY": "0", "__SAM_CLI_APP_DIR": str(log.parent / "sam")}
    with log.open("wb") as output:
        outcome = subprocess.run(  # noqa: S603 - our own command line
            [str(SAM), *arguments],
            cwd=folder,
            env=child_environment(**settings, **environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if outcome.returncode != 0:
        raise StartError(failed, log)
