package dev.millrace.engine.gguf;

import java.util.ArrayList;
import java.util.List;

/** Reads the values of a GGUF file's metadata, each by the number of its type. */
final class GgufValueReader {
  /** More than the largest vocabulary has tokens, and merges. */
  private static final int LONGEST_ARRAY = 1 << 24;

  private static final int DEEPEST_ARRAY = 4;

  private static final int UINT8 = 0;
  private static final int INT8 = 1;
  private static final int UINT16 = 2;
  private static final int INT16 = 3;
  private static final int UINT32 = 4;
  private static final int INT32 = 5;
  private static final int FLOAT32 = 6;
  private static final int BOOL = 7;
  private static final int STRING = 8;
  private static final int ARRAY = 9;
  private static final int UINT64 = 10;
  private static final int INT64 = 11;
  private static final int FLOAT64 = 12;

  private final GgufCursor cursor;

  GgufValueReader(GgufCursor cursor) {
    this.cursor = cursor;
  }

  /** The value of a key: the number of its type, then itself. */
  GgufValue read(String key) {
    return value(cursor.readInt("the type of " + key), key, 0);
  }

  private GgufValue value(int type, String key, int depth) {
    return switch (type) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 ->
          new GgufValue.Whole(whole(type, key));
      case FLOAT32, FLOAT64 -> new GgufValue.Real(real(type, key));
      case BOOL -> new GgufValue.Flag(flag(key));
      case STRING -> new GgufValue.Text(cursor.readText(key));
      case ARRAY -> array(key, depth + 1);
      default ->
          throw cursor.damaged(
              "gives %s the value type %s; there are 0 to 12"
                  .formatted(key, Integer.toUnsignedString(type)));
    };
  }

  private GgufValue array(String key, int depth) {
    if (depth > DEEPEST_ARRAY) {
      throw cursor.damaged(
          "has arrays within arrays in %s, more than %d deep".formatted(key, DEEPEST_ARRAY));
    }
    int type = cursor.readInt("the element type of " + key);
    int count = cursor.readCount("the length of " + key, LONGEST_ARRAY, leastBytes(type));
    return switch (type) {
      case UINT8, INT8, UINT16, INT16, UINT32, INT32, UINT64, INT64 -> {
        long[] values = new long[count];
        for (int i = 0; i < count; i++) {
          values[i] = whole(type, key);
        }
        yield new GgufValue.Wholes(values);
      }
      case FLOAT32, FLOAT64 -> {
        double[] values = new double[count];
        for (int i = 0; i < count; i++) {
          values[i] = real(type, key);
        }
        yield new GgufValue.Reals(values);
      }
      case STRING -> {
        List<String> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          values.add(cursor.readText(key));
        }
        yield new GgufValue.Texts(values);
      }
      default -> {
        List<GgufValue> values = new ArrayList<>();
        for (int i = 0; i < count; i++) {
          values.add(value(type, key, depth));
        }
        yield new GgufValue.Values(values);
      }
    };
  }

  /** What an element takes, so that a count can be checked before anything is allocated. */
  private static int leastBytes(int type) {
    return switch (type) {
      case UINT16, INT16 -> 2;
      case UINT32, INT32, FLOAT32 -> 4;
      case STRING, UINT64, INT64, FLOAT64 -> 8;
      case ARRAY -> 12;
      default -> 1;
    };
  }

  private long whole(int type, String key) {
    return switch (type) {
      case UINT8 -> Byte.toUnsignedLong(cursor.readByte(key));
      case INT8 -> cursor.readByte(key);
      case UINT16 -> Short.toUnsignedLong(cursor.readShort(key));
      case INT16 -> cursor.readShort(key);
      case UINT32 -> Integer.toUnsignedLong(cursor.readInt(key));
      case INT32 -> cursor.readInt(key);
      default -> cursor.readLong(key);
    };
  }

  private double real(int type, String key) {
    return type == FLOAT32
        ? Float.intBitsToFloat(cursor.readInt(key))
        : Double.longBitsToDouble(cursor.readLong(key));
  }

  private boolean flag(String key) {
    int value = cursor.readByte(key);
    if (value != 0 && value != 1) {
      throw cursor.damaged("has the byte %d for %s, which is true or false".formatted(value, key));
    }
    return value == 1;
  }
}
