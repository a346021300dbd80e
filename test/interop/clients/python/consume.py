"""Prints every message it is handed: nameServer, topic, group; expression (tags); orderly, broadcast; failures
(tries of each message that are refused)."""

import os

from lines import crc, emit, now, options, until_stopped
from rocketmq.client import PushConsumer
from rocketmq.ffi import MessageModel


class Refused(Exception):
    """Raised in a listener, it makes the client send the message back."""


def text_or_none(value):
    return value.decode() if value else None


def take(message, failures):
    body = message.body
    emit(
        "message",
        number=int(body.split(b" ", 1)[0]),
        queueId=message.queue_id,
        offset=message.queue_offset,
        tag=text_or_none(message.tags),
        keys=text_or_none(message.keys),
        crc=crc(body),
        attempt=message.reconsume_times,
        at=now(),
    )
    if message.reconsume_times < failures:
        raise Refused()


def main():
    settings = options()
    is_broadcast = settings.get("broadcast") == "true"
    model = MessageModel.BROADCASTING if is_broadcast else MessageModel.CLUSTERING
    consumer = PushConsumer(settings["group"], settings.get("orderly") == "true", model)
    consumer.set_namesrv_addr(settings["nameServer"])
    failures = int(settings.get("failures", "0"))
    consumer.subscribe(settings["topic"], lambda message: take(message, failures), settings.get("expression", "*"))
    consumer.start()
    emit("started")
    until_stopped()
    consumer.shutdown()
    emit("done")
    os._exit(0)  # the library's threads may still call into an interpreter that is being taken down


main()
