import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.util.Collection;
import java.util.Map;
import java.util.function.Consumer;
import java.util.zip.CRC32;

/** How a program and the test that started it talk: JSON lines out, plain lines in. */
final class Lines {
  private Lines() {
  }

  interface Body {
    void run() throws Exception;
  }

  /** Runs a program. Apache's threads would keep it alive after it has failed. */
  static void run(Body body) {
    try {
      body.run();
    } catch (Throwable error) {
      error.printStackTrace();
      System.exit(1);
    }
  }

  /** Prints one event. Everything after its name is pairs of key and value. */
  static void print(String event, Object... pairs) {
    StringBuilder line = new StringBuilder("{\"event\":");
    append(line, event);
    for (int i = 0; i < pairs.length; i += 2) {
      line.append(',');
      append(line, pairs[i]);
      line.append(':');
      append(line, pairs[i + 1]);
    }
    line.append("}\n");
    byte[] bytes = line.toString().getBytes(StandardCharsets.UTF_8);
    synchronized (System.out) {
      System.out.write(bytes, 0, bytes.length);
      System.out.flush();
    }
  }

  /** Hands each line of standard input over, then calls `end`: so a program never outlives its test. */
  static void read(Consumer<String> line, Runnable end) {
    Thread reader = new Thread(() -> {
      try (BufferedReader in =
          new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))) {
        for (String text = in.readLine(); text != null; text = in.readLine()) line.accept(text);
      } catch (IOException ignored) {
        // A broken pipe says the same as its end.
      }
      end.run();
    });
    reader.setDaemon(true);
    reader.start();
  }

  /** Runs `stop` once, at the line "stop" or at the end of standard input. */
  static void onStop(Runnable stop) {
    read(line -> {
      if (line.equals("stop")) stop.run();
    }, stop);
  }

  static long crc(byte[] body) {
    CRC32 crc = new CRC32();
    crc.update(body);
    return crc.getValue();
  }

  private static void append(StringBuilder line, Object value) {
    if (value == null || value instanceof Number || value instanceof Boolean) line.append(value);
    else if (value instanceof Collection) appendAll(line, (Collection<?>) value);
    else if (value instanceof Map) appendMap(line, (Map<?, ?>) value);
    else appendText(line, value.toString());
  }

  private static void appendAll(StringBuilder line, Collection<?> values) {
    line.append('[');
    int index = 0;
    for (Object value : values) {
      if (index++ > 0) line.append(',');
      append(line, value);
    }
    line.append(']');
  }

  private static void appendMap(StringBuilder line, Map<?, ?> values) {
    line.append('{');
    int index = 0;
    for (Map.Entry<?, ?> entry : values.entrySet()) {
      if (index++ > 0) line.append(',');
      appendText(line, entry.getKey().toString());
      line.append(':');
      append(line, entry.getValue());
    }
    line.append('}');
  }

  private static void appendText(StringBuilder line, String text) {
    line.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '"' || c == '\\') line.append('\\').append(c);
      else if (c < ' ') line.append(String.format("\\u%04x", (int) c));
      else line.append(c);
    }
    line.append('"');
  }
}
