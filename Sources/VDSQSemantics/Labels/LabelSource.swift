package import VDSQFormat

/// Labels as a program's user names them: one by one, in a file, or both.
package struct LabelSource: Sendable {
  /// Labels that are named one by one; they come first.
  package var labels: [Label] = []
  /// The path of a file of labels (`LabelFile`); nil for none.
  package var file: String?
  /// The name of the label of texts that belong to no other; nil for none. It has no words then.
  package var outOfScope: String?

  /// No labels.
  package init() {}

  /// Whether nothing is named.
  package var isEmpty: Bool { labels.isEmpty && file == nil }

  /// The labels of a zero-shot classifier, as the file has them now.
  ///
  /// - Throws: the errors of `read`; if fewer than two labels have words, `badInput` if all are
  ///   from the file, otherwise `usage`.
  package func readChoice() throws(VDSQError) -> [Label] {
    let all = try read()
    do throws(VDSQError) {
      try Label.checkChoice(all)
    } catch {
      guard let file, labels.isEmpty else { throw error }
      throw .badInput("\(file): \(error.message)")
    }
    return all
  }

  /// The labels with which an adapter starts that learns one example after another. The
  /// out-of-scope label is the last one; it need not be among the named ones.
  ///
  /// - Throws: the errors of `LabelFile.read`; `usage` for fewer than two labels.
  package func readBeginning() throws(VDSQError) -> [Label] {
    var all = labels
    if let file { all += try LabelFile.read(file) }
    if let outOfScope {
      all.removeAll { $0.name.utf8.elementsEqual(outOfScope.utf8) }
      all.append(.outOfScope(outOfScope))
    }
    all = try Label.checked(all)
    guard all.count > 1 else { throw Label.noChoice }
    return all
  }

  /// The labels, as the file has them now.
  ///
  /// - Throws: the errors of `LabelFile.read`; `usage` if there are no labels, or two with the same
  ///   name.
  package func read() throws(VDSQError) -> [Label] {
    var all = labels
    if let file { all += try LabelFile.read(file) }
    if let outOfScope, let fault = Label.fault(in: outOfScope) {
      throw .usage("labels: \(fault)")
    }
    return try Label.checked(all).map { label in
      guard let outOfScope, label.name.utf8.elementsEqual(outOfScope.utf8) else { return label }
      return .outOfScope(label.name)
    }
  }
}
