"""A way to a server that can be cut: passes connections on to it, and ends them all when it is killed.

``python -m local.faults.tcp --port P --upstream HOST:PORT``. To its clients its death is that of the server: requests
that are under way may have been done and are not answered. What was done stays, as in a database that is durable.
"""

import argparse
import asyncio
from contextlib import suppress

_MAX_BYTES = 65536


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(_MAX_BYTES):
            writer.write(data)
            await writer.drain()
    with suppress(OSError):
        writer.close()


async def _serve(port: int, host: str, upstream: int) -> None:
    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            other_reader, other_writer = await asyncio.open_connection(host, upstream)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_pipe(reader, other_writer), _pipe(other_reader, writer))

    server = await asyncio.start_server(connected, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Serve on loopback until it is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--upstream", required=True)
    given = parser.parse_args()
    host, _, port = given.upstream.rpartition(":")
    asyncio.run(_serve(given.port, host, int(port)))


if __name__ == "__main__":
    main()
