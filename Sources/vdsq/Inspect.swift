import ArgumentParser
import VDSQCheckpoints
import VDSQConversion
import VDSQFiles
import VDSQFormat

struct Inspect: Command {
  static let configuration = CommandConfiguration(
    abstract: "Shows the contents of a file: configuration, sections, tensors, quantization error."
  )

  @Argument(help: "A .vdsq file, an adapter, or a file of bases.")
  var file: String

  @Option(help: "Write the values of this tensor to --output, as float32.")
  var tensor: String?

  @Option(name: .shortAndLong, help: "With --tensor: the .npy file to write.")
  var output: String?

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(help: "Write JSON.")
  var json = false

  @Flag(help: "Check the checksum of every section, weights included.")
  var verify = false

  @OptionGroup var memory: MemoryOptions

  func validate() throws {
    guard (tensor == nil) == (output == nil) else {
      throw ValidationError("--tensor goes with --output")
    }
  }

  func execute() throws(VDSQError) {
    let description = try Container(path: file, decoding: .noWeights)
    try memory.checkReading([description], decodes: tensor != nil)
    let container = tensor == nil ? description : try Container(path: file)
    if verify { try container.verify() }
    if let tensor, let output { return try export(tensor, of: container, to: output) }
    // Only models have a provenance.
    let provenance =
      container.header.kind == .model
      ? try JSON(parsing: try container.bytes(of: .provenance), context: "\(file): provenance")
      : JSON.object([])
    let checkpointBytes = provenance["checkpoint_bytes"]?.integer ?? 0
    if json {
      try printJSON(container, checkpointBytes)
    } else {
      printTable(container, provenance, checkpointBytes)
    }
  }

  private func export(
    _ name: String, of container: Container, to path: String
  ) throws(VDSQError) {
    let rows = try StoredRows(container, name)
    let record = rows.view.record
    let file = try NPYWriter(path: path, columns: record.columns, replace: force)
    var values: [Float] = []
    for row in 0..<record.rows {
      rows.release(before: row)
      rows.row(row, into: &values)
      try values.withUnsafeBufferPointer { (values) throws(VDSQError) in try file.append(values) }
    }
    try file.finish()
  }

  private func bytes(of tensor: TensorRecord) -> Int {
    let scales = tensor.element.hasScales ? tensor.storedRows * 4 : 0
    let sums = tensor.element == .int8 && tensor.order.isPanels ? tensor.storedRows * 4 : 0
    let factors =
      tensor.groups?.bytes(storedRows: tensor.storedRows, columns: tensor.columns) ?? 0
    return tensor.dataLength + scales + sums + factors
  }

  private func printTable(_ container: Container, _ provenance: JSON, _ checkpointBytes: Int) {
    print("\(file)")
    for (key, value) in container.metadata.entries { print("  \(padded(key, 20)) \(value.text)") }
    for source in provenance["files"]?.elements ?? [] {
      print(
        "  \(padded("source", 20)) \(source["name"]?.text ?? "") sha256 "
          + (source["sha256"]?.text ?? ""))
    }
    print("\n\(padded("section", 16)) \(padded("kind", 12)) \(rightAligned("bytes", 12)) crc32")
    for section in container.sections {
      print(
        "\(padded(section.name, 16)) \(padded("\(section.kind.name)", 12)) "
          + "\(rightAligned("\(section.length)", 12)) \(hex(section.checksum))"
          + (section.encoding == .lz4 ? "  LZ4, \(section.rawLength) decoded" : ""))
    }
    print(
      "\n\(padded("tensor", 36)) \(padded("type", 5)) \(padded("order", 9)) "
        + "\(padded("shape", 14)) \(rightAligned("bytes", 10)) \(rightAligned("max abs", 10)) "
        + "\(rightAligned("rms", 10)) \(rightAligned("cosine", 10))")
    for tensor in container.tensors {
      let shape = tensor.shape.map(String.init).joined(separator: " x ")
      print(
        "\(padded(tensor.name, 36)) \(padded("\(tensor.element.name)", 5)) "
          + "\(padded("\(tensor.order.name)", 9)) \(padded(shape, 14)) "
          + "\(rightAligned("\(bytes(of: tensor))", 10)) "
          + "\(rightAligned(significant(Double(tensor.error.maxAbs)), 10)) "
          + "\(rightAligned(significant(Double(tensor.error.rms)), 10)) "
          + "\(rightAligned(fixed(Double(tensor.error.cosine), 6), 10))")
    }
    let total = container.header.fileLength
    let share = Double(total) / Double(max(1, checkpointBytes)) * 100
    print(
      "\n\(container.tensors.count) tensors, \(total) bytes"
        + (checkpointBytes > 0
          ? ", \(fixed(share, 1))% of the checkpoint's \(checkpointBytes)" : ""))
    if verify { print("all \(container.sections.count) checksums match") }
  }

  private func printJSON(_ container: Container, _ checkpointBytes: Int) throws(VDSQError) {
    let metadata = container.metadata.entries.map { entry in
      let isText = if case .text = entry.value { true } else { false }
      let value = isText ? Provenance.quoted(entry.value.text) : entry.value.text
      return "\(Provenance.quoted(entry.key)): \(value)"
    }
    let sections = container.sections.map {
      "{\"name\": \(Provenance.quoted($0.name)), \"kind\": \"\($0.kind.name)\", "
        + "\"offset\": \($0.offset), \"bytes\": \($0.length), \"decoded_bytes\": \($0.rawLength), "
        + "\"crc32\": \"\(hex($0.checksum))\"}"
    }
    let tensors = container.tensors.map {
      "{\"name\": \(Provenance.quoted($0.name)), \"type\": \"\($0.element.name)\", "
        + "\"order\": \"\($0.order.name)\", \"shape\": \($0.shape), \"bytes\": \(bytes(of: $0)), "
        + "\"section\": \(Provenance.quoted(container.sections[$0.section].name)), "
        + "\"group_size\": \($0.groups.map { "\($0.length)" } ?? "null"), "
        + "\"error\": {\"max_abs\": \($0.error.maxAbs), \"rms\": \($0.error.rms), "
        + "\"cosine\": \($0.error.cosine)}}"
    }
    let provenance =
      container.header.kind == .model
      ? String(decoding: try container.bytes(of: .provenance), as: UTF8.self) : "null"
    print(
      """
      {"file": \(Provenance.quoted(file)), "format_version": \(ContainerLayout.version), \
      "bytes": \(container.header.fileLength), "checkpoint_bytes": \(checkpointBytes), \
      "verified": \(verify), "metadata": {\(metadata.joined(separator: ", "))}, \
      "provenance": \(provenance), "sections": [\(sections.joined(separator: ", "))], \
      "tensors": [\(tensors.joined(separator: ", "))]}
      """)
  }

  private func hex(_ value: UInt32) -> String {
    let digits = String(value, radix: 16)
    return String(repeating: "0", count: 8 - digits.count) + digits
  }
}
