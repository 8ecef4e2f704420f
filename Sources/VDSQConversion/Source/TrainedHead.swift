import VDSQCheckpoints
import VDSQFormat

extension ModelSource {
  /// The checkpoint's tensors that are not used, sorted by name.
  var leftOut: [LeftOutTensor] {
    let used = used
    return folder.tensors.values.map(\.name).filter { !used.contains($0) }.sorted()
      .map { LeftOutTensor($0) }
  }

  /// Refuses to lose the head that a model was finetuned with, or says that it is lost.
  ///
  /// - Parameter dropsHead: whether the head may be lost.
  /// - Returns: a warning, or nil if there is no such head.
  /// - Throws: `badInput`, naming the head.
  func checkHead(dropsHead: Bool) throws(VDSQError) -> String? {
    let head = leftOut.filter { $0.kind.isFinetuned }
    guard let first = head.first else { return nil }
    let name = folder.config["architectures"]?.elements?.first?.text
    let model = name.map { "the \($0)" } ?? "the model"
    let labels = (folder.config["id2label"]?.members ?? [])
      .sorted { (Int($0.key) ?? 0) < (Int($1.key) ?? 0) }.compactMap(\.value.text)
    let names =
      labels.isEmpty
      ? "" : ", for " + labels.prefix(5).joined(separator: ", ") + (labels.count > 5 ? ", ..." : "")
    let tensors = head.map(\.name).joined(separator: ", ")
    let what = "a trained \(first.kind.rawValue) (\(tensors)\(names))"
    guard dropsHead else {
      throw VDSQError(
        .badInput,
        "\(folder.path): \(model) has \(what), which is not converted; its vectors alone are not what "
          + "it was trained for", .trainedHead)
    }
    return
      "\(folder.path): left out \(what); the vectors are not what \(model) was trained for"
  }
}
