import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.remoting.protocol.RemotingCommand;

/**
 * Sends numbered messages through one producer and prints where each one landed.
 *
 * nameServer, topic; group; first, count (numbers first … first + count - 1); threads; batch (messages per
 * send); oneway; rate (messages a second in all, 0 = as fast as it goes); tags, bodyLengths (lists, chosen by
 * number); light (light queues of a message; lists with ; between them, chosen by
 * number); keys (each message gets two); trace (what is sent is told in the trace topic, and ids are printed);
 * keepGoing (a refused send is printed and the next number follows).
 * The line "stop" ends it after the sends under way.
 */
public final class Produce {
  private final Options options;
  private final DefaultMQProducer producer;
  private final AtomicInteger next;
  private final int end;
  private final int batch;
  private final int rate;
  private final long startedAt = System.nanoTime();
  private volatile boolean stopping;

  private Produce(Options options) {
    this.options = options;
    int first = options.number("first", 0);
    next = new AtomicInteger(first);
    end = first + options.number("count", Integer.MAX_VALUE - first);
    batch = options.number("batch", 1);
    rate = options.number("rate", 0);
    producer = new DefaultMQProducer(options.text("group", "interop-producers"), null, options.is("trace"), null);
    producer.setNamesrvAddr(options.text("nameServer"));
    producer.setSendMsgTimeout(options.number("timeoutMs", 30_000));
    // A retry could store a message twice: every refusal has to show instead.
    producer.setRetryTimesWhenSendFailed(0);
  }

  public static void main(String[] args) {
    Lines.run(() -> new Produce(new Options(args)).run());
  }

  private void run() throws Exception {
    producer.start();
    Lines.print("started", "vipChannel", producer.isVipChannelEnabled(),
        "serializeType", RemotingCommand.getSerializeTypeConfigInThisServer());
    Lines.onStop(() -> stopping = true);
    List<Thread> threads = new ArrayList<>();
    for (int i = 0; i < options.number("threads", 1); i++) threads.add(new Thread(this::sendAll));
    for (Thread thread : threads) thread.start();
    for (Thread thread : threads) thread.join();
    // It may wait 3 s for nothing; but one-way messages and traces have to be out before the exit.
    if (options.is("oneway") || options.is("trace")) producer.shutdown();
    Lines.print("done");
    System.exit(0);
  }

  private void sendAll() {
    while (!stopping) {
      int first = next.getAndAdd(batch);
      if (first >= end) return;
      pause(first);
      List<Message> messages = new ArrayList<>();
      for (int number = first; number < Math.min(first + batch, end); number++) {
        messages.add(message(number));
      }
      try {
        sendWhenRouted(first, messages);
      } catch (Exception error) {
        refused(first, error);
      }
    }
  }

  /** On a busy machine a new client may wait in vain for the name server: then nothing has been sent. */
  private void sendWhenRouted(int first, List<Message> messages) throws Exception {
    for (int attempt = 1; ; attempt++) {
      try {
        send(first, messages);
        return;
      } catch (IllegalStateException noRoute) {
        if (attempt == 5) throw noRoute;
      }
    }
  }

  private void send(int first, List<Message> messages) throws Exception {
    if (options.is("oneway")) {
      producer.sendOneway(messages.get(0));
      print(first, messages.get(0), -1, -1, null);
      return;
    }
    SendResult result = batch > 1 ? producer.send(messages) : producer.send(messages.get(0));
    if (options.is("trace")) Lines.print("traced", "id", result.getMsgId());
    String[] ids = result.getOffsetMsgId().split(",");
    for (int i = 0; i < messages.size(); i++) {
      int queueId = result.getMessageQueue().getQueueId();
      print(first + i, messages.get(i), queueId, result.getQueueOffset() + i, ids[i]);
    }
  }

  private void print(int number, Message message, int queueId, long offset, String offsetMessageId) {
    Lines.print("sent", "number", number, "queueId", queueId, "offset", offset, "tag", message.getTags(),
        "keys", message.getKeys(), "crc", Lines.crc(message.getBody()), "offsetMessageId", offsetMessageId,
        "at", System.currentTimeMillis());
  }

  private void refused(int number, Exception error) {
    Lines.print("refused", "number", number, "reason", error.toString());
    if (!options.is("keepGoing")) System.exit(1);
    sleep(50);
  }

  private Message message(int number) {
    String[] lengths = options.list("bodyLengths", "20");
    String[] tags = options.list("tags", "");
    StringBuilder body = new StringBuilder().append(number).append(' ');
    int length = Integer.parseInt(lengths[number % lengths.length]);
    while (body.length() < length) body.append((char) ('a' + (body.length() + number) % 26));
    byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
    Message message = new Message(options.text("topic"), bytes);
    String tag = tags[number % tags.length];
    if (!tag.isEmpty()) message.setTags(tag);
    if (options.number("delayLevel", 0) > 0) message.setDelayTimeLevel(options.number("delayLevel", 0));
    String[] lights = options.text("light", "").split(";", -1);
    String light = lights[number % lights.length];
    if (!light.isEmpty()) message.putUserProperty("INNER_MULTI_DISPATCH", light);
    message.putUserProperty("number", String.valueOf(number));
    if (options.is("keys")) message.setKeys("key-" + number + " tens-" + number / 10);
    return message;
  }

  private void pause(int number) {
    if (rate == 0) return;
    long dueAt = startedAt + 1_000_000_000L * number / rate;
    sleep(Math.max(0, (dueAt - System.nanoTime()) / 1_000_000));
  }

  private static void sleep(long durationMs) {
    try {
      Thread.sleep(durationMs);
    } catch (InterruptedException error) {
      throw new IllegalStateException(error);
    }
  }
}
