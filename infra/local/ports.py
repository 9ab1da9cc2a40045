import errno
import socket

from infra.local.errors import StartError


def is_free(port: int) -> bool:
    with socket.socket() as attempt:
        attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_port() -> int:
    with socket.socket() as any_port:
        any_port.bind(("127.0.0.1", 0))
        return int(any_port.getsockname()[1])


def free_port_above(port: int) -> int:
    return next((above for above in range(port + 1, port + 100) if is_free(above)), None) or free_port()


def reserve(port: int) -> list[socket.socket]:
    """Bind a port on loopback (both families, where there are two) without listening on it yet."""
    taken = [_bound(socket.AF_INET, "127.0.0.1", port)]
    if socket.has_dualstack_ipv6() and _has_ipv6_loopback():
        try:
            taken.append(_bound(socket.AF_INET6, "::1", port))
        except StartError:
            taken[0].close()
            raise
    return taken


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    bound = socket.socket(family)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise _refused(port, error) from error
    return bound


def _has_ipv6_loopback() -> bool:
    with socket.socket(socket.AF_INET6) as attempt:
        try:
            attempt.bind(("::1", 0))
        except OSError:
            return False
    return True


def _refused(port: int, error: OSError) -> StartError:
    if error.errno == errno.EADDRINUSE:
        return StartError(f"Port {port} is in use; say PORT={port + 10} make run for another.")
    return StartError(f"Port {port} cannot be listened on ({error.strerror}); say PORT=8010 make run.")
