/// Which added tokens take the whitespace beside them. GGUF files do not say, so llama.cpp tells by
/// names (src/llama-vocab.cpp, "Handle per token attributes").
struct GGUFTokenStrip {
  private enum Rule {
    case none
    /// The token takes the whitespace before it.
    case mask(String)
    /// All tokens but some take the whitespace behind them.
    case phi3
  }

  private let rule: Rule

  init(_ metadata: [String: GGUF.Value]) {
    func text(_ key: String) -> String {
      if case .text(let text)? = metadata[key] { text.lowercased() } else { "" }
    }
    func has(_ key: String, _ parts: String...) -> Bool {
      parts.contains { text(key).contains($0) }
    }
    if has("tokenizer.ggml.pre", "jina-v2-de", "jina-v2-es", "jina-v2-code")
      || has("general.architecture", "nomic-bert-moe", "jina-bert-v3")
    {
      rule = .mask("<mask>")
    } else if has("general.name", "phi-3", "phi3") {
      rule = .phi3
    } else if has("general.name", "modern-bert") {
      rule = .mask("[MASK]")
    } else {
      rule = .none
    }
  }

  /// Whether a token takes the whitespace before it.
  func left(_ token: String) -> Bool {
    if case .mask(token) = rule { true } else { false }
  }

  /// Whether a token takes the whitespace behind it.
  func right(_ token: String) -> Bool {
    if case .phi3 = rule { !["<unk>", "<s>", "<|endoftext|>"].contains(token) } else { false }
  }
}
