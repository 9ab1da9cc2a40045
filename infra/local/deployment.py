import json
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from infra.local.commands import run_sam
from infra.local.emulator import Emulator
from infra.local.template import parse_template

STACK = "parley"
ARTIFACTS = "parley-artifacts"
JWT_SECRET_NAME = "/parley/supabase-jwt-secret"  # noqa: S105 - a name
NEWEST_RUNTIME = 14


@dataclass(frozen=True)
class Deployment:
    """What was deployed, so that the next start can see that nothing changed."""

    digest: str
    parameters: dict[str, str]
    stack_id: str

    def save(self, file: Path) -> None:
        file.write_text(json.dumps(asdict(self), indent=2))

    @classmethod
    def load(cls, file: Path) -> "Deployment | None":
        return cls(**json.loads(file.read_text())) if file.exists() else None


def parameters_of(template: Path, given: dict[str, str]) -> dict[str, str]:
    """Every parameter: SAM would keep the last value of one that is left out."""
    declared = parse_template(template.read_text())["Parameters"]
    defaults = {name: str(what.get("Default", "")) for name, what in declared.items()}
    here = {
        "PythonRuntime": f"python3.{min(sys.version_info.minor, NEWEST_RUNTIME)}",
        "Architecture": "arm64" if platform.machine() in {"arm64", "aarch64"} else "x86_64",
        "SupabaseJwtSecret": JWT_SECRET_NAME,
        "MediaCdn": "off",
    }
    return defaults | here | given


def stack_id(emulator: Emulator) -> str | None:
    """The id of the stack if it stands complete."""
    stack = _stack(emulator)
    complete = stack.get("StackStatus") in {"CREATE_COMPLETE", "UPDATE_COMPLETE"}
    return str(stack["StackId"]) if complete else None


def physical_id(emulator: Emulator, logical_id: str) -> str:
    found = emulator.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId=logical_id
    )
    return str(found["StackResourceDetail"]["PhysicalResourceId"])


def store_jwt_secret(emulator: Emulator, secret: str) -> None:
    emulator.client("ssm").put_parameter(
        Name=JWT_SECRET_NAME, Value=secret, Type="SecureString", Overwrite=True
    )


def deploy(emulator: Emulator, template: Path, parameters: dict[str, str], log: Path) -> str:
    """Deploy with SAM; return the stack's id."""
    emulator.client("s3").create_bucket(Bucket=ARTIFACTS)
    _delete_what_failed(emulator)
    overrides = [f"{name}={value}" for name, value in parameters.items() if value]
    run_sam(
        [
            "deploy",
            *("--template-file", str(template)),
            *("--stack-name", STACK),
            *("--s3-bucket", ARTIFACTS),
            *("--capabilities", "CAPABILITY_IAM"),
            "--no-confirm-changeset",
            "--no-fail-on-empty-changeset",
            "--no-progressbar",
            *("--parameter-overrides", *overrides),
        ],
        log=log,
        folder=template.parent,
        failed="The deployment failed.",
        AWS_ENDPOINT_URL=emulator.url,
    )
    _drop_uploads(emulator)
    deployed = stack_id(emulator)
    assert deployed is not None  # noqa: S101 - SAM says that it stands
    return deployed


def _stack(emulator: Emulator) -> dict[str, Any]:
    try:
        stacks = emulator.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"]
    except ClientError:
        return {}
    return dict(stacks[0])


def _delete_what_failed(emulator: Emulator) -> None:
    """A first deployment that failed leaves a stack that can only be deleted."""
    if _stack(emulator).get("StackStatus") == "ROLLBACK_COMPLETE":
        emulator.client("cloudformation").delete_stack(StackName=STACK)


def _drop_uploads(emulator: Emulator) -> None:
    """The emulator keeps its own copy of a function's code; a zip a deployment would fill the disk."""
    s3 = emulator.client("s3")
    for uploaded in s3.list_objects_v2(Bucket=ARTIFACTS).get("Contents", []):
        s3.delete_object(Bucket=ARTIFACTS, Key=uploaded["Key"])
