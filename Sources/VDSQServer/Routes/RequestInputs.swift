import VDSQCheckpoints

/// The texts of a request.
struct RequestInputs {
  let inputs: [Job.Input]
  /// Whether the request has one text by itself, and so its answer no list.
  let isSingle: Bool

  /// Texts, a text, token ids, or lists of token ids.
  ///
  /// - Throws: `invalid` for anything else; `batchTooLarge` and `textTooLong` beyond the limits.
  init(
    _ json: JSON, field: String, limits: ServerOptions.Limits, takesIDs: Bool = true
  ) throws(RequestError) {
    if let text = json.text {
      inputs = [try Self.text(text, field, limits)]
      isSingle = true
      return
    }
    guard let elements = json.elements else {
      throw .invalid(field, "is neither a string nor an array")
    }
    guard !elements.isEmpty else { throw .invalid(field, "is empty") }
    if takesIDs, elements[0].double != nil {
      inputs = [.ids(try Self.ids(elements, field, limits))]
      isSingle = true
      return
    }
    try Self.check(elements.count, limits)
    var inputs: [Job.Input] = []
    inputs.reserveCapacity(elements.count)
    for (index, element) in elements.enumerated() {
      if let text = element.text {
        inputs.append(try Self.text(text, "\(field): element \(index)", limits))
      } else if takesIDs, let ids = element.elements {
        inputs.append(.ids(try Self.ids(ids, "\(field): element \(index)", limits)))
      } else {
        throw .invalid(
          field,
          "element \(index) is no string" + (takesIDs ? ", and no array of token ids" : ""))
      }
    }
    self.inputs = inputs
    isSingle = false
  }

  /// The inputs of `/predict`: a text, a pair of texts, or a list of arrays of one or two texts.
  init(predicting json: JSON, field: String, limits: ServerOptions.Limits) throws(RequestError) {
    if let text = json.text {
      (inputs, isSingle) = ([try Self.text(text, field, limits)], true)
      return
    }
    guard let elements = json.elements else {
      throw .invalid(field, "is neither a string nor an array")
    }
    if elements.count == 2, elements.allSatisfy({ $0.text != nil }) {
      (inputs, isSingle) = ([try Self.pair(elements, field, limits)], true)
      return
    }
    guard !elements.isEmpty else { throw .invalid(field, "is empty") }
    try Self.check(elements.count, limits)
    var inputs: [Job.Input] = []
    for (index, element) in elements.enumerated() {
      let field = "\(field): element \(index)"
      guard let texts = element.elements, texts.count == 1 || texts.count == 2 else {
        throw .invalid(
          field, "is no array of one or two strings; write [[\"one text\"], [\"a\", \"pair\"]]")
      }
      if texts.count == 1, let text = texts[0].text {
        inputs.append(try Self.text(text, field, limits))
      } else {
        inputs.append(try Self.pair(texts, field, limits))
      }
    }
    (self.inputs, isSingle) = (inputs, false)
  }

  static func check(_ count: Int, _ limits: ServerOptions.Limits) throws(RequestError) {
    guard count <= limits.texts else {
      throw RequestError(
        .batchTooLarge, "\(count) texts; a request has at most \(limits.texts)")
    }
  }

  static func text(
    _ text: String, _ field: String, _ limits: ServerOptions.Limits
  ) throws(RequestError) -> Job.Input {
    .text(try bytes(text, field, limits))
  }

  static func bytes(
    _ text: String, _ field: String, _ limits: ServerOptions.Limits
  ) throws(RequestError) -> [UInt8] {
    let bytes = Array(text.utf8)
    guard bytes.count <= limits.textBytes else {
      throw RequestError(
        .textTooLong, "\(field): \(bytes.count) bytes; a text has at most \(limits.textBytes)",
        field: field)
    }
    return bytes
  }

  private static func pair(
    _ texts: [JSON], _ field: String, _ limits: ServerOptions.Limits
  ) throws(RequestError) -> Job.Input {
    guard texts.count == 2, let first = texts[0].text, let second = texts[1].text else {
      throw .invalid(field, "is no pair of strings")
    }
    return .pair(try bytes(first, field, limits), try bytes(second, field, limits))
  }

  private static func ids(
    _ elements: [JSON], _ field: String, _ limits: ServerOptions.Limits
  ) throws(RequestError) -> [Int32] {
    guard !elements.isEmpty else { throw .invalid(field, "has no token ids") }
    guard elements.count <= limits.textBytes else {
      throw RequestError(.textTooLong, "\(field): \(elements.count) token ids", field: field)
    }
    var ids: [Int32] = []
    ids.reserveCapacity(elements.count)
    for element in elements {
      guard let id = element.integer.flatMap({ Int32(exactly: $0) }), id >= 0 else {
        throw .invalid(field, "a token id is an integer from 0 on")
      }
      ids.append(id)
    }
    return ids
  }
}
