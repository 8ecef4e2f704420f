package import VDSQFormat
public import VDSQInference

/// The result of training on examples, bound to the model whose states it was trained on: the label
/// anchors, and a head that replaces or corrects their cosines.
///
///     let adapter = try Adapter(path: "tickets.vdsa", model: container)
public struct Adapter: Sendable {
  /// The labels and their anchors, `[labels, dimensions]`.
  public private(set) var labels: LabelSet
  /// Intermediate layers whose pooled states are appended to a sentence encoder's vector.
  public let intermediateFeatures: [IntermediateFeature]
  /// Low-rank updates of the encoder's weights; nil if the weights stay as they are.
  package let updates: LowRankUpdates?
  /// The softmax temperature, by which logits are divided; above 0.
  public let temperature: Float
  /// The head that turns states into logits; nil if labels are compared by cosines alone.
  package let head: Head?
  /// The probability from which each label is given, if a text may have any number of labels; nil
  /// if one label is chosen.
  package let thresholds: [Float]?
  /// The identity of the model whose states it was trained on (`Container.identity`).
  package let modelIdentity: UInt32
  /// Whether the file says with which template, if any, the adapter was trained. Files of early
  /// versions do not.
  private var hasTemplateRecord = true

  /// - Parameters:
  ///   - labels: the labels and their anchors.
  ///   - intermediateFeatures: intermediate layers whose pooled states are appended to the vector.
  ///   - updates: low-rank updates of the encoder's weights.
  ///   - temperature: the softmax temperature; above 0.
  ///   - head: the head that turns states into logits; nil to compare by cosines alone.
  ///   - thresholds: the probability from which each label is given, for a linear head; nil to
  ///     choose one label.
  ///   - modelIdentity: the identity of the model whose states it was trained on.
  package init(
    labels: LabelSet, intermediateFeatures: [IntermediateFeature] = [],
    updates: LowRankUpdates? = nil,
    temperature: Float = 1, head: Head?, thresholds: [Float]? = nil, modelIdentity: UInt32
  ) {
    self.thresholds = thresholds
    self.labels = labels
    self.intermediateFeatures = intermediateFeatures
    self.updates = updates
    self.temperature = temperature
    self.head = head
    self.modelIdentity = modelIdentity
  }

  /// How often an adapter is in memory while a classifier reads its file again: the previous one,
  /// the bytes of the file, and the next one.
  package static let copiesOfFollowed = 3

  /// Its size in memory, in bytes.
  package var bytes: Int {
    LabelMemory.bytes(of: labels) + 4 * (updates?.values.count ?? 0) + (head?.bytes ?? 0)
      + 4 * (thresholds?.count ?? 0)
  }

  /// The names of an adapter's tensors and metadata, except those of its head.
  private enum Name {
    static let anchors = "anchors"
    static let updates = "updates"
    static let template = "template"
    static let prompt = "prompt_name"
    static let cut = "cut_dimensions"
    static let thresholds = "thresholds"
    static func label(_ index: Int) -> String { "label.\(index)" }
    static func words(_ index: Int) -> String { "label.\(index).words" }
  }

  /// Reads an adapter's file.
  ///
  /// - Parameter model: the model with which the adapter will be used.
  /// - Throws: `missingInput` or `badInput` for the file; `badInput` if it was made for another
  ///   model.
  package init(path: String, model: Container) throws(VDSQError) {
    try self.init(try Container(path: path, kind: .adapter), model: model)
  }

  /// Reads an open adapter file.
  ///
  /// - Throws: as above.
  package init(_ file: Container, model: Container) throws(VDSQError) {
    let path = file.path
    // An adapter is small, so all of its checksums are verified.
    try file.verify()
    guard !Repair.isRepair(file) else {
      throw .badInput(
        "\(path): this file repairs a language model and labels no texts")
    }
    let identity = try file.metadata.integer("model_identity", in: 0...Int(UInt32.max))
    modelIdentity = UInt32(identity)
    hasTemplateRecord = file.metadata.find(Name.template) != nil
    guard modelIdentity == model.identity else {
      throw .badInput(
        "\(path): this adapter was made for another model than \(model.path); adapt again for this one"
      )
    }
    let d = try file.metadata.integer("dimensions", in: 1...1 << 24)
    intermediateFeatures = try Self.layers(file.metadata.find("lower_layers") ?? "", path)
    updates = try Self.updates(file)
    let blocks = intermediateFeatures.count + 1
    guard d % blocks == 0 else {
      throw .badInput("\(path): metadata: dimensions are not those of \(blocks) states")
    }
    let count = try file.metadata.integer("labels", in: 1...65536)
    temperature = Float(try file.metadata.number("temperature"))
    guard temperature > 0 else { throw .badInput("\(path): the temperature is not positive") }
    var names: [String] = []
    for i in 0..<count {
      guard let name = file.metadata.find(Name.label(i)) else {
        throw .badInput("\(path): label \(i) has no name")
      }
      if let fault = Label.fault(in: name) {
        throw .badInput("\(path): label \(i): \(fault); adapt again with other names")
      }
      names.append(name)
    }
    var outOfScope: Int?
    if let name = file.metadata.find("out_of_scope") {
      outOfScope = names.firstIndex { $0.utf8.elementsEqual(name.utf8) }
      if outOfScope == nil { throw .badInput("\(path): metadata: out_of_scope is no label") }
    }
    var words: [[String]] = []
    for (i, name) in names.enumerated() {
      words.append(
        file.metadata.find(Name.words(i)).map(Self.lines) ?? (i == outOfScope ? [] : [name]))
    }
    labels = LabelSet(
      names: names, dimensions: d,
      anchors: try file.finiteFloats(Name.anchors, shape: [count, d]), outOfScope: outOfScope,
      words: words, template: try Self.template(file))
    labels.prompt = file.metadata.find(Name.prompt)
    labels.cutDimensions = try file.metadata.find(integer: "cut_dimensions", in: 1...1 << 24)
    guard file.find(Name.thresholds) != nil else {
      thresholds = nil
      head = try Head.read(file, labels: count, dimensions: d, columns: d / blocks)
      return
    }
    let thresholds = try file.finiteFloats(Name.thresholds, shape: [count])
    for threshold in thresholds where threshold < 0 || threshold > 1 {
      throw .badInput("\(path): tensor \(Name.thresholds) has a value that is no probability")
    }
    self.thresholds = thresholds
    head = .linear(try LinearHead(file, labels: count, dimensions: d, name: .oneVsRest))
  }

  /// The contents of its file, in order.
  package var contents: AdapterContents {
    let d = labels.dimensions
    var contents = AdapterContents()
    contents.metadata.set("model_identity", .integer(Int(modelIdentity)))
    contents.metadata.set("dimensions", .integer(d))
    contents.metadata.set("labels", .integer(labels.count))
    if !intermediateFeatures.isEmpty {
      var text = ""
      for state in intermediateFeatures {
        if !text.utf8.isEmpty { text += "," }
        text += "\(state.layer)"
        if state.tokens == .firstToken { text += ":first" }
      }
      contents.metadata.set("lower_layers", .text(text))
    }
    contents.metadata.set("temperature", .number(Double(temperature)))
    if let outOfScope = labels.outOfScope {
      contents.metadata.set("out_of_scope", .text(labels.names[outOfScope]))
    }
    if hasTemplateRecord {
      contents.metadata.set(Name.template, .text(labels.template?.source ?? ""))
    }
    if let prompt = labels.prompt { contents.metadata.set(Name.prompt, .text(prompt)) }
    if let cut = labels.cutDimensions { contents.metadata.set(Name.cut, .integer(cut)) }
    contents.add(Name.anchors, .float32(labels.anchors), shape: [labels.count, d])
    if let thresholds, case .linear(let linear) = head {
      contents.add(Name.thresholds, .float32(thresholds), shape: [labels.count])
      linear.store(in: &contents, name: .oneVsRest)
    } else if let head {
      head.store(in: &contents)
    } else {
      contents.metadata.set(AdapterContents.headKey, .text("none"))
    }
    if let updates {
      contents.add(
        Name.updates, .float32(updates.values),
        shape: [updates.layers, 2, 2 * updates.rank, updates.hiddenSize])
    }
    for (i, name) in labels.names.enumerated() {
      contents.metadata.set(Name.label(i), .text(name))
      let words = labels.words[i]
      guard i != labels.outOfScope, words.count != 1 || !words[0].utf8.elementsEqual(name.utf8)
      else { continue }
      contents.metadata.set(Name.words(i), .text(Self.text(lines: words)))
    }
    return contents
  }

  /// The template that the adapter was trained with.
  private static func template(_ file: Container) throws(VDSQError) -> Template? {
    guard let source = file.metadata.find(Name.template), !source.utf8.isEmpty else { return nil }
    do {
      return try Template(source)
    } catch {
      throw .badInput("\(file.path): metadata: template: \(error.message)")
    }
  }

  /// Words as one text, a line for each.
  private static func text(lines: [String]) -> String {
    var text = ""
    for line in lines {
      if !text.utf8.isEmpty { text += "\n" }
      text += line
    }
    return text
  }

  private static func lines(_ text: String) -> [String] {
    text.utf8.split(separator: UInt8(ascii: "\n")).map { String(Substring($0)) }
  }

  /// The file's updates of an encoder's weights.
  private static func updates(_ file: Container) throws(VDSQError) -> LowRankUpdates? {
    guard let view = file.find(Name.updates) else { return nil }
    let shape = view.record.shape
    guard shape.count == 4, shape[1] == 2, shape[2] > 0, shape[2] % 2 == 0, shape[0] > 0,
      shape[3] > 0
    else {
      throw .badInput(
        "\(file.path): tensor \(Name.updates) is not [layers, 2, 2 rank, hidden size]")
    }
    return LowRankUpdates(
      rank: shape[2] / 2, layers: shape[0], hiddenSize: shape[3],
      values: try file.finiteFloats(Name.updates, shape: shape))
  }

  /// `4,5,5:first`
  private static func layers(_ text: String, _ path: String) throws(VDSQError)
    -> [IntermediateFeature]
  {
    var states: [IntermediateFeature] = []
    for part in text.utf8.split(separator: UInt8(ascii: ",")) {
      let suffix: StaticString = ":first"
      let isFirst = suffix.withUTF8Buffer { part.suffix($0.count).elementsEqual($0) }
      let number = isFirst ? part.dropLast(suffix.utf8CodeUnitCount) : part
      guard let layer = Int(String(Substring(number))), layer >= 1, layer <= 1024, states.count < 16
      else { throw .badInput("\(path): metadata: lower_layers are not such as 4,5,5:first") }
      states.append(IntermediateFeature(layer, of: isFirst ? .firstToken : .pooled))
    }
    return states
  }

  /// Adds to the options of a run what the adapter was trained with: intermediate features, updates
  /// of weights, prompt and number of dimensions.
  ///
  /// - Throws: `usage` if the options have another prompt or number of dimensions.
  package func complete(_ options: inout TextEncoder.Options) throws(VDSQError) {
    (options.prompt, options.dimensions) = try vectors(options.prompt, options.dimensions)
    options.intermediateFeatures = intermediateFeatures
    options.updates = updates
  }

  /// The prompt and the number of dimensions of training.
  ///
  /// - Parameters: those of a run; nil for none of its own.
  /// - Throws: `usage` if they are others.
  package func vectors(
    _ prompt: String?, _ dimensions: Int?
  ) throws(VDSQError) -> (prompt: String?, dimensions: Int?) {
    guard prompt == nil || LabelSet.isSame(prompt, labels.prompt) else {
      throw .usage(
        "the adapter was trained with "
          + (labels.prompt.map { "the prompt \($0)" } ?? "the default prompt")
          + ", which is used; leave the prompt out", .prompt)
    }
    guard dimensions == nil || dimensions == labels.cutDimensions else {
      throw .usage(
        "the adapter was trained with "
          + (labels.cutDimensions.map { counted($0, "dimension") } ?? "all dimensions")
          + ", which are used; leave the number out", .dimensions)
    }
    return (labels.prompt, labels.cutDimensions)
  }

  /// The adapter with the template that is to go around texts.
  ///
  /// - Parameter template: nil for that of training. A file of an early version does not say which
  ///   that was, and takes any.
  /// - Throws: `usage` if it is another one than that of training.
  package func using(_ template: Template?) throws(VDSQError) -> Adapter {
    guard let template, template != labels.template else { return self }
    guard !hasTemplateRecord else {
      throw .usage(
        "the adapter was trained "
          + (labels.template.map { "with \"\($0.source)\"" } ?? "without a template")
          + ", which is used; leave the template out", .template)
    }
    var adapter = self
    adapter.labels.template = template
    return adapter
  }

  /// An encoder of the model with the intermediate features and the weight updates of the adapter.
  ///
  /// - Throws: the errors of `TextEncoder`, and `badInput` if states have other dimensions.
  package func encoder(
    _ model: Container, options: TextEncoder.Options
  ) throws(VDSQError) -> TextEncoder {
    var options = options
    try complete(&options)
    let encoder = try TextEncoder(model, options: options)
    guard labels.dimensions == encoder.dimensions else {
      throw .badInput("\(model.path): the adapter's dimensions are not the model's")
    }
    return encoder
  }
}

extension Container {
  /// The elements of a small float32 tensor of a known shape.
  ///
  /// - Throws: `badInput` if the file has none of that name, shape and type, or a value is not
  ///   finite.
  package func finiteFloats(_ name: String, shape: [Int]) throws(VDSQError) -> [Float] {
    let start = try floats(name, shape: shape)
    let values = Array(UnsafeBufferPointer(start: start, count: shape.reduce(1, *)))
    for value in values where !value.isFinite {
      throw .badInput("\(path): tensor \(name) has a value that is not finite")
    }
    return values
  }
}
