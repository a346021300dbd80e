import java.util.Collection;
import java.util.List;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultLitePullConsumer;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * The lite pull consumer: prints the queues it polls and each message, until the line "stop".
 *
 * nameServer, topic, group; expression (tags); assign (takes every queue itself instead of subscribing); seek
 * (with assign: the offset to begin at in every queue).
 */
public final class LitePull {
  private final Options options;
  private final DefaultLitePullConsumer consumer;
  private volatile boolean stopping;

  private LitePull(Options options) {
    this.options = options;
    consumer = new DefaultLitePullConsumer(options.text("group"));
    consumer.setNamesrvAddr(options.text("nameServer"));
    // The first rebalance and the first timed heartbeat come 1 s after the start. When they meet, the client
    // drops one heartbeat, and its pulls are refused (SUBSCRIPTION_NOT_LATEST) until the next: 30 s by default.
    consumer.setHeartbeatBrokerInterval(3_000);
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
  }

  public static void main(String[] args) {
    Lines.run(() -> new LitePull(new Options(args)).run());
  }

  private void run() throws Exception {
    if (!options.is("assign")) consumer.subscribe(options.text("topic"), options.text("expression", "*"));
    consumer.start();
    if (options.is("assign")) assign();
    Lines.print("started");
    Lines.onStop(() -> stopping = true);
    Collection<MessageQueue> last = null;
    while (!stopping) {
      List<MessageExt> messages = consumer.poll(200);
      Collection<MessageQueue> now = consumer.assignment();
      if (!now.equals(last)) printQueues(now);
      last = now;
      Consume.print(messages);
    }
    consumer.shutdown();
    Lines.print("done");
    System.exit(0);
  }

  private void assign() throws Exception {
    Collection<MessageQueue> queues = consumer.fetchMessageQueues(options.text("topic"));
    consumer.assign(queues);
    for (MessageQueue queue : queues) consumer.seek(queue, options.number("seek", 0));
  }

  private static void printQueues(Collection<MessageQueue> queues) {
    TreeSet<Integer> queueIds = new TreeSet<>();
    for (MessageQueue queue : queues) queueIds.add(queue.getQueueId());
    Lines.print("queues", "queueIds", queueIds);
  }
}
