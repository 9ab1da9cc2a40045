from __future__ import annotations

import pytest

from shared import aws
from shared.backend.auth import authentication
from shared.errors import Unauthenticated
from shared.settings import AdminSettings, MissingSetting
from tests.backend.tokens import SECRET, claims, signed
from tests.conftest import Aws


def test_tokens_are_verified_with_the_secret_of_the_named_parameter(aws_account: Aws) -> None:
    aws.client("ssm").put_parameter(Name="/parley/jwt-secret", Value=SECRET, Type="SecureString")
    known = authentication(AdminSettings("bots", "cache", supabase_jwt_secret_name="/parley/jwt-secret"))

    assert known.verifier.verify(signed(claims())).id
    with pytest.raises(Unauthenticated):
        known.verifier.verify(signed(claims(), "another-secret-of-tests-with-32-characters"))


def test_secret_is_read_once(aws_account: Aws) -> None:
    aws.client("ssm").put_parameter(Name="/parley/jwt-secret", Value=SECRET, Type="SecureString")
    known = authentication(AdminSettings("bots", "cache", supabase_jwt_secret_name="/parley/jwt-secret"))
    known.verifier.verify(signed(claims()))
    aws.client("ssm").delete_parameter(Name="/parley/jwt-secret")

    assert known.verifier.verify(signed(claims())).id
    assert len(known.signing_key()) == 32


def test_without_a_secret_the_signing_key_still_differs_between_deployments() -> None:
    one = authentication(AdminSettings("bots-1", "cache", supabase_url="https://supabase.invalid"))
    other = authentication(AdminSettings("bots-2", "cache", supabase_url="https://supabase.invalid"))

    assert one.signing_key() == one.signing_key() != other.signing_key()


def test_hs256_is_refused_where_no_secret_is_named() -> None:
    known = authentication(AdminSettings("bots", "cache", supabase_url="https://supabase.invalid"))

    with pytest.raises(Unauthenticated):
        known.verifier.verify(signed(claims()))


def test_deployment_without_any_key_does_not_start() -> None:
    with pytest.raises(MissingSetting):
        authentication(AdminSettings("bots", "cache"))
