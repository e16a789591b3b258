"""The types of scalar fields. All are strict: `"2"`, `2.0` and `true` are not integers."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Annotated, Any, Final, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, Field
from pydantic_core import PydanticKnownError

NAME_PATTERN: Final = r"^\S+$"
LABEL_PATTERN: Final = r"^[a-z][a-z0-9_.-]*$"
TEXT_PATTERN: Final = r"\S"
MODULE_PATTERN: Final = r"^[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*$"

_DAY: Final = 86_400
_INT32_MAX: Final = 2**31 - 1

Count = Annotated[int, Field(strict=True, ge=1)]
"""A number of things: at least one."""
Workers = Annotated[int, Field(strict=True, ge=1, le=128)]
"""Processes of a group: keys are divided into 128 parts; a worker without a part has no work."""
Seconds = Annotated[int, Field(strict=True, ge=1, le=_DAY)]
"""Whole seconds, from one to a day."""
MessageBytes = Annotated[int, Field(strict=True, ge=4_096, le=_INT32_MAX)]
"""Bytes of a control message; the bootstrap bundle of a worker has about 2 000."""
PayloadBytes = Annotated[int, Field(strict=True, ge=1, le=_INT32_MAX)]
"""Bytes of a message: gRPC stores its limit in a signed 32-bit integer."""
HeaderBytes = Annotated[int, Field(strict=True, ge=4_096, le=65_535)]
"""Bytes of a frame's header: the wire format stores its length in 16 bits."""
UnauthenticatedBytes = Annotated[int, Field(strict=True, ge=256, le=65_536)]
"""Bytes accepted from an unauthenticated peer."""
Waiting = Annotated[int, Field(strict=True, ge=1, le=4_096)]
"""Maximum number of unauthenticated peers connected at a time."""
Delay = Annotated[int, Field(strict=True, ge=0, le=_DAY)]
"""Whole seconds up to a day; 0 is no delay."""
Port = Annotated[int, Field(strict=True, ge=0, le=65535)]
"""A port to listen on; 0 takes a free one."""
Backoff = Annotated[float, Field(strict=True, ge=0.0, le=_DAY, allow_inf_nan=False)]
"""Seconds up to a day, with fractions."""
Ratio = Annotated[float, Field(strict=True, ge=0.0, le=1.0, allow_inf_nan=False)]
"""A share of a whole, from 0 to 1."""
Flag = Annotated[bool, Field(strict=True)]
"""True or false; `1` and `"yes"` are neither."""
Name = Annotated[str, Field(strict=True, pattern=NAME_PATTERN)]
"""The name of a group, node or adapter: not empty, no spaces."""
GroupName = Annotated[str, Field(strict=True, pattern=NAME_PATTERN, max_length=60)]
"""The name of a group: so short that a worker's identity, made from it, has at most 256 bytes."""
ScenarioName = Annotated[str, Field(strict=True, pattern=TEXT_PATTERN, max_length=256)]
"""The name of the scenario, which every message contains."""
Label = Annotated[str, Field(strict=True, pattern=LABEL_PATTERN)]
"""The name of an implementation, built in or provided by another package: lower case."""
Text = Annotated[str, Field(strict=True, pattern=TEXT_PATTERN)]
"""Text that is not blank."""
ModuleName = Annotated[str, Field(strict=True, pattern=MODULE_PATTERN)]
"""The dotted name of a Python module."""
Loopback: TypeAlias = Literal["127.0.0.1"]
"""The only address that a plane of the run may listen on."""
Settings: TypeAlias = dict[str, Any]
"""Settings of a node, service, adapter or exporter: plain data, which that validates itself."""


def _exact(value: object) -> object:
    """Reject True and 1.0, which are equal to 1 and would match pydantic's literal."""
    if type(value) is not int:
        raise PydanticKnownError("literal_error", {"expected": "1"})
    return value


def _address(value: str) -> str:
    """Reject everything except IP addresses: a name would be resolved, maybe to another machine."""
    try:
        if "%" not in value:
            ip_address(value)
            return value
    except ValueError:
        pass
    raise PydanticKnownError("literal_error", {"expected": "an IP address, such as 0.0.0.0"})


Address = Annotated[Text, AfterValidator(_address)]
"""An IPv4 or IPv6 address of this machine, or the wildcard address for all of them."""
Version = Annotated[Literal[1], BeforeValidator(_exact)]
"""The version of the configuration's format."""
