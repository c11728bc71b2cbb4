"""An HTTP server whose delays are known, to hold a load generator's numbers against.

    slow_server.py PORT stall     answers at once, but nobody during the last second of every ten
    slow_server.py PORT spread    after 100 to 500 ms, evenly spread: percentile p is 100 + 4 p
    slow_server.py PORT fixed     after 50 ms

Prints "ready" once it listens.
"""

import asyncio
import sys
import time

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
GOLDEN = 0.6180339887498949

started = 0.0
served = 0


def delay_of(mode: str) -> float:
    """Seconds that the next answer is held back."""
    global served
    served += 1
    if mode == "stall":
        in_cycle = (time.monotonic() - started) % 10
        return 10 - in_cycle if in_cycle >= 9 else 0
    if mode == "spread":
        # Multiples of the golden ratio fill an interval evenly, more so than random numbers do.
        return 0.1 + 0.4 * (served * GOLDEN % 1)
    return 0.05


class Connection(asyncio.Protocol):
    def __init__(self, mode: str):
        self.mode = mode
        self.received = b""

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        # Requests without bodies, one at a time.
        self.received += data
        while b"\r\n\r\n" in self.received:
            self.received = self.received.split(b"\r\n\r\n", 1)[1]
            delay = delay_of(self.mode)
            if delay > 0:
                asyncio.get_running_loop().call_later(delay, self.answer)
            else:
                self.answer()

    def answer(self):
        if not self.transport.is_closing():
            self.transport.write(ANSWER)


async def main(port: int, mode: str):
    global started
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(mode), "127.0.0.1", port, backlog=4096)
    started = time.monotonic()
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    if len(sys.argv) != 3 or sys.argv[2] not in ("stall", "spread", "fixed"):
        sys.exit(__doc__)
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
