"""One open lab as the server sees it: a session that speaks Streamlit's websocket protocol, as browsers would be too many."""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any

import websockets
from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.player_hand import as_left, ask, header_of

STREAMLIT = [websockets.Subprotocol("streamlit")]


class Session:
    """What a lab's player was sent, how long its first picture and the answers to its knobs took, and what went wrong."""

    def __init__(self, address: str, number: int, page: str = "", query: str = "") -> None:
        self.address, self.page_name, self.query = address, page, query
        self.random = random.Random(number)
        self.page, self.player, self.header = "", "", {}
        self.opening = float("nan")
        self.seconds: list[float] = []
        self.errors: list[str] = []

    async def run(self, rounds: int, period: float, moved: Callable[[random.Random], dict[str, Any]]) -> None:
        """Opens the lab and lets go of a knob so many times, about every ``period`` seconds; ``moved`` are numbers of run 0."""
        # A server that computes answers no pings.
        async with websockets.connect(self.address, subprotocols=STREAMLIT, max_size=None, ping_interval=None) as socket:
            begin = time.monotonic()
            await self._ask(socket, None)
            self.opening = time.monotonic() - begin
            for _ in range(rounds):
                await asyncio.sleep(period * self.random.uniform(0.5, 1.5))
                begin, numbers = time.monotonic(), moved(self.random)
                await self._ask(socket, as_left(self.header, r0=numbers))
                self.seconds.append(time.monotonic() - begin)
                told = self.header["runs"][0]["hyper"]
                if any(told[name] != value for name, value in numbers.items()):
                    self.errors.append(f"{numbers} came back as {told}")

    async def _ask(self, socket: Any, left: dict[str, Any] | None) -> None:
        """One rerun, with the knobs left so; returns when the server has finished it."""
        message = BackMsg()
        message.rerun_script.query_string, message.rerun_script.page_name = self.query, self.page_name
        message.rerun_script.page_script_hash = self.page
        if left is not None:
            ask(message.rerun_script.widget_states, self.player, "set", left)
        await socket.send(message.SerializeToString())
        while True:
            answer = ForwardMsg.FromString(await socket.recv())
            kind = answer.WhichOneof("type")
            if kind == "delta":
                self._note(answer.delta.new_element)
            elif kind == "navigation":
                self.page = answer.navigation.page_script_hash
            elif kind == "script_finished" and answer.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return

    def _note(self, element: Any) -> None:
        kind = element.WhichOneof("type")
        if kind == "bidi_component":
            self.player, self.header = element.bidi_component.id, header_of(element.bidi_component.bytes)
        elif kind == "exception" or (kind == "alert" and element.alert.format == 1):
            self.errors.append(str(element)[:300])


def any_damping(drawn: random.Random) -> dict[str, Any]:
    """Another λ₀."""
    return {"initial_damping": 10 ** drawn.uniform(-8, 0)}
