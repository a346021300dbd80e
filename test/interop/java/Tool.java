import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.apache.rocketmq.tools.command.MQAdminStartup;

/** Apache's mqadmin, one command line a line, in one JVM: prints one "answer" for each, with what it "printed". */
public final class Tool {
  private final BlockingQueue<String> commands = new LinkedBlockingQueue<>();

  public static void main(String[] args) {
    Lines.run(() -> new Tool().run(new Options(args)));
  }

  private void run(Options options) throws Exception {
    System.setProperty("rocketmq.namesrv.addr", options.text("nameServer"));
    Lines.print("started");
    Lines.read(commands::add, () -> commands.add("stop"));
    for (String line = commands.take(); !line.equals("stop"); line = commands.take()) {
      Lines.print("answer", "printed", printedBy(line.split(" ")));
    }
    Lines.print("done");
    System.exit(0);
  }

  private String printedBy(String[] words) {
    PrintStream before = System.out;
    ByteArrayOutputStream printed = new ByteArrayOutputStream();
    System.setOut(new PrintStream(printed, true));
    try {
      MQAdminStartup.main0(words, null);
    } finally {
      System.setOut(before);
    }
    return printed.toString();
  }
}
