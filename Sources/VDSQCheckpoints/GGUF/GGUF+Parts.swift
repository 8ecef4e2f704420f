package import VDSQFormat

extension GGUF {
  /// Opens a file, and the other parts beside it if it is one of several that gguf-split made:
  /// `NAME-00001-of-00003.gguf` and so on. The first part has the metadata.
  ///
  /// - Parameter path: any of the parts.
  /// - Throws: `missingInput` if a part is missing; `badInput` if one is malformed, or belongs to
  ///   another file.
  package static func whole(path: String) throws(VDSQError) -> GGUF {
    let given = try GGUF(path: path)
    guard let (number, count) = try given.place(), count > 1 else { return given }
    let suffix = "-\(fiveDigits(number + 1))-of-\(fiveDigits(count)).gguf"
    guard path.endsWithBytes(of: suffix) else {
      throw .badInput(
        "\(path): this is part \(number + 1) of \(count) of a split GGUF file; its name must end with "
          + "\(suffix), so that the others are found beside it")
    }
    let base = String(Substring(path.utf8.dropLast(suffix.utf8.count)))
    var whole: GGUF?
    for index in 0..<count {
      let name = "\(base)-\(fiveDigits(index + 1))-of-\(fiveDigits(count)).gguf"
      guard InputFile.exists(name) else {
        throw VDSQError(
          .missingInput,
          "\(name): part \(index + 1) of \(count) of a split GGUF file is missing; all must lie in one "
            + "folder")
      }
      let part = index == number ? given : try GGUF(path: name)
      guard let place = try part.place(), place == (index, count) else {
        throw .badInput("\(name): this is not part \(index + 1) of \(count) of a split GGUF file")
      }
      if whole == nil { whole = part } else { try whole!.add(part) }
    }
    if case .integer(let wanted)? = whole!.metadata["split.tensors.count"],
      wanted != whole!.tensors.count
    {
      throw .badInput(
        "\(path): the parts of this split GGUF file have \(whole!.tensors.count) tensors, not \(wanted)"
      )
    }
    return whole!
  }

  /// The index of this part, from 0, and the number of parts; nil if the file is not split.
  private func place() throws(VDSQError) -> (Int, Int)? {
    guard let count = metadata["split.count"] else { return nil }
    guard case .integer(let count) = count, count >= 0, count <= 99_999 else {
      throw .badInput("\(file.path): metadata split.count is out of range")
    }
    var number = 0
    if case .integer(let given)? = metadata["split.no"] { number = given }
    guard number >= 0, number < max(count, 1) else {
      throw .badInput("\(file.path): metadata split.no is out of range")
    }
    return (number, count)
  }

  private static func fiveDigits(_ number: Int) -> String {
    String(repeating: "0", count: max(0, 5 - "\(number)".utf8.count)) + "\(number)"
  }
}
