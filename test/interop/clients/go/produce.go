package main

import (
	"context"
	"fmt"
	"strings"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// produce sends numbered messages: nameServer, topic; count; tags (a list, chosen by number); delayLevel;
// shards (the message's number modulo this is its sharding key).
func produce(o options) error {
	settings := []producer.Option{
		producer.WithNameServer(o.nameServers()),
		producer.WithGroupName("interop-producers"),
		producer.WithSendMsgTimeout(30 * time.Second),
		producer.WithRetry(0),
	}
	if o.number("shards", 0) > 0 {
		settings = append(settings, producer.WithQueueSelector(producer.NewHashQueueSelector()))
	}
	client, err := rocketmq.NewProducer(settings...)
	if err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	for number := range o.number("count", 1) {
		message := numbered(o, number)
		result, err := client.SendSync(context.Background(), message)
		if err != nil {
			return err
		}
		emit("sent", fields{
			"number": number, "queueId": result.MessageQueue.QueueId, "offset": result.QueueOffset,
			"tag": textOrNull(message.GetTags()), "keys": message.GetKeys(), "crc": crc(message.Body), "at": now(),
		})
	}
	return client.Shutdown()
}

func numbered(o options, number int) *primitive.Message {
	body := fmt.Sprintf("%d %s", number, strings.Repeat("body ", number%40))
	message := primitive.NewMessage(o["topic"], []byte(body))
	message.WithKeys([]string{fmt.Sprintf("key-%d", number)})
	tags := strings.Split(o["tags"], ",")
	if tag := tags[number%len(tags)]; tag != "" {
		message.WithTag(tag)
	}
	if level := o.number("delayLevel", 0); level > 0 {
		message.WithDelayTimeLevel(level)
	}
	if shards := o.number("shards", 0); shards > 0 {
		message.WithShardingKey(fmt.Sprintf("shard-%d", number%shards))
	}
	return message
}
