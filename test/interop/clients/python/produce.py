"""Sends numbered messages: nameServer, topic; count; tags (a list, chosen by number); delayLevel; shards (the
message's number modulo this chooses its queue)."""

from lines import crc, emit, now, options
from rocketmq.client import Message, Producer, SendStatus


def send_all(producer, settings):
    tags = settings.get("tags", "").split(",")
    shards = int(settings.get("shards", "0"))
    for number in range(int(settings["count"])):
        body = f"{number} {'body ' * (number % 40)}".encode()
        tag, keys = tags[number % len(tags)], f"key-{number}"
        message = Message(settings["topic"])
        message.set_body(body)
        message.set_keys(keys)
        if tag:
            message.set_tags(tag)
        if "delayLevel" in settings:
            message.set_delay_time_level(int(settings["delayLevel"]))
        if shards:
            result = producer.send_orderly(message, number % shards)
        else:
            result = producer.send_sync(message)
        if result.status != SendStatus.OK:
            raise RuntimeError(f"message {number}: {result}")
        emit("sent", number=number, offset=result.offset, tag=tag or None, keys=keys, crc=crc(body), at=now())


def main():
    settings = options()
    producer = Producer("interop-producers", timeout=30_000)
    producer.set_namesrv_addr(settings["nameServer"])
    producer.start()
    send_all(producer, settings)
    producer.shutdown()
    emit("done")


main()
