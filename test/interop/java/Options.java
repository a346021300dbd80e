import java.util.HashMap;
import java.util.Map;

/** The arguments of a program, each written name=value. */
final class Options {
  private final Map<String, String> values = new HashMap<>();

  Options(String[] args) {
    for (String arg : args) {
      int equals = arg.indexOf('=');
      if (equals < 0) throw new IllegalArgumentException("not name=value: " + arg);
      values.put(arg.substring(0, equals), arg.substring(equals + 1));
    }
  }

  String text(String name) {
    String value = values.get(name);
    if (value == null) throw new IllegalArgumentException("argument " + name + " is missing");
    return value;
  }

  String text(String name, String otherwise) {
    return values.getOrDefault(name, otherwise);
  }

  int number(String name, int otherwise) {
    return Integer.parseInt(text(name, String.valueOf(otherwise)));
  }

  boolean is(String name) {
    return Boolean.parseBoolean(text(name, "false"));
  }

  /** A list separated by commas; an empty element stays, as an empty text. */
  String[] list(String name, String otherwise) {
    return text(name, otherwise).split(",", -1);
  }
}
