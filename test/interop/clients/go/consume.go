package main

import (
	"context"
	"strconv"
	"strings"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/consumer"
	"github.com/apache/rocketmq-client-go/v2/primitive"
)

// consume prints every message it is handed: nameServer, topic, group; expression (tags); orderly, broadcast;
// failures (tries of each message that are refused).
func consume(o options) error {
	client, err := rocketmq.NewPushConsumer(
		consumer.WithNameServer(o.nameServers()),
		consumer.WithGroupName(o["group"]),
		consumer.WithConsumerModel(model(o)),
		consumer.WithConsumeFromWhere(consumer.ConsumeFromFirstOffset),
		consumer.WithConsumerOrder(o.is("orderly")),
	)
	if err != nil {
		return err
	}
	selector := consumer.MessageSelector{Type: consumer.TAG, Expression: o["expression"]}
	take := func(_ context.Context, messages ...*primitive.MessageExt) (consumer.ConsumeResult, error) {
		for _, message := range messages {
			if err := printMessage(message); err != nil {
				return consumer.ConsumeRetryLater, err
			}
			if int(message.ReconsumeTimes) < o.number("failures", 0) {
				return consumer.ConsumeRetryLater, nil
			}
		}
		return consumer.ConsumeSuccess, nil
	}
	if err := client.Subscribe(o["topic"], selector, take); err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	emit("started", fields{})
	untilStopped()
	return client.Shutdown()
}

func model(o options) consumer.MessageModel {
	if o.is("broadcast") {
		return consumer.BroadCasting
	}
	return consumer.Clustering
}

func printMessage(message *primitive.MessageExt) error {
	text, _, _ := strings.Cut(string(message.Body), " ")
	number, err := strconv.Atoi(text)
	if err != nil {
		return err
	}
	emit("message", fields{
		"number": number, "queueId": message.Queue.QueueId, "offset": message.QueueOffset,
		"tag": textOrNull(message.GetTags()), "keys": message.GetKeys(), "crc": crc(message.Body),
		"attempt": message.ReconsumeTimes, "at": now(),
	})
	return nil
}
