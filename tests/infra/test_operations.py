"""What the guide for operators names, is: nobody looks it up at 3 a.m."""

from __future__ import annotations

import re
import subprocess

import pytest

from infra.local.commands import ROOT
from infra.redrive import QUEUES
from tests.infra.template import TABLE, Template

GUIDE = (ROOT / "infra/README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"```sh\n(.*?)```", GUIDE, re.DOTALL)


@pytest.mark.parametrize("commands", COMMANDS)
def test_commands_are_such_to_a_shell(commands: str) -> None:
    subprocess.run(["bash", "-n"], input=commands, text=True, check=True)


def test_every_resource_that_a_command_looks_up_is_in_the_template(template: Template) -> None:
    asked = re.findall(r"\$\(stack (\w+)\)", GUIDE)
    assert asked
    assert [name for name in asked if name not in template.document["Resources"]] == []


def test_every_worker_is_stopped_before_a_table_is_put_in_another_s_place(template: Template) -> None:
    (named,) = re.findall(r"for worker in (.*?); do", GUIDE, re.DOTALL)
    assert set(re.findall(r"\w+", named)) == set(template.event_sources)


def test_every_table_whose_items_expire_is_named(template: Template) -> None:
    (named,) = re.findall(r"# only where it is (.*)", GUIDE)
    expiring = {
        name
        for name, found in template.of_type(TABLE).items()
        if "TimeToLiveSpecification" in found["Properties"]
    }
    assert set(re.findall(r"[A-Z]\w+", named)) == expiring


def test_every_parameter_is_explained(template: Template) -> None:
    assert [name for name in template.document["Parameters"] if f"`{name}`" not in GUIDE] == []


def test_every_queue_that_can_be_redriven_is_named() -> None:
    (named,) = re.findall(r"\nThe queues are (.*?)\.\n", GUIDE)
    assert set(re.findall(r"`(\w+)`", named)) == set(QUEUES)


def test_alarms_and_keys_are_counted_in_what_it_costs(template: Template) -> None:
    alarms, keys = (template.of_type(f"AWS::{kind}") for kind in ("CloudWatch::Alarm", "KMS::Key"))
    assert f"\n| {len(alarms)} alarms | {len(alarms) * 0.10:.2f} " in GUIDE
    assert re.search(rf"\n\| KMS keys .*\| {len(keys)}\.00", GUIDE)


def test_the_region_is_named_as_boto3_reads_it() -> None:
    """The command lines of AWS also read AWS_REGION, and our own would be without a region then."""
    assert "AWS_DEFAULT_REGION" in GUIDE
    assert "AWS_REGION" not in GUIDE
