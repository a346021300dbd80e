import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.MessageSelector;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.ConsumeOrderlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.consumer.listener.MessageListenerOrderly;
import org.apache.rocketmq.client.consumer.rebalance.AllocateMessageQueueAveragely;
import org.apache.rocketmq.client.impl.consumer.ProcessQueue;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * A push consumer that prints the queues it owns, at each change, and every message it is handed.
 *
 * nameServer, topic, group; expression (tags) or sql; orderly (else concurrent); threads; failures (tries of each message
 * that are refused), retryLevel (how long the next one waits), maxTries; trace. The line "stop" shuts it down.
 */
public final class Consume {
  private final Options options;
  private final DefaultMQPushConsumer consumer;
  private final CountDownLatch stopped = new CountDownLatch(1);

  private Consume(Options options) {
    this.options = options;
    consumer = new DefaultMQPushConsumer(options.text("group"), null, new AllocateMessageQueueAveragely(),
        options.is("trace"), null);
    consumer.setNamesrvAddr(options.text("nameServer"));
    // The first rebalance and the first timed heartbeat come 1 s after the start. When they meet, the client
    // drops one heartbeat, and its pulls are refused (SUBSCRIPTION_NOT_LATEST) until the next: 30 s by default.
    consumer.setHeartbeatBrokerInterval(3_000);
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.setMaxReconsumeTimes(options.number("maxTries", -1));
    consumer.setConsumeThreadMin(options.number("threads", 4));
    consumer.setConsumeThreadMax(options.number("threads", 4));
  }

  public static void main(String[] args) {
    Lines.run(() -> new Consume(new Options(args)).run());
  }

  private void run() throws Exception {
    String sql = options.text("sql", "");
    if (sql.isEmpty()) consumer.subscribe(options.text("topic"), options.text("expression", "*"));
    else consumer.subscribe(options.text("topic"), MessageSelector.bySql(sql));
    if (options.is("orderly")) listenOrderly();
    else listenConcurrently();
    consumer.start();
    Lines.print("started", "vipChannel", consumer.isVipChannelEnabled(),
        "serializeType", RemotingCommand.getSerializeTypeConfigInThisServer());
    Thread watcher = new Thread(this::watchQueues);
    watcher.setDaemon(true);
    watcher.start();
    Lines.onStop(stopped::countDown);
    stopped.await();
    while (cachedMessages() > 0) Thread.sleep(5);
    consumer.shutdown();
    Lines.print("done");
    System.exit(0);
  }

  /** A message counts as consumed only after its listener has returned: until then no offset passes it. */
  private long cachedMessages() {
    long count = 0;
    for (ProcessQueue queue : processQueues().values()) count += queue.getMsgCount().get();
    return count;
  }

  private Map<MessageQueue, ProcessQueue> processQueues() {
    return consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getProcessQueueTable();
  }

  private void listenOrderly() {
    consumer.registerMessageListener((MessageListenerOrderly) (messages, context) -> {
      print(messages);
      return ConsumeOrderlyStatus.SUCCESS;
    });
  }

  private void listenConcurrently() {
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      print(messages);
      context.setDelayLevelWhenNextConsume(options.number("retryLevel", 0));
      return isRefused(messages) ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
  }

  /** The first tries of each message fail; consumers get one at a time. */
  private boolean isRefused(List<MessageExt> messages) {
    return messages.get(0).getReconsumeTimes() < options.number("failures", 0);
  }

  private void watchQueues() {
    TreeSet<Integer> last = null;
    while (true) {
      TreeSet<Integer> now = new TreeSet<>();
      for (MessageQueue queue : processQueues().keySet()) {
        if (queue.getTopic().equals(options.text("topic"))) now.add(queue.getQueueId());
      }
      if (!now.equals(last)) Lines.print("queues", "queueIds", now);
      last = now;
      try {
        Thread.sleep(20); // the client tells nobody when it rebalances
      } catch (InterruptedException error) {
        return;
      }
    }
  }

  static void print(List<MessageExt> messages) {
    for (MessageExt message : messages) {
      String body = new String(message.getBody(), StandardCharsets.UTF_8);
      int space = body.indexOf(' ');
      Lines.print("message", "number", Integer.parseInt(body.substring(0, space)),
          "queueId", message.getQueueId(), "offset", message.getQueueOffset(), "tag", message.getTags(),
          "keys", message.getKeys(), "crc", Lines.crc(message.getBody()), "attempt", message.getReconsumeTimes(),
          "at", System.currentTimeMillis());
    }
  }
}
