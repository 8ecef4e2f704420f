package import VDSQFormat
package import VDSQStreams

extension RecordFields {
  /// Reads a record of two fields, the text of an example and its label or labels.
  ///
  /// - Returns: the text, and whether a part of it was no character and became U+FFFD.
  /// - Throws: `badInput` if the record is malformed, a field is missing, or the text is none.
  package func readExample(
    _ line: UnsafeRawBufferPointer
  ) throws(VDSQError) -> (text: String, isReplaced: Bool) {
    try read(line)
    for i in 0..<2 where values[i] == nil {
      throw VDSQError(.badInput, "no field \(path(i))", .exampleFields)
    }
    var bytes: [UInt8] = []
    let halves = try text(0, into: &bytes)
    guard bytes.withUnsafeBytes({ UTF8Decoder.replacements(in: $0) }) == 0 else {
      throw .badInput("the field \(path(0)) is not UTF-8")
    }
    return (String(decoding: bytes, as: UTF8.self), halves > 0)
  }

  /// The text of a field, which has something to read.
  ///
  /// - Parameter index: the index of its path.
  /// - Throws: `badInput` if the field is missing or has no text.
  func readableText(_ index: Int) throws(VDSQError) -> String {
    var bytes: [UInt8] = []
    _ = try text(index, into: &bytes)
    guard !TextFile.isBlank(bytes) else {
      throw .badInput("the field \(path(index)) has nothing to read")
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
