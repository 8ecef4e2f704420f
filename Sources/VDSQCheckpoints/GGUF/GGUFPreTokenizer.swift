/// How a byte-pair tokenizer splits a text before it merges, and what it does beside that: a value
/// of `tokenizer.ggml.pre`.
///
/// A new value is a name in a row of `all`, or a row. The expressions are those of the models'
/// `tokenizer.json`, of which llama.cpp (src/llama-vocab.cpp) has some in a form that `std::regex`
/// reads.
package struct GGUFPreTokenizer: Sendable {
  /// The values of `tokenizer.ggml.pre`.
  package let names: [String]
  /// Regular expressions that apply one after another. Matches and the gaps between them are the
  /// pieces.
  let patterns: [String]
  /// Whether pieces that are tokens are not merged.
  var ignoresMerges = false
  /// Whether texts are normalized to NFC.
  var composes = false
  /// Whether the beginning token is added if the file does not say.
  var addsBeginning = false
  /// Whether pairs of texts have a separator if the file does not say.
  var addsSeparator = false
  /// Whether merges are of characters, with U+2581 for a space, instead of bytes.
  var isOfCharacters = false

  /// Gemma 4's, whose file needs no `tokenizer.ggml.pre`. Merges do not cross the ends of lines.
  static let gemma4 = GGUFPreTokenizer(
    names: ["gemma4", "granite-embed-multi-311m"], patterns: [lines], addsBeginning: true,
    isOfCharacters: true)

  /// Every value that is read.
  package static let all: [GGUFPreTokenizer] = [
    .init(
      names: [
        "llama-bpe", "llama3", "llama-v3", "falcon3", "falcon-h1", "pixtral", "midm-2.0", "lfm2",
        "jina-v5-nano",
      ], patterns: [llama3], ignoresMerges: true, addsBeginning: true),
    .init(names: ["smaug-bpe", "dbrx", "chatglm-bpe", "glm4"], patterns: [llama3]),
    .init(
      names: ["jais-2"],
      patterns: [
        contractions + words + threeDigits + marks + #"|\s*[\r\n]+"#
          + [512, 256, 128, 64, 32, 16, 8, 4].map { #"|\s{\#($0)}(?!\S)"# }.joined()
          + #"|\s{1,2}(?!\S)|\s{1}"#
      ]),
    .init(
      names: ["qwen2", "deepseek-r1-qwen", "f2llmv2"], patterns: [qwen2], composes: true),
    .init(
      names: ["qwen35"],
      patterns: [
        contractions + #"|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*"#
          + spaces
      ]),
    .init(
      names: ["stablelm2", "megrez", "hunyuan", "solar-open", "grok-2", "kormo"],
      patterns: [qwen2]),
    .init(names: ["laguna"], patterns: [lines, qwen2]),
    .init(
      names: ["ufakzeka"], patterns: [String((words + #"|\p{N}"# + marks + spaces).dropFirst())]),
    .init(
      names: ["seed-coder"],
      patterns: [contractions + words + #"|\p{N}| ?[^\s\p{L}\p{N}\r\n]+"# + spaces]),
    .init(
      names: ["minicpm5"],
      patterns: [#"\p{N}{1,3}"#, contractions + words + #"|\p{N}+"# + marks + spaces],
      ignoresMerges: true),
    .init(
      names: ["exaone-moe"],
      patterns: [
        contractions + #"|[^\r\n\p{L}\p{N}]?(?:\p{L}\p{M}*(?: \p{L}\p{M}*)*)+|\p{N}"#
          + #"| ?[^\s\p{L}\p{N}]+[\r\n/]?|\s*[\r\n]|\s+(?!\S)|\s+"#
      ]),
    .init(
      names: ["bailingmoe", "bailingmoe2", "llada-moe"],
      patterns: [
        #"'(?i:[sdmt]|ll|ve|re)"# + words + #"|\p{N}"# + marks + #"|\s*[\r\n]|\s+(?!\S)|\s+"#
      ]),
    .init(
      names: ["gpt-4o", "llama4", "kanana2", "talkie", "minimax-m2"],
      patterns: [casedWords(contractions + "?") + threeDigits + slashedMarks + spaces]),
    .init(
      names: ["granite-embed-multi-97m"],
      patterns: [casedWords(contractions + "?") + threeDigits + slashedMarks + spaces],
      ignoresMerges: true),
    .init(
      names: ["tekken"], patterns: [casedWords("") + #"|\p{N}"# + slashedMarks + spaces],
      ignoresMerges: true, addsBeginning: true),
    .init(
      names: ["tiny_aya", "cohere2moe"],
      // \b behind a digit is the end of the text or a character of no word.
      patterns: [
        #"\d{1,3}(?=(?:\d{3})*(?!\w))"#,
        casedWords(contractions + "?") + threeDigits + slashedMarks + spaces,
      ]),
    .init(
      names: ["kimi-k2"],
      patterns: [
        #"\p{Han}+|"# + casedWords(contractions + "?", without: #"\p{Han}"#) + threeDigits + marks
          + spaces
      ]),
    .init(
      names: ["youtu"],
      patterns: [
        #"[\x{AC00}-\x{D7A3}\x{3131}-\x{318E}]+"#
          + #"|[\x{FF01}\x{2026}\x{201C}\x{201D}\x{2018}\x{2019}\x{2014}\x{FF1A}\x{FF1B}\x{FF0C}"#
          + #"\x{3001}-\x{303F}\x{FE30}-\x{FE4F}]+|[\x{3105}-\x{312F}]+|"# + kanaAndHan,
        casedWords(contractions + "?") + #"|\p{N}"# + slashedMarks + spaces,
      ], ignoresMerges: true),
    .init(
      names: ["deepseek-llm"],
      patterns: [
        #"[\r\n]"#, #"\s?["# + deepseekLetters + "]+",
        #"\s?[!-/:-~\x{FF01}-\x{FF0F}\x{FF1A}-\x{FF5E}\x{2018}-\x{201F}\x{3000}-\x{3002}]+"#,
        #"\s+$"#, deepseekIdeographs, #"\p{N}"#,
      ]),
    .init(
      names: ["deepseek-coder"],
      patterns: [#"[\r\n]"#, #"\s?\p{L}+"#, #"\s?\p{P}+"#, deepseekIdeographs, #"\p{N}"#]),
    .init(
      names: ["deepseek-v3", "hunyuan-dense", "joyai-llm", "hy_v4"],
      patterns: [#"\p{N}{1,3}"#, kanaAndHan, deepseek3 + #"[\r\n]*"# + spaces]),
    .init(
      names: ["spark2_5"],
      patterns: [
        #"\p{N}{1,3}"#, kanaAndHan, deepseek3 + #"|[\r\n]|\s+(?!\S)|\s+"#, #"\p{N}"#,
      ]),
    .init(
      names: ["afmoe"],
      patterns: [
        #"\p{N}{1,3}(?=(?:\p{N}{3})*(?!\p{N}))"#,
        #"[\x{4E00}-\x{9FFF}\x{3400}-\x{4DBF}\x{F900}-\x{FAFF}\x{3040}-\x{30FF}\x{FF65}-\x{FF9F}"#
          + #"\x{2F00}-\x{2FDF}\x{E40}-\x{EFF}\x{1780}-\x{17FF}\x{1000}-\x{109F}\x{AA60}-\x{AA7F}"#
          + #"\x{A9E0}-\x{A9FF}\x{AC00}-\x{D7AF}\x{1100}-\x{11FF}]+"#,
        deepseek3 + #"[\r\n]*"# + spaces,
      ]),
    .init(
      names: ["falcon"], patterns: [#"[\p{P}$+<=>^~|`]+"#, gpt2, "[0-9][0-9][0-9]"]),
    .init(
      names: ["default"],
      patterns: [#"[\p{P}$+<=>^~|]+"#, gpt2, #"\p{N}+"#, "[0-9][0-9][0-9]"]),
    .init(
      names: [
        "starcoder", "refact", "command-r", "smollm", "codeshell", "exaone", "minerva-7b",
        "mellum2",
      ], patterns: [#"\p{N}"#, gpt2]),
    .init(
      names: [
        "gpt-2", "phi-2", "olmo", "jina-es", "jina-de", "jina-v2-es", "jina-v2-de", "mpt",
        "gigachat", "modern-bert", "exaone4", "a.x-4.0", "mellum", "jais", "trillion",
        "granite-docling",
      ], patterns: [gpt2]),
    .init(
      names: ["jina-v1-en", "jina-v2-code", "roberta-bpe"], patterns: [gpt2], addsSeparator: true),
    .init(names: ["bloom", "gpt3-finnish", "poro-chat"], patterns: [bloom]),
    .init(names: ["viking"], patterns: [bloom, #"\p{N}"#]),
    .init(
      names: ["chameleon"],
      patterns: [
        "<sentinel:[0-9]+>", "IMGIMG[A-I]{1,4}Z", #"[\t\n]|    |  "#, #"\p{N}"#,
        #"[\p{P}!-/:-@\[-`{-~]"#, gpt2,
      ], addsBeginning: true),
    .init(
      names: ["superbpe"],
      // The second one splits a run of digits before each group of three that ends it.
      patterns: [
        #"\p{N}+"#, #"[\s\S](?:(?!(?:\d{3})+(?!\d))[\s\S])*"#,
      ]),
    gemma4,
    .init(names: ["sarvam-moe"], patterns: [lines], isOfCharacters: true),
  ]

  /// The values that are read, for messages.
  package static var supported: String { all.flatMap(\.names).sorted().joined(separator: ", ") }

  // MARK: Expressions and their alternatives

  private static let contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let words = #"|[^\r\n\p{L}\p{N}]?\p{L}+"#
  private static let threeDigits = #"|\p{N}{1,3}"#
  private static let marks = #"| ?[^\s\p{L}\p{N}]+[\r\n]*"#
  private static let slashedMarks = #"| ?[^\s\p{L}\p{N}]+[\r\n/]*"#
  private static let spaces = #"|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let lines = #"[^\n]+|[\n]+"#

  private static let gpt2 =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  private static let llama3 = contractions + words + threeDigits + marks + spaces
  private static let qwen2 = contractions + words + #"|\p{N}"# + marks + spaces
  private static let bloom =
    #" ?[^(\s|.,!?\x{2026}\x{3002}\x{FF0C}\x{3001}\x{964}\x{6D4}\x{60C})]+"#
  /// Up to what follows punctuation.
  private static let deepseek3 =
    ##"[!"#$%&'()*+,\-./:;<=>?@\[\\\]^_`{|}~][A-Za-z]+|[^\r\n\p{L}\p{P}\p{S}]?[\p{L}\p{M}]+"##
    + #"| ?[\p{P}\p{S}]+"#
  private static let kanaAndHan = #"[\x{4E00}-\x{9FA5}\x{3040}-\x{309F}\x{30A0}-\x{30FF}]+"#
  private static let deepseekIdeographs = #"[\x{4E00}-\x{9FA5}\x{800}-\x{4E00}\x{AC00}-\x{D7FF}]+"#

  /// Words that end where a capital letter follows a small one (o200k).
  ///
  /// - Parameters:
  ///   - suffix: what may follow a word.
  ///   - excluded: a set of characters that no such word has.
  private static func casedWords(_ suffix: String, without excluded: String? = nil) -> String {
    func letters(_ set: String, _ count: String) -> String {
      excluded.map { "(?:(?!\($0))[\(set)])\(count)" } ?? "[\(set)]\(count)"
    }
    let upper = #"\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}"#, lower = #"\p{Ll}\p{Lm}\p{Lo}\p{M}"#
    let first = #"[^\r\n\p{L}\p{N}]?"#
    return first + letters(upper, "*") + letters(lower, "+") + suffix + "|" + first
      + letters(upper, "+") + letters(lower, "*") + suffix
  }

  /// The letters with case of Unicode's version that DeepSeek LLM was made with.
  private static let deepseekLetters: String = {
    let ranges: [ClosedRange<UInt32>] = [
      0x41...0x5A, 0x61...0x7A, 0xB5...0xB5, 0xC0...0xD6, 0xD8...0xF6, 0xF8...0x1BA,
      0x1BC...0x1BF, 0x1C4...0x293, 0x295...0x2AF, 0x370...0x373, 0x376...0x377, 0x37B...0x37D,
      0x37F...0x37F, 0x386...0x386, 0x388...0x38A, 0x38C...0x38C, 0x38E...0x3A1, 0x3A3...0x3F5,
      0x3F7...0x481, 0x48A...0x52F, 0x531...0x556, 0x10A0...0x10C5, 0x13A0...0x13F5,
      0x13F8...0x13FD, 0x1C90...0x1CBA, 0x1CBD...0x1CBF, 0x1D00...0x1D2B, 0x1D6B...0x1D77,
      0x1D79...0x1D9A, 0x1E00...0x1F15, 0x1F18...0x1F1D, 0x1F20...0x1F45, 0x1F48...0x1F4D,
      0x1F50...0x1F57, 0x1F59...0x1F59, 0x1F5B...0x1F5B, 0x1F5D...0x1F5D, 0x1F5F...0x1F7D,
      0x1F80...0x1FB4, 0x1FB6...0x1FBC, 0x1FBE...0x1FBE, 0x1FC2...0x1FC4, 0x1FC6...0x1FCC,
      0x1FD0...0x1FD3, 0x1FD6...0x1FDB, 0x1FE0...0x1FEC, 0x1FF2...0x1FF4, 0x1FF6...0x1FFC,
      0x2102...0x2102, 0x2107...0x2107, 0x210A...0x2113, 0x2115...0x2115, 0x2119...0x211D,
      0x2124...0x2124, 0x2126...0x2126, 0x2128...0x2128, 0x212A...0x212D, 0x212F...0x2134,
      0x2139...0x2139, 0x213C...0x213F, 0x2145...0x2149, 0x214E...0x214E, 0x2183...0x2184,
      0x2C00...0x2C7B, 0x2C7E...0x2CE4, 0x2CEB...0x2CEE, 0x2CF2...0x2CF3, 0xA640...0xA66D,
      0xA680...0xA69B, 0xA722...0xA76F, 0xA771...0xA787, 0xA78B...0xA78E, 0xAB70...0xABBF,
      0xFB00...0xFB06, 0xFB13...0xFB17, 0xFF21...0xFF3A, 0xFF41...0xFF5A, 0x10400...0x1044F,
      0x104B0...0x104D3, 0x104D8...0x104FB, 0x10C80...0x10CB2, 0x10CC0...0x10CF2,
      0x118A0...0x118DF, 0x1E900...0x1E943,
    ]
    return ranges.map {
      #"\x{\#(String($0.lowerBound, radix: 16))}-\x{\#(String($0.upperBound, radix: 16))}"#
    }.joined()
  }()
}
