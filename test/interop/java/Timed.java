import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;

/**
 * Sends numbered messages that are to come later, and calls some of them back.
 *
 * nameServer, topic; first, count; one of delayMs, deliverInMs (from now) and deliverAtMs (since 1970);
 * recallEvery (messages whose number is a multiple are called back at once).
 */
public final class Timed {
  private final Options options;
  private final DefaultMQProducer producer = new DefaultMQProducer("interop-timers");

  private Timed(Options options) {
    this.options = options;
    producer.setNamesrvAddr(options.text("nameServer"));
    producer.setSendMsgTimeout(30_000);
    producer.setRetryTimesWhenSendFailed(0);
  }

  public static void main(String[] args) {
    Lines.run(() -> new Timed(new Options(args)).run());
  }

  private void run() throws Exception {
    producer.start();
    Lines.print("started");
    int first = options.number("first", 0);
    for (int number = first; number < first + options.number("count", 1); number++) send(number);
    Lines.print("done");
    System.exit(0);
  }

  private void send(int number) throws Exception {
    Message message = message(number);
    SendResult result = producer.send(message);
    Lines.print("sent", "number", number, "queueId", result.getMessageQueue().getQueueId(), "offset",
        result.getQueueOffset(), "tag", message.getTags(), "keys", message.getKeys(), "crc",
        Lines.crc(message.getBody()), "offsetMessageId", result.getOffsetMsgId(), "at", System.currentTimeMillis());
    int recallEvery = options.number("recallEvery", 0);
    if (recallEvery == 0 || number % recallEvery != 0) return;
    String id = producer.recallMessage(options.text("topic"), result.getRecallHandle());
    Lines.print("recalled", "number", number, "isSame", id.equals(result.getMsgId()));
  }

  private Message message(int number) {
    byte[] body = (number + " later").getBytes(StandardCharsets.UTF_8);
    Message message = new Message(options.text("topic"), body);
    int delayMs = options.number("delayMs", 0);
    int deliverInMs = options.number("deliverInMs", 0);
    if (delayMs > 0) message.setDelayTimeMs(delayMs);
    else if (deliverInMs > 0) message.setDeliverTimeMs(System.currentTimeMillis() + deliverInMs);
    else message.setDeliverTimeMs(Long.parseLong(options.text("deliverAtMs")));
    return message;
  }
}
