"""What a deployment ships: one artifact, small, whole, and the same for all Lambdas."""

import hashlib
import json
import re
from pathlib import Path
from zipfile import ZipFile

from infra.local import building
from tests.infra.conftest import run_in_artifact
from tests.infra.template import Template

MOST_BYTES = 150 * 1024 * 1024
WEB_CHAT = "functions/webhooks/webchat"
# Variables that a Lambda does not start with when any text stands in them.
WITH_A_FORM = {
    "LOG_LEVEL": "INFO",
    "PRIVATE_HOSTS": "",
    "MEMBERSHIPS_TABLE": "",
    "MEMBERSHIPS_COLUMNS": "user_id,account_id,role",
    "MEMBERSHIPS_ROLES": "",
}


def test_all_lambdas_get_the_same_bytes(artifacts_for_aws: Path, template: Template) -> None:
    digests = {name: _digest(artifacts_for_aws / name) for name in template.functions}
    assert len(digests) == 17
    assert len(set(digests.values())) == 1, digests


def test_the_artifact_is_small_enough(artifacts_for_aws: Path) -> None:
    files = [file for file in (artifacts_for_aws / "SenderWorker").rglob("*") if file.is_file()]
    assert len(files) > 500
    assert sum(file.stat().st_size for file in files) < MOST_BYTES


def test_the_artifact_is_for_the_deployment_s_processor(artifacts_for_aws: Path) -> None:
    compiled = {file.name for file in (artifacts_for_aws / "SenderWorker").rglob("*.so")}
    assert any("cpython-313-aarch64" in name for name in compiled)
    assert not any("x86_64" in name for name in compiled)


def test_only_code_of_the_lambdas_is_shipped(artifacts_for_aws: Path) -> None:
    root = artifacts_for_aws / "SenderWorker"
    ours = {folder.name for folder in root.iterdir()} & {"functions", "shared", "infra", "tests", "docs"}
    assert ours == {"functions", "shared"}
    assert not (root / "ministack").exists()
    assert not (root / "moto").exists()


def test_bytecode_is_for_the_runtime_and_never_checked(artifacts_for_aws: Path, artifact: Path) -> None:
    """A Lambda could not keep what it compiles. It is shipped where the runtime's Python is at hand."""
    for_aws = {file.name.split(".")[-2] for file in (artifacts_for_aws / "SenderWorker").rglob("*.pyc")}
    assert for_aws <= {"cpython-313"}
    ours = list(artifact.glob("shared/**/*.pyc"))
    assert len(ours) == len(list(artifact.glob("shared/**/*.py")))
    unchecked_hash = (1).to_bytes(4, "little")
    assert {file.read_bytes()[4:8] for file in ours} == {unchecked_hash}


def test_the_chat_page_is_shipped_whole(artifact: Path) -> None:
    sources = {file.name for file in Path(WEB_CHAT).iterdir() if file.suffix in {".html", ".css", ".js"}}
    assert {Path(name).suffix for name in sources} == {".html", ".css", ".js"}
    for name in sources:
        assert (artifact / WEB_CHAT / name).read_bytes() == (Path(WEB_CHAT) / name).read_bytes()


def test_every_handler_is_importable_from_the_artifact(artifact: Path, template: Template) -> None:
    """With the environment that the template gives it, and nothing of this machine's packages."""
    for name, function in template.functions.items():
        module, _, handler = function["Handler"].rpartition(".")
        environment = dict.fromkeys(template.environment(name), "https://name.invalid")
        code = f"import {module} as m; print(callable(m.{handler}), m.__file__)"
        answer = run_in_artifact(artifact, code, environment | WITH_A_FORM)
        assert answer.startswith(f"True {artifact}"), name


def test_an_embedded_lambda_runs_the_code_of_its_own_deployment(artifact: Path, tmp_path: Path) -> None:
    """What the emulator unpacks for each process, ten thousand files otherwise, only leads there."""
    template = building.take_over(tmp_path / "builds")
    unpacked = tmp_path / "unpacked"
    with ZipFile(template.with_name("door.zip")) as door:
        assert door.namelist() == ["functions/__init__.py", "functions/build"]
        door.extractall(unpacked)
    code = "import functions, functions.webhooks, shared as s; print(functions.__file__, s.__file__)"
    found = run_in_artifact(unpacked, code, {"PARLEY_BUILDS": str(tmp_path / "builds")})
    ours = template.with_name("code")
    assert found.split() == [f"{ours}/functions/__init__.py", f"{ours}/shared/__init__.py"]
    assert set(re.findall(r"CodeUri: (.+)", template.read_text())) == {"door.zip"}


def test_a_deployment_keeps_only_the_build_that_it_runs(artifact: Path, tmp_path: Path) -> None:
    before = tmp_path / "builds" / "before"
    before.mkdir(parents=True)
    template = building.take_over(before.parent)
    assert building.take_over(before.parent) == template
    building.forget_others(template)
    assert list(before.parent.iterdir()) == [template.parent]
    assert len(list(template.parent.glob("code/shared/**/*.py"))) == len(
        list(artifact.glob("shared/**/*.py"))
    )


def test_images_of_every_kind_are_read_and_written_by_what_is_shipped_of_pillow(artifact: Path) -> None:
    code = (
        "import io, json\n"
        "from PIL import Image\n"
        "from shared.media.images import _FORMATS\n"
        "formats = sorted(_FORMATS.values())\n"
        "written = [io.BytesIO() for _ in formats]\n"
        "[Image.new('RGB', (9, 9)).save(out, form) for out, form in zip(written, formats)]\n"
        "print(json.dumps([Image.open(out, formats=[form]).format for out, form in zip(written, formats)]))"
    )
    assert json.loads(run_in_artifact(artifact, code, {})) == ["GIF", "JPEG", "PNG", "WEBP"]


def test_the_artifact_can_call_every_service_that_its_rights_name(artifact: Path, template: Template) -> None:
    """botocore comes without the descriptions of services that nothing calls."""
    actions = {action for name in template.functions for action, _ in template.rights(name)}
    services = sorted({action.partition(":")[0] for action in actions} - {"iam", "logs"})
    assert services == ["dynamodb", "kms", "s3", "scheduler", "sqs", "ssm"]
    code = (
        "import botocore.session, json\n"
        "session = botocore.session.get_session()\n"
        f"clients = [session.create_client(name) for name in {services!r}]\n"
        "print(json.dumps([client.meta.service_model.service_name for client in clients]))"
    )
    assert json.loads(run_in_artifact(artifact, code, {})) == services


def _digest(folder: Path) -> str:
    digest = hashlib.sha256()
    for file in sorted(folder.rglob("*")):
        digest.update(str(file.relative_to(folder)).encode())
        if file.is_file():
            digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.hexdigest()
