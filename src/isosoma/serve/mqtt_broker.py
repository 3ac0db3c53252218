"""A small broker inside the listener, for a demonstration without mosquitto. Loopback only.

It keeps sessions in memory: what it holds ends with the process.
"""

from __future__ import annotations

import logging
from typing import Any

from isosoma.core.errors import InputError

__all__ = ["start_broker"]


async def start_broker(port: int) -> Any:
    """Return a running broker of MQTT 3.1.1; ``await broker.shutdown()`` ends it.

    Raises
    ------
    InputError
        The port is taken.
    """
    from amqtt.broker import Broker
    from amqtt.errors import BrokerError

    logging.getLogger("amqtt").setLevel(logging.CRITICAL)  # it tells its clients' faults itself
    logging.getLogger("transitions").setLevel(logging.CRITICAL)
    broker = Broker(
        {
            "listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{port}"}},
            "plugins": {
                "amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}
            },
        }
    )
    try:
        await broker.start()
    except BrokerError as error:
        raise InputError(
            f"cannot start a broker on port {port}", "--broker", "Choose another port"
        ) from error
    return broker
