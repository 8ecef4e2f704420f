import VDSQCheckpoints
import VDSQFormat

/// What a language model's checkpoint says of texts beside its tokenizer: with which tokens they
/// begin and end, and how a chat is written.
struct LanguageModelSettings {
  let boundaries: TextBoundaries
  /// Nil if there is no chat template, or none that is supported.
  private(set) var chat: ChatFormat?
  /// Why the chat template is not supported.
  private(set) var refusal: String?
  /// What a person should know.
  private(set) var warnings: [String] = []

  /// - Throws: `badInput` if a file is malformed.
  init(
    _ checkpoint: Checkpoint, _ settings: TokenizerSettings, _ tokenizer: JSON,
    vocabularySize: Int
  ) throws(VDSQError) {
    boundaries = try TextBoundaries(
      checkpoint, settings, tokenizer, vocabularySize: vocabularySize)
    guard let (source, place) = try checkpoint.chatTemplate() else { return }
    var tokens: [String: String] = [:]
    let generation = try checkpoint.optionalJSON("generation_config.json")
    for key in ["bos_token", "eos_token", "pad_token", "unk_token"] {
      let ids = generation?["\(key)_id"]
      tokens[key] =
        settings.namesTokens
        ? settings.specialToken(key)
        : (ids?.elements?.first ?? ids)?.integer.flatMap { tokenizer.token(of: $0) }
    }
    do throws(JinjaError) {
      chat = try ChatTemplate(source, tokens: tokens).format()
    } catch {
      refusal = error.reason
      warnings.append(
        "\(place) is not supported, and left out; chats are refused: \(error.reason)")
    }
  }

  /// Adds them to metadata.
  func store(in metadata: inout Metadata) {
    boundaries.store(in: &metadata)
    chat?.store(in: &metadata)
    if let refusal { metadata.set("chat.refusal", .text(refusal)) }
  }
}

extension JSON {
  /// The text of a token of a `tokenizer.json`.
  fileprivate func token(of id: Int) -> String? {
    let added = self["added_tokens"]?.elements?.first { $0["id"]?.integer == id }
    return added?["content"]?.text
      ?? self["model"]?["vocab"]?.members?.first { $0.value.integer == id }?.key
  }
}
