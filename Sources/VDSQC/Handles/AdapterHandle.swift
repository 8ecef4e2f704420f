public import CVDSQ
import VDSQ
import VDSQTraining

/// An adapter.
final class AdapterHandle: Handle, @unchecked Sendable {
  override class var kind: String { "an adapter" }

  let adapter: Adapter

  init(_ adapter: Adapter) { self.adapter = adapter }

  convenience init(
    _ model: OpaquePointer?, path: UnsafePointer<CChar>?
  ) throws(VDSQError) {
    let model = try ModelHandle.find(model).model
    self.init(
      try Adapter(path: try Arguments.string(path, "path"), model: model.description))
  }

  /// Trains on labelled texts.
  convenience init(
    _ model: OpaquePointer?, _ options: UnsafePointer<vdsq_training_options>?, _ texts: Texts,
    labels: [String]
  ) throws(VDSQError) {
    let model = try ModelHandle.find(model).model
    let options = try Sized.read(options, "vdsq_training_options") ?? vdsq_training_options()
    let named = try LabelArguments(
      list: options.label_list, labels: options.labels, count: options.label_count,
      outOfScope: options.out_of_scope)
    let training = try TrainingOptions(options)
    if try Arguments.flag(options.is_multi_label, "is_multi_label") {
      self.init(
        try Self.multiLabel(model, training, named, texts, labels, options.method != nil))
      return
    }
    var examples: [Examples.Example] = []
    for index in 0..<texts.count {
      examples.append(Examples.Example(text: texts.string(index), label: labels[index]))
    }
    try Examples.check(outOfScope: named.outOfScope, in: examples)
    let all = Examples.labels(
      of: examples, named: named.isEmpty ? [] : try named.read(), outOfScope: named.outOfScope)
    self.init(
      try FewShotTrainer.adapter(model: model, labels: all, examples: examples, options: training))
  }

  /// Trains on texts that may have several labels, with a line end between two.
  private static func multiLabel(
    _ model: Model, _ options: TrainingOptions, _ named: LabelArguments, _ texts: Texts,
    _ labels: [String], _ namesMethod: Bool
  ) throws(VDSQError) -> Adapter {
    guard named.outOfScope == nil else {
      throw .usage("texts without labels belong to none; leave it out", .outOfScope)
    }
    guard !namesMethod || [.joint, .frozen, .prior].contains(options.method) else {
      throw .usage("texts with several labels are learned by frozen linear heads", .method)
    }
    var examples: [MultiLabelText] = []
    for index in 0..<texts.count {
      examples.append(
        MultiLabelText(
          text: texts.string(index),
          labels: labels[index].utf8.split(separator: UInt8(ascii: "\n")).map {
            String(Substring($0))
          }))
    }
    return try MultiLabelTrainer.adapter(
      model: model, labels: named.isEmpty ? [] : try named.read(), texts: examples,
      options: options)
  }
}

extension TrainingOptions {
  /// The options of a caller.
  ///
  /// - Throws: `usage` for an unknown method, or a value that no model allows.
  init(_ options: vdsq_training_options) throws(VDSQError) {
    self.init()
    run = try RunOptions(options.run)
    if let name = try Arguments.optionalString(options.method, "method") {
      guard let method = TrainingMethod(rawValue: name) else {
        throw .usage(
          "\(name) is none of "
            + TrainingMethod.allCases.map(\.rawValue).joined(separator: ", "), .method)
      }
      self.method = method
    }
    allowsFinetuning = !(try Arguments.flag(options.freezes_encoder, "freezes_encoder"))
    template = try LabelArguments.template(options.text_template)
    if options.seed > 0 { seed = options.seed }
    unlabelledTexts = try Arguments.strings(
      options.unlabelled_texts, options.unlabelled_count, "unlabelled_texts")
  }
}

@c @implementation
public func vdsq_adapter_train(
  _ model: OpaquePointer!, _ options: UnsafePointer<vdsq_training_options>!,
  _ texts: UnsafePointer<UnsafePointer<CChar>?>!, _ lengths: UnsafePointer<Int>!,
  _ labels: UnsafePointer<UnsafePointer<CChar>?>!, _ count: Int,
  _ adapter: UnsafeMutablePointer<OpaquePointer?>!
) -> vdsq_status {
  Handle.open(adapter) { () throws(VDSQError) in
    try AdapterHandle(
      model, options, try Texts(texts, lengths, count, "texts"),
      labels: try Arguments.strings(labels, count, "labels"))
  }
}

@c @implementation
public func vdsq_adapter_open(
  _ model: OpaquePointer!, _ path: UnsafePointer<CChar>!,
  _ adapter: UnsafeMutablePointer<OpaquePointer?>!
) -> vdsq_status {
  Handle.open(adapter) { () throws(VDSQError) in try AdapterHandle(model, path: path) }
}

@c @implementation
public func vdsq_adapter_write(
  _ adapter: OpaquePointer!, _ path: UnsafePointer<CChar>!, _ replaces: UInt32
) -> vdsq_status {
  call { () throws(VDSQError) in
    try AdapterHandle.find(adapter).adapter.write(
      to: try Arguments.string(path, "path"), replace: try Arguments.flag(replaces, "replaces"))
  }
}

@c @implementation
public func vdsq_adapter_close(_ adapter: OpaquePointer!) { AdapterHandle.close(adapter) }
