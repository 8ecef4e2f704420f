package import VDSQFormat

/// Labels that are written as their indices, as data sets and `id2label` have them: 0, 1, 2.
package enum LabelIndex {
  /// Whether a label is an integer, without a sign before 0 or zeros before other digits.
  package static func isInteger(_ label: String) -> Bool {
    Int(label).map { "\($0)".hasSameBytes(as: label) } ?? false
  }

  /// The index that a label stands for; nil if it is no integer in range, or a name is one.
  static func index(of label: String, among names: [String]) -> Int? {
    guard isInteger(label), let index = Int(label), names.indices.contains(index),
      !names.contains(where: isInteger)
    else { return nil }
    return index
  }

  /// The names of the labels of a model's own head of texts; none if it has no head, or its names
  /// are no more than indices, such as the LABEL_0 of transformers.
  ///
  /// - Throws: `badInput` if the head's description is malformed.
  package static func names(of model: Container) throws(VDSQError) -> [String] {
    guard let head = try OutputHead(model.metadata), head.reading == .texts,
      !head.labels.contains(where: { $0.hasPrefix("LABEL_") })
    else { return [] }
    return head.labels
  }

  /// Examples with names in place of indices.
  ///
  /// Labels are indices if all of them are integers and no name is one. They are kept as they are
  /// if there are no names.
  ///
  /// - Parameters:
  ///   - names: the names by index, from 0 on.
  ///   - report: called with the names if labels were indices.
  /// - Throws: `badInput` if an index has no name.
  package static func named(
    _ examples: [Examples.Example], by names: [String], report: (TrainingEvent) -> Void = { _ in }
  ) throws(VDSQError) -> [Examples.Example] {
    guard !names.isEmpty, !examples.isEmpty, !names.contains(where: isInteger),
      examples.allSatisfy({ isInteger($0.label) })
    else { return examples }
    var named: [Examples.Example] = []
    for (i, example) in examples.enumerated() {
      guard let index = Int(example.label), names.indices.contains(index) else {
        throw .badInput(
          "\(example.place(i)): the label \(example.label) is no index of "
            + "\(counted(names.count, "label")), which are 0 to \(names.count - 1)")
      }
      named.append(example.labelled(names[index]))
    }
    report(.indexed(names))
    return named
  }
}
