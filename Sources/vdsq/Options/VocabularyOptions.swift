import ArgumentParser
import VDSQFormat
import VDSQSemantics

/// The vocabulary bases that states are compared with.
struct VocabularyOptions: ParsableArguments {
  @Option(
    help: "Bases that vdsq bases made, instead of the model's own.", completion: .file())
  var bases: String?

  @Option(
    help: """
      Compare a language model's states with bases of this method: head (rows of the LM head) or \
      embedding (rows of the word embeddings), which every model has, or the method of its own.
      """)
  var basesMethod: String?

  /// Whether no bases are named.
  var isEmpty: Bool { bases == nil && basesMethod == nil }

  /// The size of the named file of bases; 0 if none is named.
  var bytes: Int { Int(bases.flatMap { FileStamp(path: $0)?.length } ?? 0) }

  func validate() throws {
    guard bases == nil || basesMethod == nil else {
      throw ValidationError("--bases and --bases-method exclude each other")
    }
  }

  /// Nil if none are named.
  ///
  /// - Throws: `usage` if the model's file does not have bases of the method.
  func choice(_ model: String) throws(VDSQError) -> BasesChoice? {
    if let bases { return .file(bases) }
    guard let basesMethod else { return nil }
    return try BasesChoice(
      method: basesMethod, of: try Container(path: model, kind: .model, decoding: .noWeights))
  }
}
