"""Serves the studio on this machine's own address, 127.0.0.1, until it is interrupted."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import uvicorn

from lowres.errors import LowresError
from lowres.studio.app import StudioOptions, make_app
from lowres.studio.gate import Keys
from lowres.studio.hearing import Hearing
from lowres.studio.jobs import Jobs

HOST = "127.0.0.1"
_SECONDS_TO_FINISH = 2


@dataclass(frozen=True)
class Address:
    """Where the studio is: the address to give to a browser, and one that opens once, to start a browser with."""

    printed: str
    once: str


class Studio:
    """A studio that has its port and can be served.

    Args:
        options: see `StudioOptions`. port: to listen on; 0 = any that is free.

    Raises:
        LowresError: the port is taken or not allowed.
    """

    def __init__(self, options: StudioOptions, port: int = 0) -> None:
        self._socket = _listen(port)
        self.port = int(self._socket.getsockname()[1])
        self.keys, self.jobs = Keys(), Jobs(options.project, partial(Hearing, detector=options.detector))
        self.address = Address(
            f"http://{HOST}:{self.port}/?token={self.keys.token}",
            f"http://{HOST}:{self.port}/?token={self.keys.first_token}",
        )
        try:
            app = make_app(options, self.jobs, self.keys, self.port)
        except BaseException:
            self._socket.close()
            raise
        config = uvicorn.Config(
            app,
            lifespan="off",
            ws="none",
            http="h11",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=_SECONDS_TO_FINISH,
        )
        self._server = uvicorn.Server(config)

    def serve(self, when_ready: Callable[[], None] = lambda: None) -> None:
        """Serve until Ctrl-C (which goes on as KeyboardInterrupt) or `stop`.

        Args:
            when_ready: called once, when the port answers: the kernel keeps what comes before we look at it.
        """
        when_ready()
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self.jobs.close()
            self._socket.close()

    def stop(self) -> None:
        """Have `serve` return soon; from another thread."""
        self._server.should_exit = True


def _listen(port: int) -> socket.socket:
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((HOST, port))
        found.listen(128)
    except (OSError, OverflowError) as error:
        found.close()
        raise LowresError(
            f"The studio cannot listen on port {port}: {getattr(error, 'strerror', None) or error}.",
            "Choose another --port, or leave it out for a free one.",
        ) from error
    return found
