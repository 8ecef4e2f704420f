import VDSQCheckpoints
import VDSQFormat

/// The pooling of a sentence-transformers folder, which turns token states into one vector.
///
/// A folder without `modules.json` has mean pooling, as in sentence-transformers.
struct SentenceSettings {
  private(set) var pooling = Pooling.mean
  private(set) var normalize = false
  let maximumTokens: Int
  private(set) var lowercases = false
  /// Whether the folder declares a sentence encoder.
  private(set) var isSentenceModel = false

  /// - Throws: `badInput` if the folder uses an unsupported module or pooling.
  init(_ folder: Checkpoint, positions: Int) throws(VDSQError) {
    let settings = try folder.optionalJSON("sentence_bert_config.json")
    let wanted =
      if let length = settings?["max_seq_length"]?.integer {
        length
      } else {
        try folder.tokenizer()["truncation"]?["max_length"]?.integer ?? positions
      }
    guard wanted >= 2 else {
      throw .badInput("\(folder.path): max_seq_length \(wanted) leaves no room for a text")
    }
    maximumTokens = min(wanted, positions)
    lowercases = settings?["do_lower_case"]?.boolean ?? false
    guard let modules = try folder.optionalJSON("modules.json") else { return }
    isSentenceModel = true
    for module in modules.elements ?? [] {
      let type = module["type"]?.text ?? ""
      let kind = type.split(separator: ".").last.map(String.init) ?? ""
      switch kind {
      case "Transformer": continue
      case "Normalize": normalize = true
      case "Pooling":
        let name = "\(module["path"]?.text ?? "1_Pooling")/config.json"
        guard !name.hasPrefix("/"), !name.contains("..") else {
          throw .badInput("\(folder.path)/modules.json: the path \(name) leaves the folder")
        }
        guard let config = try folder.optionalJSON(name) else {
          throw VDSQError(.missingInput, "\(folder.path)/\(name): no such file")
        }
        pooling = try Self.pooling(config, "\(folder.path)/\(name)")
      default:
        throw .badInput(
          "\(folder.path)/modules.json: module \(type) is not supported; supported: Transformer, "
            + "Pooling, Normalize")
      }
    }
  }

  private static func pooling(_ config: JSON, _ path: String) throws(VDSQError) -> Pooling {
    let modes: [(key: String, pooling: Pooling)] = [
      ("pooling_mode_cls_token", .cls), ("pooling_mode_mean_tokens", .mean),
      ("pooling_mode_max_tokens", .max), ("pooling_mode_mean_sqrt_len_tokens", .meanSquareRoot),
    ]
    var chosen = modes.filter { config[$0.key]?.boolean == true }.map(\.pooling.name)
    if chosen.isEmpty, let mode = config["pooling_mode"]?.text { chosen = [mode] }
    guard chosen.count == 1, let mode = modes.first(where: { $0.pooling.name == chosen[0] }) else {
      throw .badInput(
        "\(path): pooling \(chosen.joined(separator: " + ")); supported: one of cls, mean, max, "
          + "mean_sqrt_len")
    }
    return mode.pooling
  }
}
