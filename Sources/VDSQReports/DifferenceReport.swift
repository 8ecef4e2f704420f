import VDSQFormat
package import VDSQConversion
package import VDSQStreams

/// The report of `vdsq diff` on two containers.
package struct DifferenceReport: Report {
  let difference: ContainerDifference
  /// The files' paths.
  let first: String
  let second: String

  package init(_ difference: ContainerDifference, first: String, second: String) {
    self.difference = difference
    self.first = first
    self.second = second
  }

  /// Tensors whose shape or values differ.
  private var changed: [ContainerDifference.Tensor] { difference.tensors.filter { !$0.isSame } }

  package var text: String {
    var lines = difference.metadata.map {
      "metadata \($0.key): \($0.first ?? "missing") | \($0.second ?? "missing")"
    }
    if !difference.sameTokenizer { lines.append("the tokenizers differ") }
    lines += difference.onlyFirst.map { "tensor \($0): only in \(first)" }
    lines += difference.onlySecond.map { "tensor \($0): only in \(second)" }
    let changed = changed
    if !changed.isEmpty {
      lines.append(
        "\(padded("tensor", 36)) \(padded("stored", 12)) \(rightAligned("max abs", 10)) "
          + "\(rightAligned("rms", 10)) \(rightAligned("cosine", 10))")
    }
    lines += changed.map(line)
    let same = difference.tensors.count - changed.count
    lines.append(
      difference.isEmpty
        ? "the same contents: \(counted(same, "tensor"))"
        : "\(counted(same, "tensor")) the same, \(changed.count) differ")
    return lines.joined(separator: "\n")
  }

  private func line(_ tensor: ContainerDifference.Tensor) -> String {
    guard let error = tensor.error else {
      return "\(padded(tensor.name, 36)) shape \(tensor.shapes.0) | \(tensor.shapes.1)"
    }
    return "\(padded(tensor.name, 36)) \(padded("\(tensor.stored.0) | \(tensor.stored.1)", 12)) "
      + errorColumns(error)
  }

  package func write(to json: JSONWriter) {
    json.object {
      json.member("same", difference.isEmpty)
      json.member("same_tokenizer", difference.sameTokenizer)
      json.key("metadata")
      json.array {
        for change in difference.metadata {
          json.object {
            json.member("key", change.key)
            json.member("first", change.first)
            json.member("second", change.second)
          }
        }
      }
      json.member("only_first", difference.onlyFirst)
      json.member("only_second", difference.onlySecond)
      json.key("tensors")
      json.array {
        for tensor in changed {
          json.object {
            json.member("name", tensor.name)
            json.member("shapes", [tensor.shapes.0, tensor.shapes.1])
            json.member("stored", [tensor.stored.0, tensor.stored.1])
            json.key("error")
            if let error = tensor.error {
              json.object { json.members(of: error) }
            } else {
              json.null()
            }
          }
        }
      }
    }
  }
}
