"""What aiobmsble makes of frames, without Bluetooth; tests/test_peers.py runs it with a Python
that has the package.

In: a JSON object a line, {"bms": module, "set": attributes, "answers": {request hex: reply hex}};
"" stands for any request. Out: a JSON object a line, what its _async_update says, or {"error": …}.
"""

import asyncio
import json
import sys
from importlib import import_module

from aiobmsble import basebms
from bleak.backends.device import BLEDevice

basebms.BleakClient = lambda *_, **__: None  # there is no radio here


def offline(name: str, answers: dict[str, str]):
    """A BMS whose requests are answered from `answers`."""
    base = import_module(f"aiobmsble.bms.{name}").BMS

    class Offline(base):
        async def _await_msg(self, data, *_, **__):
            reply = answers.get(bytes(data).hex()) or answers.get("")
            if reply is None:
                raise TimeoutError
            self._frame.clear()
            self._msg_event.clear()
            self._notification_handler(None, bytearray.fromhex(reply))
            if not self._msg_event.is_set():
                raise ValueError("the frame was not taken")

    return Offline(BLEDevice("00:00:00:00:00:00", "bench", None))


async def heard(line: str) -> dict:
    asked = json.loads(line)
    bms = offline(asked["bms"], asked["answers"])
    for name, value in asked.get("set", {}).items():
        setattr(bms, name, value)
    try:
        sample = await bms._async_update()
    except (TimeoutError, ValueError) as failure:
        return {"error": repr(failure)}
    sample["temp_values"] = [
        getattr(sensor, "value", sensor) for sensor in sample.get("temp_values", [])
    ]
    return dict(sample)


async def main() -> None:
    for line in sys.stdin:
        print(json.dumps(await heard(line)), flush=True)


asyncio.run(main())
