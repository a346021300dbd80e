import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.rocketmq.client.QueryResult;
import org.apache.rocketmq.common.message.MessageExt;
import org.apache.rocketmq.common.message.MessageQueue;
import org.apache.rocketmq.common.message.MessageRequestMode;
import org.apache.rocketmq.remoting.protocol.admin.OffsetWrapper;
import org.apache.rocketmq.remoting.protocol.admin.TopicOffset;
import org.apache.rocketmq.remoting.protocol.body.ClusterInfo;
import org.apache.rocketmq.remoting.protocol.route.BrokerData;
import org.apache.rocketmq.remoting.protocol.route.QueueData;
import org.apache.rocketmq.remoting.protocol.route.TopicRouteData;
import org.apache.rocketmq.remoting.protocol.subscription.SubscriptionGroupConfig;
import org.apache.rocketmq.tools.admin.DefaultMQAdminExt;

/**
 * Apache's admin client, one command a line: prints one "answer" for each, with the "error" if it failed.
 *
 * createTopic TOPIC QUEUES · deleteTopic TOPIC CLUSTER · route TOPIC · topics · cluster · offsets TOPIC ·
 * createGroup GROUP BROKER · mode TOPIC GROUP PULL|POP SHARE BROKER · consumed GROUP · byKey TOPIC KEY · byId TOPIC ID · byUniqueKey TOPIC ID
 */
public final class Admin {
  private final DefaultMQAdminExt admin = new DefaultMQAdminExt(10_000);
  private final BlockingQueue<String> commands = new LinkedBlockingQueue<>();

  public static void main(String[] args) {
    Lines.run(() -> new Admin().run(new Options(args)));
  }

  private void run(Options options) throws Exception {
    admin.setNamesrvAddr(options.text("nameServer"));
    admin.start();
    Lines.print("started");
    Lines.read(commands::add, () -> commands.add("stop"));
    for (String command = commands.take(); !command.equals("stop"); command = commands.take()) {
      try {
        answer(command.split(" "));
      } catch (Exception error) {
        Lines.print("answer", "error", error.toString());
      }
    }
    admin.shutdown();
    Lines.print("done");
    System.exit(0);
  }

  private void answer(String[] words) throws Exception {
    switch (words[0]) {
      case "createTopic":
        admin.createTopic("TBW102", words[1], Integer.parseInt(words[2]), null);
        Lines.print("answer");
        break;
      case "deleteTopic":
        admin.deleteTopic(words[1], words[2]);
        Lines.print("answer");
        break;
      case "createGroup":
        SubscriptionGroupConfig group = new SubscriptionGroupConfig();
        group.setGroupName(words[1]);
        admin.createAndUpdateSubscriptionGroupConfig(words[2], group);
        Lines.print("answer");
        break;
      case "mode":
        admin.setMessageRequestMode(words[5], words[1], words[2], MessageRequestMode.valueOf(words[3]),
            Integer.parseInt(words[4]), 10_000);
        Lines.print("answer");
        break;
      case "route": route(admin.examineTopicRouteInfo(words[1])); break;
      case "topics": Lines.print("answer", "topics", admin.fetchAllTopicList().getTopicList()); break;
      case "cluster": cluster(admin.examineBrokerClusterInfo()); break;
      case "offsets": offsets(admin.examineTopicStats(words[1]).getOffsetTable()); break;
      case "consumed": consumed(admin.examineConsumeStats(words[1]).getOffsetTable()); break;
      case "byKey": byKey(words[1], words[2]); break;
      case "byId": messages(List.of(admin.viewMessage(words[1], words[2]))); break;
      case "byUniqueKey": byUniqueKey(words[1], words[2]); break;
      default: throw new IllegalArgumentException("unknown command");
    }
  }

  private static void route(TopicRouteData route) {
    List<Object> queues = new ArrayList<>();
    for (QueueData queue : route.getQueueDatas()) {
      queues.add(Map.of("brokerName", queue.getBrokerName(), "readQueues", queue.getReadQueueNums(),
          "writeQueues", queue.getWriteQueueNums(), "permission", queue.getPerm()));
    }
    Lines.print("answer", "queues", queues, "brokers", brokers(route.getBrokerDatas()));
  }

  private static void cluster(ClusterInfo info) {
    Map<String, Object> clusters = new TreeMap<>();
    info.getClusterAddrTable().forEach((name, brokers) -> clusters.put(name, new TreeSet<>(brokers)));
    Lines.print("answer", "clusters", clusters, "brokers", brokers(info.getBrokerAddrTable().values()));
  }

  private static List<Object> brokers(Iterable<BrokerData> brokers) {
    List<Object> list = new ArrayList<>();
    for (BrokerData broker : brokers) {
      list.add(Map.of("brokerName", broker.getBrokerName(), "cluster", broker.getCluster(),
          "addresses", new TreeMap<>(broker.getBrokerAddrs())));
    }
    return list;
  }

  private static void offsets(Map<MessageQueue, TopicOffset> table) {
    Map<Integer, Object> queues = new TreeMap<>();
    table.forEach((queue, offset) -> queues.put(queue.getQueueId(),
        List.of(offset.getMinOffset(), offset.getMaxOffset())));
    Lines.print("answer", "queues", queues);
  }

  /** For each topic and queue: what the group has committed, and the max offset. */
  private static void consumed(Map<MessageQueue, OffsetWrapper> table) {
    Map<String, Object> queues = new TreeMap<>();
    table.forEach((queue, offset) -> queues.put(queue.getTopic() + ":" + queue.getQueueId(),
        List.of(offset.getConsumerOffset(), offset.getBrokerOffset())));
    Lines.print("answer", "queues", queues);
  }

  private void byKey(String topic, String key) throws Exception {
    QueryResult result = admin.queryMessage(topic, key, 64, 0, System.currentTimeMillis() + 60_000);
    messages(result.getMessageList());
  }

  /** Reads the message with this id, and asks again for its unique key. */
  private void byUniqueKey(String topic, String id) throws Exception {
    String key = admin.viewMessage(topic, id).getProperty("UNIQ_KEY");
    messages(admin.queryMessageByUniqKey("DefaultCluster", topic, key, 32, 0, Long.MAX_VALUE).getMessageList());
  }

  private static void messages(List<MessageExt> messages) {
    List<Object> places = new ArrayList<>();
    for (MessageExt message : messages) {
      places.add(Map.of("queueId", message.getQueueId(), "offset", message.getQueueOffset(),
          "crc", Lines.crc(message.getBody())));
    }
    Lines.print("answer", "messages", places);
  }
}
