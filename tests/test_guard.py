"""What may be connected to of what others name."""

from __future__ import annotations

import threading

import pytest

from shared.errors import AddressRefused, NotAnswered
from shared.guard import Guard, is_public
from tests.private_addresses import HOSTS

PUBLIC = "93.184.215.14"


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        (PUBLIC, True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("::ffff:93.184.215.14", True),
        ("64:ff9b::5db8:d70e", True),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("100.64.0.1", False),
        ("169.254.169.254", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1%eth0", False),
        ("fd00:ec2::254", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:169.254.169.254", False),
        ("64:ff9b::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("2001:0:5ef5:79fb::1", False),
        ("2001:db8::1", False),
        ("fec0::1", False),
        ("::127.0.0.1", False),
        ("::a9fe:a9fe", False),
        ("::ffff:0:127.0.0.1", False),
        ("64:ff9b:1::a9fe:a9fe", False),
        ("4000::1", False),
        ("169.254.170.2", False),
        ("198.18.0.1", False),
        ("192.0.0.170", False),
        ("localhost", False),
        ("", False),
    ],
)
def test_only_what_everybody_can_reach_is_public(address: str, *, expected: bool) -> None:
    assert is_public(address) is expected


@pytest.mark.parametrize("host", HOSTS)
def test_no_way_of_writing_a_private_address_gives_one(host: str) -> None:
    with pytest.raises((AddressRefused, NotAnswered)):
        Guard().checked_address(host, 5432)


def test_a_name_with_one_private_address_among_its_own_is_refused() -> None:
    guard = Guard(resolve=lambda *_: [PUBLIC, "10.0.0.1"])
    with pytest.raises(AddressRefused):
        guard.addresses("a.example", 443)


def test_all_that_a_public_name_stands_for_is_open() -> None:
    guard = Guard(resolve=lambda *_: [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"])
    assert guard.addresses("a.example", 443) == [PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c"]
    assert guard.checked_address("a.example", 443) == PUBLIC


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("db.internal", 5432),
        ("DB.Internal", 5432),
        ("127.0.0.1", 8001),
        ("::1", 8002),
    ],
)
def test_what_the_deployment_lists_may_lie_anywhere(host: str, port: int) -> None:
    listed = "db.internal:5432, 127.0.0.1:8001,[::1]:8002,"
    guard = Guard(listed, resolve=lambda *_: ["10.0.0.1"])
    assert guard.lists(host, port)
    assert guard.addresses(host, port) == ["10.0.0.1"]


@pytest.mark.parametrize(
    ("host", "port"),
    [
        ("db.internal", 5433),
        ("db.internal.", 5432),
        ("a.db.internal", 5432),
        ("127.0.0.2", 8001),
        ("127.1", 8001),
        ("2130706433", 8001),
        ("localhost", 8001),
        ("::ffff:127.0.0.1", 8001),
    ],
)
def test_what_the_deployment_lists_is_meant_exactly(host: str, port: int) -> None:
    guard = Guard("db.internal:5432,127.0.0.1:8001", resolve=lambda *_: ["10.0.0.1"])
    assert not guard.lists(host, port)
    with pytest.raises(AddressRefused):
        guard.addresses(host, port)


@pytest.mark.parametrize("listed", ["db.internal", "db.internal:", ":5432", "db.internal:x", "a:1;b:2"])
def test_a_list_that_is_none_is_told_at_once(listed: str) -> None:
    with pytest.raises(ValueError, match="PRIVATE_HOSTS"):
        Guard(listed)


@pytest.mark.parametrize("port", [0, -1, 65_536])
def test_there_is_no_such_port(port: int) -> None:
    with pytest.raises(AddressRefused):
        Guard(resolve=lambda *_: [PUBLIC]).addresses("a.example", port)


def test_a_name_that_nobody_answers_for_is_given_up_in_time() -> None:
    over = threading.Event()
    guard = Guard(resolve=lambda *_: [PUBLIC] if over.wait(10) else [])
    with pytest.raises(NotAnswered, match="not looked up in time"):
        guard.addresses("slow.example", 443, 0.05)
    over.set()


@pytest.mark.parametrize("host", ["", "a\0b", "a," * 100, "/var/run/postgresql", "\ud800", "a" * 64])
def test_what_is_no_name_leads_nowhere(host: str) -> None:
    with pytest.raises((AddressRefused, NotAnswered)):
        Guard().addresses(host, 5432)
