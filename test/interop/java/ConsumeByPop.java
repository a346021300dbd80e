import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.impl.consumer.PopProcessQueue;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;

/**
 * A push consumer whose queues the broker shares out, by POP if it says so. Prints them at each change (-1: all of a
 * broker), and every message it is handed.
 *
 * nameServer, topic, group; invisible (ms), failures (tries of each message that are refused), hang (the listener
 * never returns). The line "stop" shuts it down.
 */
public final class ConsumeByPop {
  private final Options options;
  private final DefaultMQPushConsumer consumer;
  private final CountDownLatch stopped = new CountDownLatch(1);

  private ConsumeByPop(Options options) {
    this.options = options;
    consumer = new DefaultMQPushConsumer(options.text("group"));
    consumer.setNamesrvAddr(options.text("nameServer"));
    consumer.setHeartbeatBrokerInterval(3_000); // see Consume
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
    consumer.setConsumeThreadMin(4);
    consumer.setConsumeThreadMax(4);
    consumer.setClientRebalance(false);
    consumer.setPopInvisibleTime(options.number("invisible", 60_000));
  }

  public static void main(String[] args) {
    Lines.run(() -> new ConsumeByPop(new Options(args)).run());
  }

  private void run() throws Exception {
    consumer.subscribe(options.text("topic"), "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> listen(messages));
    consumer.start();
    Lines.print("started");
    Thread watcher = new Thread(this::watchQueues);
    watcher.setDaemon(true);
    watcher.start();
    Lines.onStop(stopped::countDown);
    stopped.await();
    while (unacknowledged() > 0) Thread.sleep(5);
    Thread.sleep(500); // its acks are on their way, and nobody hears of their answers
    consumer.shutdown();
    Lines.print("done");
    System.exit(0);
  }

  private ConsumeConcurrentlyStatus listen(List<MessageExt> messages) {
    Consume.print(messages);
    if (options.is("hang")) hang();
    boolean isRefused = messages.get(0).getReconsumeTimes() < options.number("failures", 0);
    return isRefused ? ConsumeConcurrentlyStatus.RECONSUME_LATER : ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
  }

  private static void hang() {
    try {
      Thread.sleep(Long.MAX_VALUE);
    } catch (InterruptedException error) {
      Thread.currentThread().interrupt();
    }
  }

  private long unacknowledged() {
    long count = 0;
    for (PopProcessQueue queue : queues().values()) count += queue.getWaiAckMsgCount();
    return count;
  }

  private Map<MessageQueue, PopProcessQueue> queues() {
    return consumer.getDefaultMQPushConsumerImpl().getRebalanceImpl().getPopProcessQueueTable();
  }

  private void watchQueues() {
    TreeSet<Integer> last = null;
    while (true) {
      TreeSet<Integer> now = new TreeSet<>();
      for (MessageQueue queue : queues().keySet()) {
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
}
