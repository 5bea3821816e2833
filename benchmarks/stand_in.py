"""A stand-in for ElevenLabs on loopback: every answer made beforehand and given after 50 ms, by a process of its own.

Its documents are those of the product's simulator; that one makes them anew for every request, which would be measured
along. Each answer of usage has other figures for today than the one before, as an hour's would.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from benchmarks.measuring import FORK
from elevenlabs_sync.client import DAY_SECONDS, to_milliseconds
from elevenlabs_sync.simulator import SimulatedWorkspace, account, jsontext, queries, tabular
from syncing.windows import Window

LATENCY = 0.05
DAYS = 7
VARIANTS = 16

Answers = Mapping[str, Sequence[bytes]]  # by path, one after the other


@dataclass(frozen=True)
class StandIn:
    base_url: str
    usage_url: str
    rows: int  # of one answer of usage
    _requests: Any

    @property
    def requests(self) -> int:
        """How many it has answered."""
        return int(self._requests.value)


@contextmanager
def stand_in(today: date) -> Iterator[StandIn]:
    """Running until the block ends. Enter it while no thread and no database connection is open."""
    workspace = SimulatedWorkspace(today, history_days=DAYS)
    usage, rows = _usage(workspace)
    answers: dict[str, Sequence[bytes]] = {
        "/v1/workspace/analytics/query/usage-by-product-over-time": usage,
        "/v1/user/subscription": [_body(account.subscription(workspace))],
        "/v1/service-accounts": [_body(account.service_accounts(workspace))],
        "/v1/models": [_body(account.models())],
    }
    receiving, sending = FORK.Pipe(duplex=False)
    requests = FORK.Value("q", 0)
    process = FORK.Process(target=_run, args=(answers, sending, requests), daemon=True)
    process.start()
    try:
        base_url = f"http://127.0.0.1:{receiving.recv()}"
        yield StandIn(base_url, f"{base_url}/v1/workspace/analytics/query/usage-by-product-over-time", rows, requests)
    finally:
        process.terminate()
        process.join()


def _usage(workspace: SimulatedWorkspace) -> tuple[list[bytes], int]:
    """Bodies whose rows of today differ, and how many rows of usage each has."""
    start, end = Window(workspace.today - timedelta(days=DAYS - 1), workspace.today).whole_days
    query = queries.read_usage_query(
        {
            "start_time": to_milliseconds(start),
            "end_time": to_milliseconds(end),
            "interval_seconds": DAY_SECONDS,
            "group_by": ["hashed_xi_api_key", "model"],
            "time_zone": "UTC",
        }
    )
    document: dict[str, Any] = tabular.usage_over_time(workspace, query)
    names = document["columns"]
    day, requests = names.index("timestamp"), names.index("usage_count")
    bodies = []
    for variant in range(VARIANTS):
        rows = [
            [*row[:requests], row[requests] + variant, *row[requests + 1 :]]
            if row[day].startswith(workspace.today.isoformat()) and row[requests]
            else row
            for row in document["rows"]
        ]
        bodies.append(_body({**document, "rows": rows}))
    return bodies, sum(1 for row in document["rows"] if row[requests])


def _body(document: object) -> bytes:
    return jsontext.encode(document).encode()


def _run(answers: Answers, sending: Any, requests: Any) -> None:
    asyncio.run(_serve(answers, sending, requests))


async def _serve(answers: Answers, sending: Any, requests: Any) -> None:
    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection's requests until it is closed."""
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("ascii").lower()
                length = head.partition("content-length:")[2].partition("\r\n")[0].strip()
                await reader.readexactly(int(length or 0))
                await asyncio.sleep(LATENCY)
                requests.value += 1
                writer.write(_answer(answers, head.split()[1], requests.value))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(talk, "127.0.0.1", 0)
    sending.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


def _answer(answers: Answers, path: str, number: int) -> bytes:
    bodies = answers.get(path, (b"{}",))
    body = bodies[number % len(bodies)]
    head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
    return head.encode() + body
