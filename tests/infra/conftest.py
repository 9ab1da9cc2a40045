"""The template as the tests read it, and the artifact that its Lambdas run from."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from infra.local import building
from infra.local.commands import ROOT, SAM, child_environment
from infra.local.template import parse_template
from tests.infra.template import Template


@pytest.fixture(scope="session")
def template() -> Template:
    return Template(parse_template((ROOT / "template.yaml").read_text()))


@pytest.fixture(scope="session")
def artifacts_for_aws(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What `make build` makes: a folder for each Lambda, for arm64, whatever this machine is."""
    built = tmp_path_factory.mktemp("aws") / "build"
    subprocess.run(
        [str(SAM), "build", "--build-dir", str(built)],
        cwd=ROOT,
        env=child_environment(SAM_CLI_TELEMETRY="0"),
        check=True,
        capture_output=True,
    )
    return built


@pytest.fixture(scope="session")
def artifact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The artifact for this machine, which the embedded Lambdas run from."""
    building.build(tmp_path_factory.mktemp("logs") / "build.log")
    return building.artifact()


def run_in_artifact(artifact: Path, code: str, environment: dict[str, str]) -> str:
    """Run code that sees the artifact and the standard library, and nothing that is installed here."""
    outcome = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"import sys; sys.path.insert(0, {str(artifact)!r})\n{code}"],
        env={"PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", "AWS_DEFAULT_REGION": "us-east-1"}
        | environment,
        cwd=artifact,
        capture_output=True,
        text=True,
        check=False,
    )
    assert outcome.returncode == 0, outcome.stderr
    return outcome.stdout
