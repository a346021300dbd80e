import java.nio.charset.StandardCharsets;
import org.apache.rocketmq.client.producer.LocalTransactionState;
import org.apache.rocketmq.client.producer.TransactionListener;
import org.apache.rocketmq.client.producer.TransactionMQProducer;
import org.apache.rocketmq.common.message.Message;
import org.apache.rocketmq.common.message.MessageExt;

/**
 * Sends `count` messages in transactions. `outcomes` are what the local transaction says, in turn (commit,
 * rollback, unknown); what is unknown is committed when the broker asks. Ends at "stop".
 */
public final class Transact {
  private final Options options;
  private final TransactionMQProducer producer;

  private Transact(Options options) {
    this.options = options;
    producer = new TransactionMQProducer(options.text("group", "interop-transactions"));
    producer.setNamesrvAddr(options.text("nameServer"));
    producer.setSendMsgTimeout(30_000);
    // The broker asks only whom it knows from a heartbeat.
    producer.setHeartbeatBrokerInterval(1_000);
  }

  public static void main(String[] args) {
    Lines.run(() -> new Transact(new Options(args)).run());
  }

  private void run() throws Exception {
    producer.setTransactionListener(new Listener(options.list("outcomes", "commit")));
    producer.start();
    Lines.print("started");
    Lines.onStop(() -> {
      Lines.print("done");
      System.exit(0);
    });
    for (int number = 0; number < options.number("count", 1); number++) {
      byte[] body = (number + " body").getBytes(StandardCharsets.UTF_8);
      producer.sendMessageInTransaction(new Message(options.text("topic"), body), number);
      Lines.print("sent", "number", number);
    }
    Lines.print("allSent");
    Thread.sleep(Long.MAX_VALUE);
  }

  private static final class Listener implements TransactionListener {
    private final String[] outcomes;

    Listener(String[] outcomes) {
      this.outcomes = outcomes;
    }

    @Override
    public LocalTransactionState executeLocalTransaction(Message message, Object number) {
      switch (outcomes[(Integer) number % outcomes.length]) {
        case "commit":
          return LocalTransactionState.COMMIT_MESSAGE;
        case "rollback":
          return LocalTransactionState.ROLLBACK_MESSAGE;
        default:
          return LocalTransactionState.UNKNOW;
      }
    }

    @Override
    public LocalTransactionState checkLocalTransaction(MessageExt message) {
      Lines.print("asked", "topic", message.getTopic(), "transaction", message.getTransactionId());
      return LocalTransactionState.COMMIT_MESSAGE;
    }
  }
}
