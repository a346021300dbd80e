package main

import (
	"context"
	"strings"
	"sync/atomic"
	"time"

	rocketmq "github.com/apache/rocketmq-client-go/v2"
	"github.com/apache/rocketmq-client-go/v2/primitive"
	"github.com/apache/rocketmq-client-go/v2/producer"
)

// listener ends each transaction as `outcomes` say, in turn; what is unknown is committed when the broker asks.
type listener struct {
	outcomes []string
	next     atomic.Int64
}

func (l *listener) ExecuteLocalTransaction(*primitive.Message) primitive.LocalTransactionState {
	switch l.outcomes[int(l.next.Add(1)-1)%len(l.outcomes)] {
	case "commit":
		return primitive.CommitMessageState
	case "rollback":
		return primitive.RollbackMessageState
	default:
		return primitive.UnkonwnState
	}
}

func (l *listener) CheckLocalTransaction(message *primitive.MessageExt) primitive.LocalTransactionState {
	emit("asked", fields{"topic": message.Topic, "transaction": message.TransactionId})
	return primitive.CommitMessageState
}

// transact sends `count` messages in transactions and stays until it is stopped.
func transact(o options) error {
	client, err := rocketmq.NewTransactionProducer(
		&listener{outcomes: strings.Split(o["outcomes"], ",")},
		producer.WithNameServer(o.nameServers()),
		producer.WithGroupName("interop-transactions"),
		producer.WithSendMsgTimeout(30*time.Second),
		producer.WithRetry(0),
	)
	if err != nil {
		return err
	}
	if err := client.Start(); err != nil {
		return err
	}
	for number := range o.number("count", 1) {
		if _, err := client.SendMessageInTransaction(context.Background(), numbered(o, number)); err != nil {
			return err
		}
	}
	emit("allSent", fields{})
	untilStopped()
	return client.Shutdown()
}
