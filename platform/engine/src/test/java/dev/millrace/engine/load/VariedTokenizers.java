package dev.millrace.engine.load;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;

/** Tokenizers of a few tokens that have, together, what a tokenizer.json can have. */
final class VariedTokenizers {
  private static final String ADDED =
      """
      [{"id": 7, "content": "<s>", "single_word": false, "lstrip": true, "rstrip": true,
        "normalized": false, "special": true},
       {"id": 8, "content": "A#", "single_word": true, "lstrip": true, "rstrip": false,
        "normalized": true, "special": false}]
      """;

  private static final String TEMPLATE =
      """
      {"type": "TemplateProcessing",
       "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}},
        {"Sequence": {"id": "A", "type_id": 0}}],
       "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
       "special_tokens": {"<s>": {"id": "<s>", "ids": [7], "tokens": ["<s>"]}}}
      """;

  private static final String UNIGRAM =
      """
      {"version": "1.0", "added_tokens": %s,
       "truncation": {"direction": "Right", "max_length": 5, "strategy": "LongestFirst", "stride": 0},
       "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": 2,
        "pad_id": 0, "pad_type_id": 0, "pad_token": "?"},
       "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Precompiled", "precompiled_charsmap": "%s"},
        {"type": "Nmt"}, {"type": "NFKC"},
        {"type": "Strip", "strip_left": false, "strip_right": true},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
       "pre_tokenizer": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first",
        "split": true},
       "post_processor": %s,
       "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first",
        "split": true},
       "model": {"type": "Unigram", "unk_id": 0, "byte_fallback": true,
        "vocab": [["?", 0.0], ["a", -1.0], ["b", -1.5], ["ab", -2.0], ["\u2581", -3.0],
         ["\u2581a", -2.5], ["<0xC3>", -9.0]]}}
      """
          .formatted(ADDED, charsMap(), TEMPLATE);

  private static final String WORD_PIECES =
      """
      {"version": "1.0", "truncation": null, "padding": null, "added_tokens": %s,
       "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
         "strip_accents": null, "lowercase": true},
        {"type": "StripAccents"}, {"type": "NFD"}, {"type": "Lowercase"}]},
       "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "BertPreTokenizer"}, {"type": "Digits", "individual_digits": true},
        {"type": "Punctuation", "behavior": "Contiguous"}, {"type": "UnicodeScripts"},
        {"type": "FixedLength", "length": 3}, {"type": "WhitespaceSplit"}]},
       "post_processor": {"type": "BertProcessing", "sep": ["b", 2], "cls": ["a", 1]},
       "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
       "model": {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##",
        "max_input_chars_per_word": 100,
        "vocab": {"?": 0, "a": 1, "b": 2, "##a": 3, "##b": 4, "\u4e16": 5}}}
      """
          .formatted(ADDED);

  private static final String PREFIXED_PAIRS =
      """
      {"version": "1.0", "truncation": null, "padding": null, "added_tokens": %s,
       "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": " "},
        {"type": "Replace", "pattern": {"String": "c"}, "content": "ab"}]},
       "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
        {"type": "Split", "pattern": {"Regex": "[^\\\\s\\\\p{L}]?\\\\p{L}+|\\\\s+(?!\\\\S)|\\\\s+"},
         "behavior": "Isolated", "invert": false},
        {"type": "Split", "pattern": {"String": "#"}, "behavior": "MergedWithNext", "invert": true}]},
       "post_processor": {"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
        %s]},
       "decoder": {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"Regex": "#+"}, "content": ""}, {"type": "ByteFallback"},
        {"type": "BPEDecoder", "suffix": "</w>"},
        {"type": "CTC", "pad_token": "<p>", "word_delimiter_token": "|", "cleanup": true},
        {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
       "model": {"type": "BPE", "dropout": null, "unk_token": "?", "continuing_subword_prefix": "#",
        "end_of_word_suffix": "</w>", "fuse_unk": true, "byte_fallback": true,
        "ignore_merges": false,
        "vocab": {"?": 0, "a": 1, "#b": 2, "ab": 3, "#a": 4, "#b</w>": 5, " ": 6},
        "merges": [["a", "#b"]]}}
      """
          .formatted(ADDED, TEMPLATE);

  private static final String WORDS =
      """
      {"version": "1.0", "truncation": null, "padding": null, "added_tokens": %s,
       "normalizer": {"type": "ByteLevel"}, "pre_tokenizer": {"type": "Whitespace"},
       "post_processor": {"type": "RobertaProcessing", "sep": ["b", 2], "cls": ["a", 1],
        "trim_offsets": true, "add_prefix_space": true},
       "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true,
        "use_regex": true},
       "model": {"type": "WordLevel", "unk_token": "?", "vocab": {"?": 0, "a": 1, "b": 2}}}
      """
          .formatted(ADDED);

  static final List<String> SAMPLES = List.of(UNIGRAM, WORD_PIECES, PREFIXED_PAIRS, WORDS);

  private VariedTokenizers() {}

  /** A table of SentencePiece that puts "b\u00e9" in the place of "a". */
  private static String charsMap() {
    byte[] texts = "x\0b\u00e9\0".getBytes(StandardCharsets.UTF_8);
    var table =
        ByteBuffer.allocate(4 + 4 * 512 + texts.length)
            .order(ByteOrder.LITTLE_ENDIAN)
            .putInt(4 * 512)
            .putInt(4, 256 << 10)
            .putInt(4 + 4 * (256 ^ 'a'), 'a' << 10 | 0x100 | 'a')
            .putInt(4 + 4 * 256, 2);
    return Base64.getEncoder().encodeToString(table.put(4 + 4 * 512, texts).array());
  }
}
