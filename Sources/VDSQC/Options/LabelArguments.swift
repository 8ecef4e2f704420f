import CVDSQ
import VDSQ

/// The labels of a caller: a list in the syntax of the command line, or an array.
struct LabelArguments {
  private var source = LabelSource()

  /// - Throws: `usage` if both are given, a label is malformed, or a name is there twice.
  init(
    list: UnsafePointer<CChar>?, labels: UnsafePointer<vdsq_label>?, count: Int,
    outOfScope: UnsafePointer<CChar>?
  ) throws(VDSQError) {
    source.outOfScope = try Arguments.optionalString(outOfScope, "out_of_scope")
    guard count >= 0 else { throw .usage("label_count: \(UInt(bitPattern: count)) are too many") }
    if let list = try Arguments.optionalString(list, "label_list") {
      guard count == 0 else { throw .usage("give label_list or labels, not both") }
      source.labels = try Label.parse(list: list)
      return
    }
    guard count == 0 || labels != nil else { throw .usage("labels is NULL") }
    for index in 0..<count {
      let label = labels![index]
      let words = try Arguments.strings(label.words, label.word_count, "words")
      guard !words.contains("") else { throw .usage("labels[\(index)] has an empty word") }
      source.labels.append(
        Label(name: try Arguments.string(label.name, "the name of a label"), words: words))
    }
    if count > 0 { source.labels = try Label.checked(source.labels) }
  }

  /// Whether there are none.
  var isEmpty: Bool { source.labels.isEmpty }

  /// The label of texts that belong to no other; nil for none.
  var outOfScope: String? { source.outOfScope }

  /// The labels.
  func read() throws(VDSQError) -> [Label] { try source.read() }

  /// The labels of a choice.
  func readChoice() throws(VDSQError) -> [Label] { try source.readChoice() }

  /// The labels with which an adapter begins.
  func readBeginning() throws(VDSQError) -> [Label] { try source.readBeginning() }

  /// A template.
  static func template(_ text: UnsafePointer<CChar>?) throws(VDSQError) -> Template? {
    guard let text = try Arguments.optionalString(text, "text_template") else { return nil }
    return try Template(text)
  }
}
