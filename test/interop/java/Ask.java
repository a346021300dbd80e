import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.RequestCallback;
import org.apache.rocketmq.common.message.Message;

/**
 * Sends requests and prints the answer to each, or why there is none.
 *
 * nameServer, topic; count; threads; timeoutMs (of each request).
 */
public final class Ask {
  private final Options options;
  private final DefaultMQProducer producer = new DefaultMQProducer("interop-askers");
  private final AtomicInteger next = new AtomicInteger();

  private Ask(Options options) {
    this.options = options;
    producer.setNamesrvAddr(options.text("nameServer"));
  }

  public static void main(String[] args) {
    Lines.run(() -> new Ask(new Options(args)).run());
  }

  private void run() throws Exception {
    producer.start();
    introduce();
    Lines.print("started");
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < options.number("threads", 1); i++) threads.add(new Thread(this::askAll));
    for (Thread thread : threads) thread.start();
    for (Thread thread : threads) thread.join();
    producer.shutdown();
    Lines.print("done");
    System.exit(0);
  }

  /**
   * Of the first requests only one says who we are, and the others do not wait for that: brokers then do not know
   * where answers go. The timer may be saying it now, when a call of ours is passed over; so once more.
   */
  private void introduce() throws Exception {
    producer.fetchPublishMessageQueues(options.text("topic"));
    for (int i = 0; i < 2; i++) {
      producer.getDefaultMQProducerImpl().getMqClientFactory().sendHeartbeatToAllBrokerWithLock();
    }
  }

  private void askAll() {
    while (true) {
      int number = next.getAndIncrement();
      if (number >= options.number("count", 1)) return;
      try {
        ask(number);
      } catch (Exception error) {
        Lines.print("refused", "number", number, "reason", error.toString());
      }
    }
  }

  /** With a callback: the other kind of request, in 5.3.3, stops waiting as soon as its message is stored. */
  private void ask(int number) throws Exception {
    byte[] body = (number + " asked").getBytes(StandardCharsets.UTF_8);
    CountDownLatch over = new CountDownLatch(1);
    producer.request(new Message(options.text("topic"), body), new RequestCallback() {
      @Override
      public void onSuccess(Message answer) {
        Lines.print("answered", "number", number, "topic", answer.getTopic(),
            "body", new String(answer.getBody(), StandardCharsets.UTF_8), "type", answer.getProperty("MSG_TYPE"));
        over.countDown();
      }

      @Override
      public void onException(Throwable error) {
        Lines.print("refused", "number", number, "reason", error.toString());
        over.countDown();
      }
    }, options.number("timeoutMs", 30_000));
    over.await();
  }
}
