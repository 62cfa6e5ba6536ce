"""Opens many architectures one after another in one server, while a visitor types functions on the surface lab.

From the project's root: `.venv/bin/python tests/load/architectures.py 300`. Prints the server's memory and memory maps
every ten architectures; fails where a page shows an error or the server dies. Linux alone.
"""

import argparse
import sys
import threading
import time
from pathlib import Path

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets import Subprotocol
from websockets.sync.client import connect

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from qlr_core.networks.problem import NetworkLab  # noqa: E402
from qlr_ui.lab.run_setting import RunSetting  # noqa: E402
from qlr_ui.network import state as network_state  # noqa: E402
from qlr_ui.surface import state as lab_state  # noqa: E402
from tests.load.lab_server import server  # noqa: E402

DATASETS, TWO = ("moons", "curve"), (RunSetting("adam_qlr"), RunSetting("adam"))


def architecture(number: int) -> str:
    """The query of one architecture's page; no two numbers share one."""
    lab = NetworkLab(DATASETS[number % 2], width=2 + number // 2, steps=25)
    return f"network={network_state.to_link(network_state.NetworkState(lab, TWO))}"


def typed_function(number: int) -> str:
    """The query of the surface lab with one typed function."""
    text = f"x**2 + {number + 1}*y**2 + sin(x*y)"
    return f"lab={lab_state.to_link(lab_state.LabState(lab_state.TYPED, text, runs=TWO))}"


def visit(port: int, page: str, query: str, patience: float = 900) -> None:
    """Opens a page as the browser does and waits until its script has ended; RuntimeError where it shows an exception."""
    asked = BackMsg()
    asked.rerun_script.page_name, asked.rerun_script.query_string = page, query
    address = f"ws://localhost:{port}/_stcore/stream"
    # A server that compiles answers no pings.
    with connect(address, subprotocols=[Subprotocol("streamlit")], max_size=None, ping_interval=None) as socket:
        socket.send(asked.SerializeToString())
        while True:
            message = ForwardMsg.FromString(socket.recv(patience, decode=False))
            element = message.delta.new_element
            for shown in (element.exception.message, element.alert.body if element.alert.format == 1 else ""):
                if shown:
                    raise RuntimeError(f"{page}: {shown}")
            if message.WhichOneof("type") == "script_finished" and message.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY:
                return


def visitors(port: int, done: threading.Event, seen: list[int], errors: list[Exception]) -> None:
    """Somebody who types one function after another until all is done."""
    while not done.is_set():
        try:
            visit(port, "", typed_function(len(seen)))
        except Exception as error:  # whatever it is belongs to the report
            errors.append(error)
        seen.append(len(seen))
        done.wait(5.0)


def main() -> None:
    """Prints the table; exits with 1 where something went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=300)
    parser.add_argument("--port", type=int, default=8710)
    asked = parser.parse_args()
    done, seen, errors = threading.Event(), [], []
    with server(asked.port) as process:
        visitor = threading.Thread(target=visitors, args=(asked.port, done, seen, errors))
        visitor.start()
        print("architectures  functions  MB  maps  s", flush=True)
        begin = time.monotonic()
        for number in range(asked.count):
            try:
                visit(asked.port, "networks", architecture(number))
            except Exception as error:
                errors.append(error)
                if not process.is_running():
                    break
            if number < 3 or number % 10 == 9:
                maps = len(Path(f"/proc/{process.pid}/maps").read_text().splitlines())
                megabytes = process.memory_info().rss / 2**20
                print(number + 1, len(seen), f"{megabytes:.0f}", maps, f"{time.monotonic() - begin:.0f}", flush=True)
        done.set()
        visitor.join()
    for error in errors:
        print(f"{type(error).__name__}: {error}")
    sys.exit(bool(errors))


if __name__ == "__main__":
    main()
