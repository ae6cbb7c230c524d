"""A private message bus (dbus-daemon) and one service on it: objects with properties, announced as
D-Bus' ObjectManager and Properties have it. bluez.py makes org.bluez of it.

A property is (signature, value), as jeepney wants a variant.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

from jeepney import (  # type: ignore[import-untyped]
    DBusAddress,
    HeaderFields,
    Message,
    MessageType,
    message_bus,
    new_error,
    new_method_return,
    new_signal,
)
from jeepney.io.asyncio import (  # type: ignore[import-untyped]
    DBusConnection,
    DBusRouter,
    open_dbus_connection,
)

from packlab.errors import PacklabError

PROPERTIES = "org.freedesktop.DBus.Properties"
OBJECTS = "org.freedesktop.DBus.ObjectManager"
_START_S = 5.0
_CONFIGURATION = """<!DOCTYPE busconfig PUBLIC
 "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={socket}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow user="*"/>
    <allow own="*"/>
    <allow send_type="method_call"/>
    <allow send_type="signal"/>
    <allow send_destination="*" eavesdrop="true"/>
    <allow receive_sender="*" eavesdrop="true"/>
  </policy>
</busconfig>
"""

Variant = tuple[str, Any]
Interface = dict[str, Variant]
Reply = tuple[str, tuple[Any, ...]] | None  # (signature, values)
Call = Callable[[str, str, str, tuple[Any, ...]], Awaitable[Reply]]


class BusError(Exception):
    """An error to be sent back; `name` as on the bus."""

    def __init__(self, name: str, text: str = "") -> None:
        super().__init__(text or name)
        self.name = name


def missing() -> str:
    """What has to be installed first, "" for nothing."""
    return "" if shutil.which("dbus-daemon") else "dbus-daemon is missing: apt install dbus-daemon"


class Bus:
    """`async with Bus(name, call) as bus`: a message bus on which we own a name.

    environment: what to set for programs that shall take it for the system's bus. call(path,
    interface, member, values): does a method that is not about properties or objects.
    """

    def __init__(self, name: str, call: Call) -> None:
        self._name = name
        self._call = call
        self.objects: dict[str, dict[str, Interface]] = {}
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        lack = missing()
        if lack:
            raise PacklabError(lack)
        self._folder = Path(tempfile.mkdtemp(prefix="packlab-bus-"))
        socket = self._folder / "bus"
        configuration = self._folder / "bus.conf"
        configuration.write_text(_CONFIGURATION.format(socket=socket))
        self._daemon = await asyncio.create_subprocess_exec(
            "dbus-daemon", f"--config-file={configuration}", "--nofork", "--nopidfile",
            stderr=asyncio.subprocess.DEVNULL,
        )  # fmt: skip
        self.environment = {"DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={socket}"}
        self._connection = await self._open(socket)
        self._reader = asyncio.create_task(self._read())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._reader.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self._reader
        await self._connection.close()
        self._daemon.terminate()
        await self._daemon.wait()
        shutil.rmtree(self._folder, ignore_errors=True)

    async def _open(self, socket: Path) -> DBusConnection:
        async with asyncio.timeout(_START_S):
            while True:
                with contextlib.suppress(FileNotFoundError, ConnectionRefusedError):
                    connection = await open_dbus_connection(f"unix:path={socket}")
                    async with DBusRouter(connection) as router:
                        await router.send_and_get_reply(message_bus.RequestName(self._name))
                    return connection
                await asyncio.sleep(0.02)

    # --- objects and their properties ---

    def get(self, path: str, interface: str, name: str) -> Any:
        """The value of a property."""
        return self.objects[path][interface][name][1]

    def set(self, path: str, interface: str, **changed: Variant) -> None:
        """Change properties, and tell."""
        self.objects[path][interface].update(changed)
        self._signal(path, PROPERTIES, "PropertiesChanged", "sa{sv}as", (interface, changed, []))

    def add(self, path: str, interface: str, properties: Interface) -> None:
        """A new object, and tell."""
        self.objects[path] = {interface: properties}
        self._signal("/", OBJECTS, "InterfacesAdded", "oa{sa{sv}}", (path, self.objects[path]))

    def remove(self, path: str) -> None:
        """An object goes, and tell."""
        interfaces = list(self.objects.pop(path))
        self._signal("/", OBJECTS, "InterfacesRemoved", "oas", (path, interfaces))

    def _signal(
        self, path: str, interface: str, member: str, signature: str, values: tuple[Any, ...]
    ) -> None:
        address = DBusAddress(path, interface=interface)
        self._send(new_signal(address, member, signature, values))

    def _send(self, message: Message) -> None:
        connection = self._connection
        connection.writer.write(message.serialise(next(connection.outgoing_serial)))

    # --- calls ---

    async def _read(self) -> None:
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                message = await self._connection.receive()
                if message.header.message_type is MessageType.method_call:
                    task = asyncio.create_task(self._answer(message))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Message) -> None:
        fields = message.header.fields
        path, member = fields[HeaderFields.path], fields[HeaderFields.member]
        interface = fields.get(HeaderFields.interface, "")
        try:
            if path not in self.objects and member != "GetManagedObjects":
                raise BusError("org.freedesktop.DBus.Error.UnknownObject", path)
            reply = await self._do(path, interface, member, message.body)
        except BusError as error:
            self._send(new_error(message, error.name, "s", (str(error),)))
            return
        self._send(new_method_return(message, *reply) if reply else new_method_return(message))

    async def _do(self, path: str, interface: str, member: str, values: tuple[Any, ...]) -> Reply:
        if member == "GetManagedObjects":
            return "a{oa{sa{sv}}}", (self.objects,)
        if interface == PROPERTIES:
            properties = self.objects[path].get(values[0], {})
            if member == "GetAll":
                return "a{sv}", (properties,)
            if member == "Get" and values[1] in properties:
                return "v", (properties[values[1]],)
            if member == "Set":
                self.set(path, values[0], **{values[1]: values[2]})
                return None
            raise BusError("org.freedesktop.DBus.Error.UnknownProperty", str(values))
        return await self._call(path, interface, member, values)
