package import VDSQFormat
package import VDSQSemantics

/// What a verbalized learner answers: one of some classes, or a number.
package enum VerbalTarget: Sendable, Equatable {
  /// One of these names.
  case classes([String])
  /// A number of at most so many digits before the decimal point, and so many behind it.
  case number(digits: Int, decimals: Int)

  /// What is asked for.
  package enum Task: String, Sendable, CaseIterable {
    case classification, regression
  }

  /// The largest number of digits before the decimal point of a number, and behind it.
  private static let mostDigits = 12

  /// - Parameters:
  ///   - examples: labelled texts.
  ///   - task: nil for regression if all labels are decimal numbers, and one has a fraction.
  /// - Throws: `badInput` if a label of a regression is no decimal number, or if there is only one
  ///   class.
  package init(of examples: [Examples.Example], task: Task?) throws(VDSQError) {
    let parts = examples.map { Self.parts($0.label) }
    // What floats read, and integers do not, is no name of a class.
    let isNumber =
      examples.allSatisfy { Double($0.label)?.isFinite ?? false }
      && examples.contains { Int($0.label) == nil }
    guard task ?? (isNumber ? .regression : .classification) == .regression else {
      let names = Examples.labels(of: examples).map(\.name)
      guard names.count > 1 else {
        throw .badInput("all examples have the label \(names.first ?? ""); two are needed")
      }
      self = .classes(names)
      return
    }
    var (digits, decimals) = (1, 0)
    for (index, part) in parts.enumerated() {
      guard let part else {
        throw .badInput(
          "\(examples[index].place(index)): the label \(examples[index].label) is no decimal "
            + "number such as -1.25, of at most \(Self.mostDigits) digits before and behind the point")
      }
      (digits, decimals) = (max(digits, part.digits), max(decimals, part.decimals))
    }
    self = .number(digits: digits, decimals: decimals)
  }

  /// Checks that labels can be answers.
  ///
  /// - Throws: `badInput`, naming the first that cannot.
  package func check(_ examples: [Examples.Example]) throws(VDSQError) {
    for (index, example) in examples.enumerated() {
      let isPossible =
        switch self {
        case .classes(let names): names.contains { $0.hasSameBytes(as: example.label) }
        case .number: Self.parts(example.label) != nil
        }
      guard isPossible else {
        throw .badInput(
          "\(example.place(index)): the label \(example.label) is no answer that training texts "
            + "have")
      }
    }
  }

  /// The number of digits of a decimal number; nil if a text is none.
  private static func parts(_ text: String) -> (digits: Int, decimals: Int)? {
    var bytes = Array(text.utf8)[...]
    if bytes.first == UInt8(ascii: "-") { bytes.removeFirst() }
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count <= 2,
      parts.allSatisfy({ part in
        (1...mostDigits).contains(part.count)
          && part.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      })
    else { return nil }
    return (parts[0].count, parts.count == 2 ? parts[1].count : 0)
  }

  /// A regular expression for the answer.
  ///
  /// - Parameter explanation: the maximum number of characters of an explanation before it; 0 for
  ///   none.
  package func constraint(explanation: Int) throws(VDSQError) -> TextConstraint {
    let output =
      switch self {
      case .classes(let names): "(\(names.map(Self.escaped).joined(separator: "|")))"
      case .number(let digits, 0): "-?\\d{1,\(digits)}"
      case .number(let digits, let decimals): "-?\\d{1,\(digits)}\\.\\d{\(decimals)}"
      }
    let before = explanation > 0 ? "Explanations: [^\\x00-\\x1F]{1,\(explanation)}\\n" : ""
    return try TextConstraint(pattern: before + VerbalPrompts.output + output)
  }

  /// An expression that matches a text alone.
  private static func escaped(_ text: String) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      // All ASCII characters but letters, digits and controls mean themselves behind a backslash.
      let isMark = (0x20..<0x7F).contains(scalar.value) && !scalar.properties.isAlphabetic
      if isMark, !(0x30...0x39).contains(scalar.value) { result += "\\" }
      result.unicodeScalars.append(scalar)
    }
    return result
  }

  /// How far an answer is from the label: 0 or 1 for classes, the squared difference of numbers.
  package func loss(_ answer: String, _ label: String) -> Double {
    switch self {
    case .classes: return answer.hasSameBytes(as: label) ? 0 : 1
    case .number:
      let difference = (Double(answer) ?? .infinity) - (Double(label) ?? .infinity)
      return difference * difference
    }
  }

  /// The mean loss of the best answer that does not look at the texts: the most frequent class, or
  /// the mean number, of the training texts.
  package func constantLoss(_ labels: [String], training: [String]) -> Double {
    let answer: String
    switch self {
    case .classes(let names):
      let counts = names.map { name in training.count { $0.hasSameBytes(as: name) } }
      answer = names[counts.firstIndex(of: counts.max() ?? 0) ?? 0]
    case .number:
      let sum = training.reduce(0) { $0 + (Double($1) ?? 0) }
      answer = "\(sum / Double(max(1, training.count)))"
    }
    return labels.reduce(0) { $0 + loss(answer, $1) } / Double(max(1, labels.count))
  }
}
