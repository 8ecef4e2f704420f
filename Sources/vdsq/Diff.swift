import ArgumentParser
import VDSQConversion
import VDSQFormat

struct Diff: Command {
  static let configuration = CommandConfiguration(
    abstract: "Compares two files: configuration, tokenizer, and every tensor's values.",
    discussion: """
      Values are compared as floats, for all storage types. Tensors that differ most come first. \
      Exits with 0 if the contents are the same and with 1 if they differ.
      """)

  @Argument(help: "A .vdsq file, an adapter, or a file of bases.")
  var first: String

  @Argument(help: "Another one.")
  var second: String

  @Flag(help: "Write JSON.")
  var json = false

  @OptionGroup var memory: MemoryOptions

  func execute() throws(VDSQError) {}

  func run() throws {
    do throws(VDSQError) {
      let descriptions = [
        try Container(path: first, decoding: .noWeights),
        try Container(path: second, decoding: .noWeights),
      ]
      try memory.checkReading(descriptions, decodes: true)
      let difference = try ContainerDifference(
        try Container(path: first), try Container(path: second))
      if json { printJSON(difference) } else { print(difference) }
      if !difference.isEmpty { throw VDSQError(.internalFault, "") }
    } catch {
      // Not a failure: the exit code of `diff` for files that differ.
      if error.message.isEmpty { throw ExitCode(1) }
      StandardError.write("vdsq: \(error.commandLineMessage)\n")
      throw ExitCode(error.category.rawValue)
    }
  }

  private func print(_ difference: ContainerDifference) {
    for change in difference.metadata {
      Swift.print(
        "metadata \(change.key): \(change.first ?? "missing") | \(change.second ?? "missing")")
    }
    if !difference.sameTokenizer { Swift.print("the tokenizers differ") }
    for name in difference.onlyFirst { Swift.print("tensor \(name): only in \(first)") }
    for name in difference.onlySecond { Swift.print("tensor \(name): only in \(second)") }
    let changed = difference.tensors.filter { !$0.isSame }
    if !changed.isEmpty {
      Swift.print(
        "\(padded("tensor", 36)) \(padded("stored", 12)) \(rightAligned("max abs", 10)) "
          + "\(rightAligned("rms", 10)) \(rightAligned("cosine", 10))")
    }
    for tensor in changed {
      guard let error = tensor.error else {
        Swift.print("\(padded(tensor.name, 36)) shape \(tensor.shapes.0) | \(tensor.shapes.1)")
        continue
      }
      Swift.print(
        "\(padded(tensor.name, 36)) \(padded("\(tensor.stored.0) | \(tensor.stored.1)", 12)) "
          + "\(rightAligned(significant(Double(error.maxAbs)), 10)) "
          + "\(rightAligned(significant(Double(error.rms)), 10)) "
          + "\(rightAligned(fixed(Double(error.cosine), 6), 10))")
    }
    let same = difference.tensors.count - changed.count
    Swift.print(
      difference.isEmpty
        ? "the same contents: \(same) tensors"
        : "\(same) tensors are the same, \(changed.count) differ")
  }

  private func printJSON(_ difference: ContainerDifference) {
    func text(_ value: String?) -> String { value.map { Provenance.quoted($0) } ?? "null" }
    func names(_ list: [String]) -> String {
      "[\(list.map { Provenance.quoted($0) }.joined(separator: ", "))]"
    }
    let metadata = difference.metadata.map {
      "{\"key\": \(text($0.key)), \"first\": \(text($0.first)), \"second\": \(text($0.second))}"
    }
    let tensors = difference.tensors.filter { !$0.isSame }.map { tensor in
      let error = tensor.error.map {
        "{\"max_abs\": \($0.maxAbs), \"rms\": \($0.rms), \"cosine\": \($0.cosine)}"
      }
      return
        "{\"name\": \(text(tensor.name)), \"shapes\": [\(tensor.shapes.0), \(tensor.shapes.1)], "
        + "\"stored\": [\"\(tensor.stored.0)\", \"\(tensor.stored.1)\"], \"error\": \(error ?? "null")}"
    }
    Swift.print(
      """
      {"same": \(difference.isEmpty), "same_tokenizer": \(difference.sameTokenizer), \
      "metadata": [\(metadata.joined(separator: ", "))], "only_first": \(names(difference.onlyFirst)), \
      "only_second": \(names(difference.onlySecond)), "tensors": [\(tensors.joined(separator: ", "))]}
      """)
  }
}
