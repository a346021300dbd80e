import java.nio.charset.StandardCharsets;
import java.util.concurrent.CountDownLatch;
import org.apache.rocketmq.client.consumer.DefaultMQPushConsumer;
import org.apache.rocketmq.client.consumer.listener.ConsumeConcurrentlyStatus;
import org.apache.rocketmq.client.consumer.listener.MessageListenerConcurrently;
import org.apache.rocketmq.client.producer.DefaultMQProducer;
import org.apache.rocketmq.client.producer.SendResult;
import org.apache.rocketmq.client.utils.MessageUtil;
import org.apache.rocketmq.common.consumer.ConsumeFromWhere;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Answers each message with its body and " answered", and prints how that went.
 *
 * nameServer, topic, group; length (of an answer, at least). The line "stop" ends it.
 */
public final class Answer {
  private final Options options;
  private final DefaultMQProducer producer = new DefaultMQProducer("interop-repliers");
  private final DefaultMQPushConsumer consumer;
  private final CountDownLatch stopped = new CountDownLatch(1);

  private Answer(Options options) {
    this.options = options;
    producer.setNamesrvAddr(options.text("nameServer"));
    producer.setRetryTimesWhenSendFailed(0);
    consumer = new DefaultMQPushConsumer(options.text("group"));
    consumer.setNamesrvAddr(options.text("nameServer"));
    consumer.setHeartbeatBrokerInterval(3_000); // as in Consume
    consumer.setConsumeFromWhere(ConsumeFromWhere.CONSUME_FROM_FIRST_OFFSET);
  }

  public static void main(String[] args) {
    Lines.run(() -> new Answer(new Options(args)).run());
  }

  private void run() throws Exception {
    producer.start();
    consumer.subscribe(options.text("topic"), "*");
    consumer.registerMessageListener((MessageListenerConcurrently) (messages, context) -> {
      messages.forEach(this::answer);
      return ConsumeConcurrentlyStatus.CONSUME_SUCCESS;
    });
    consumer.start();
    Lines.print("started");
    Lines.onStop(stopped::countDown);
    stopped.await();
    consumer.shutdown();
    producer.shutdown();
    Lines.print("done");
    System.exit(0);
  }

  private void answer(MessageExt request) {
    StringBuilder text = new StringBuilder(new String(request.getBody(), StandardCharsets.UTF_8)).append(" answered");
    while (text.length() < options.number("length", 0)) text.append(" and again");
    try {
      Message answer = MessageUtil.createReplyMessage(request, text.toString().getBytes(StandardCharsets.UTF_8));
      SendResult result = producer.send(answer, 30_000);
      Lines.print("replied", "status", result.getSendStatus(), "queueId", result.getMessageQueue().getQueueId(),
          "offset", result.getQueueOffset());
    } catch (Exception error) {
      Lines.print("unanswered", "reason", error + ", " + error.getCause());
    }
  }
}
