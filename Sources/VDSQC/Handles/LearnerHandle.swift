public import CVDSQ
import VDSQ
import VDSQTraining

/// A learner, whose callers take turns.
final class LearnerHandle: Handle, @unchecked Sendable {
  override class var kind: String { "a learner" }

  private let learner: OnlineLearner
  private let turn = Turn()
  /// The string that callers may read.
  private var name = OwnedStrings([])

  init(
    _ model: OpaquePointer?, path: UnsafePointer<CChar>?,
    _ options: UnsafePointer<vdsq_learner_options>?
  ) throws(VDSQError) {
    let model = try ModelHandle.find(model).model
    let path = try Arguments.string(path, "path")
    let options = try Sized.read(options, "vdsq_learner_options") ?? vdsq_learner_options()
    let labels = try LabelArguments(
      list: options.label_list, labels: options.labels, count: options.label_count,
      outOfScope: options.out_of_scope)
    let template = try LabelArguments.template(options.text_template)
    guard !labels.isEmpty || (labels.outOfScope == nil && template == nil) else {
      throw .usage("out_of_scope and text_template begin an adapter; give labels too")
    }
    let encoder = try OnlineLearner.encoder(
      for: path, model: model, run: try RunOptions(options.run))
    learner = OnlineLearner(path: path, encoder: encoder)
    if !labels.isEmpty {
      try learner.begin(
        try LabelSet(try labels.readBeginning(), encoder: encoder, template: template))
    }
    guard learner.exists else {
      throw VDSQError(.missingInput, "\(path): does not exist; labels begin it")
    }
    // A file that cannot be learned on with is refused now.
    _ = try learner.template()
  }

  /// Calls `body` when it is the caller's turn, and keeps the string that it returns.
  ///
  /// - Returns: the string, which is valid until the next change.
  func change(
    _ body: (OnlineLearner) throws(VDSQError) -> String
  ) throws(VDSQError) -> UnsafePointer<CChar> {
    try turn.take { () throws(VDSQError) in
      name = OwnedStrings([try body(learner)])
      return name.pointers[0]
    }
  }
}

@c @implementation
public func vdsq_learner_open(
  _ model: OpaquePointer!, _ path: UnsafePointer<CChar>!,
  _ options: UnsafePointer<vdsq_learner_options>!,
  _ learner: UnsafeMutablePointer<OpaquePointer?>!
) -> vdsq_status {
  Handle.open(learner) { () throws(VDSQError) in
    try LearnerHandle(model, path: path, options)
  }
}

@c @implementation
public func vdsq_learner_close(_ learner: OpaquePointer!) { LearnerHandle.close(learner) }

@c @implementation
public func vdsq_learn(
  _ learner: OpaquePointer!, _ text: UnsafePointer<CChar>!, _ length: Int,
  _ label: UnsafePointer<CChar>!, _ learned: UnsafeMutablePointer<vdsq_learned>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let learner = try LearnerHandle.find(learner)
    let text = String(decoding: try Texts.one(text, length, "text"), as: UTF8.self)
    let label = try Arguments.string(label, "label")
    var result = vdsq_learned()
    // A wrong structure is refused before anything is learned.
    if let learned { try Sized.write(result, to: learned, "vdsq_learned") }
    result.predicted = try learner.change { (learner) throws(VDSQError) in
      let outcome = try learner.learn(Examples.Example(text: text, label: label), context: "")
      (result.probability, result.count) = (outcome.probability, outcome.count)
      return outcome.predicted
    }
    if let learned { try Sized.write(result, to: learned, "vdsq_learned") }
  }
}

@c @implementation
public func vdsq_learner_undo(
  _ learner: OpaquePointer!, _ label: UnsafeMutablePointer<UnsafePointer<CChar>?>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let name = try LearnerHandle.find(learner).change { (learner) throws(VDSQError) in
      try learner.undo()
    }
    label?.pointee = name
  }
}

@c @implementation
public func vdsq_learner_forget(
  _ learner: OpaquePointer!, _ label: UnsafePointer<CChar>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let label = try Arguments.string(label, "label")
    _ = try LearnerHandle.find(learner).change { (learner) throws(VDSQError) in
      try learner.forget(label, context: "label")
      return label
    }
  }
}
