import java.util.Set;
import java.util.TreeSet;
import org.apache.rocketmq.client.consumer.DefaultMQPullConsumer;
import org.apache.rocketmq.client.consumer.PullResult;
import org.apache.rocketmq.client.consumer.PullStatus;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * Reads every queue of a topic from its min offset to its max offset with the pull consumer, and prints both
 * and each message.
 *
 * nameServer, topic; group; expression (tags); light (a list of light queues, whose route is that of the topic); follow (then waits, in held pulls, for what comes to the last
 * queue, until the line "stop").
 */
public final class Pull {
  private final Options options;
  private final DefaultMQPullConsumer consumer;
  private volatile boolean stopping;

  private Pull(Options options) {
    this.options = options;
    consumer = new DefaultMQPullConsumer(options.text("group", "interop-pullers"));
    consumer.setNamesrvAddr(options.text("nameServer"));
  }

  public static void main(String[] args) {
    Lines.run(() -> new Pull(new Options(args)).run());
  }

  private void run() throws Exception {
    consumer.start();
    Lines.onStop(() -> stopping = true);
    MessageQueue last = null;
    long end = 0;
    for (MessageQueue queue : queues()) {
      last = queue;
      end = readAll(queue);
    }
    if (options.is("follow")) follow(last, end);
    Lines.print("done");
    System.exit(0); // not shutdown(): it waits for the held pull
  }

  private Set<MessageQueue> queues() throws Exception {
    Set<MessageQueue> queues = new TreeSet<>(consumer.fetchSubscribeMessageQueues(options.text("topic")));
    String[] lights = options.list("light", "");
    if (lights[0].isEmpty()) return queues;
    // As Apache's example of light queues does: the client must know the broker of a topic that has no route.
    String topic = options.text("topic");
    consumer.getDefaultMQPullConsumerImpl().getRebalanceImpl().getmQClientFactory()
        .updateTopicRouteInfoFromNameServer(topic);
    String broker = queues.iterator().next().getBrokerName();
    queues.clear();
    for (String light : lights) queues.add(new MessageQueue(light, broker, 0));
    return queues;
  }

  private long readAll(MessageQueue queue) throws Exception {
    long offset = consumer.minOffset(queue);
    long end = consumer.maxOffset(queue);
    Lines.print("queue", "queueId", queue.getQueueId(), "minOffset", offset, "maxOffset", end);
    while (offset < end) offset = print(consumer.pull(queue, expression(), offset, 32));
    return offset;
  }

  private void follow(MessageQueue queue, long start) throws Exception {
    long offset = start;
    Lines.print("waiting", "offset", offset);
    while (!stopping) offset = print(consumer.pullBlockIfNotFound(queue, expression(), offset, 32));
  }

  private long print(PullResult result) {
    if (result.getPullStatus() == PullStatus.FOUND) Consume.print(result.getMsgFoundList());
    return result.getNextBeginOffset();
  }

  private String expression() {
    return options.text("expression", "*");
  }
}
