"""Stands in for a task that runs in the warm server: same pipes, same signals, same end.

    python -I -S -E client.py SERVER PARENT GROUP PYTHON FLOW_FILE [OPTIONS]

It starts for every task, so it imports only what is built into the interpreter.
"""

import _signal  # type: ignore[import-not-found]
import _socket
import marshal
import posix
import sys

FORWARDED = (
    _signal.SIGHUP,
    _signal.SIGINT,
    _signal.SIGQUIT,
    _signal.SIGUSR1,
    _signal.SIGUSR2,
    _signal.SIGALRM,
    _signal.SIGTERM,
    _signal.SIGCONT,
)
REFUSED, ACCEPTED, ENDED = b"r", b"a", b"e"
_SO_PEERCRED = 17


def main() -> None:
    """Have the server carry the task out, and end as it ends; without the server, become the task."""
    server, parent, group, *command = sys.argv[1:]
    early: list[int] = []
    reached: list[_socket.socket] = []
    # a signal to the group reaches the task itself; one that is meant for this process is passed on, once
    posix.setpgid(0, 0)

    def pass_on(number: int, frame: object) -> None:
        if not reached or not _sent(reached[0], bytes([number])):
            early.append(number)

    for number in FORWARDED:
        _signal.signal(number, pass_on)
    connection = _connected(server)
    if connection is None or not _asked(connection, command) or _received(connection, 1) != ACCEPTED:
        _become_the_task(int(parent), int(group), command, early)
        return
    reached.append(connection)
    for number in early:
        _sent(connection, bytes([number]))
    answer = _received(connection, 5)
    if answer[:1] != ENDED:
        _end_by(_signal.SIGKILL)  # the server is gone, and its tasks with it
    status = int.from_bytes(answer[1:], "little")
    if posix.WIFSIGNALED(status):
        _end_by(posix.WTERMSIG(status))
    posix._exit(posix.WEXITSTATUS(status))


def _connected(name: str) -> _socket.socket | None:
    connection = _socket.socket(_socket.AF_UNIX, _socket.SOCK_STREAM)
    try:
        connection.connect(b"\0" + name.encode())
        # anybody may take a name that is free again
        peer = connection.getsockopt(_socket.SOL_SOCKET, _SO_PEERCRED, 12)
    except OSError:
        return None
    return connection if int.from_bytes(peer[4:8], sys.byteorder) == posix.getuid() else None


def _asked(connection: _socket.socket, command: list[str]) -> bool:
    request = marshal.dumps((command, posix.environ, posix.getcwd()))
    handles = b"".join(number.to_bytes(4, sys.byteorder) for number in (0, 1, 2))
    try:
        connection.sendmsg(
            [len(request).to_bytes(8, "little")], [(_socket.SOL_SOCKET, _socket.SCM_RIGHTS, handles)]
        )
        connection.sendall(request)
    except OSError:
        return False
    return True


def _sent(connection: _socket.socket, message: bytes) -> bool:
    try:
        connection.sendall(message)
    except OSError:
        return False
    return True


def _received(connection: _socket.socket, count: int) -> bytes:
    """So many bytes, or fewer if the server is gone."""
    answer = b""
    try:
        while len(answer) < count and (part := connection.recv(count - len(answer))):
            answer += part
    except OSError:
        pass
    return answer


def _become_the_task(parent: int, group: int, command: list[str], waiting: list[int]) -> None:
    if posix.getppid() != parent:
        posix._exit(1)  # nobody waits for this task any more
    try:  # noqa: SIM105  contextlib takes longer to import than all of this takes to run
        posix.setpgid(0, group)
    except OSError:
        pass  # the group is gone, and a group of its own does as well
    for number in FORWARDED:
        _signal.signal(number, _signal.SIG_DFL)
    for number in waiting:
        posix.kill(posix.getpid(), number)
    posix.execv(command[0], command)


def _end_by(number: int) -> None:
    """End in the way the task has ended, for whoever waits for this process."""
    if number != _signal.SIGKILL:
        # the task has dumped its core, if anybody wanted one
        limits = __import__("resource")
        limits.setrlimit(limits.RLIMIT_CORE, (0, limits.getrlimit(limits.RLIMIT_CORE)[1]))
        _signal.signal(number, _signal.SIG_DFL)
        _signal.pthread_sigmask(_signal.SIG_UNBLOCK, [number])
    posix.kill(posix.getpid(), number)
    posix._exit(128 + number)


if __name__ == "__main__":
    main()
