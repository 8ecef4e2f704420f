public import CVDSQ
import VDSQ

/// A classifier with the names of its labels.
final class ClassifierHandle: Handle, @unchecked Sendable {
  override class var kind: String { "a classifier" }

  let classifier: TextClassifier
  let names: OwnedStrings

  init(
    _ model: OpaquePointer?, _ options: UnsafePointer<vdsq_classifier_options>?
  ) throws(VDSQError) {
    let model = try ModelHandle.find(model).model
    let options = try Sized.read(options, "vdsq_classifier_options") ?? vdsq_classifier_options()
    let own = try TextClassifier.Options(options)
    let labels = try LabelArguments(
      list: options.label_list, labels: options.labels, count: options.label_count,
      outOfScope: options.out_of_scope)
    if let adapter = options.adapter {
      guard labels.isEmpty, labels.outOfScope == nil else {
        throw .usage("an adapter brings its own labels; leave labels and out_of_scope out")
      }
      guard !own.usesEntailment else { throw .usage("uses_entailment needs labels") }
      classifier = try TextClassifier(
        model: model, adapter: try AdapterHandle.find(adapter).adapter, options: own)
    } else if !labels.isEmpty {
      classifier = try TextClassifier(model: model, labels: try labels.readChoice(), options: own)
    } else {
      guard labels.outOfScope == nil, !own.usesEntailment else {
        throw .usage("out_of_scope and uses_entailment need labels")
      }
      classifier = try TextClassifier(model: model, options: own)
    }
    names = OwnedStrings(classifier.labels)
  }

  /// Classifies texts in batches.
  ///
  /// - Parameters:
  ///   - add: adds the text of an index to the batch.
  func classify(
    _ count: Int, into predictions: Predictions,
    _ add: (ClassificationContext, Int) throws(VDSQError) -> Void
  ) throws(VDSQError) {
    let context = try classifier.makeContext()
    defer { context.end() }
    var done = 0
    // Thresholds may be reached by any label.
    let thresholds = context.thresholds
    func flush() throws(VDSQError) {
      try context.classify(top: predictions.top) { text, _, scores in
        predictions.set(done, text, scores, thresholds)
        done += 1
      }
    }
    for index in 0..<count {
      if !context.hasRoom { try flush() }
      try add(context, index)
    }
    try flush()
  }
}

extension TextClassifier.Options {
  /// The options of a caller.
  ///
  /// - Throws: `usage` for a value that no model allows.
  init(_ options: vdsq_classifier_options) throws(VDSQError) {
    self.init()
    run = try RunOptions(options.run)
    template = try LabelArguments.template(options.text_template)
    if options.temperature != 0 { temperature = options.temperature }
    usesEntailment = try Arguments.flag(options.uses_entailment, "uses_entailment")
    isMultiLabel = try Arguments.flag(options.is_multi_label, "is_multi_label")
    guard usesEntailment || !isMultiLabel else {
      throw .usage("is_multi_label goes with uses_entailment")
    }
    referenceTexts = try Arguments.strings(
      options.reference_texts, options.reference_count, "reference_texts")
  }
}

@c @implementation
public func vdsq_classifier_open(
  _ model: OpaquePointer!, _ options: UnsafePointer<vdsq_classifier_options>!,
  _ classifier: UnsafeMutablePointer<OpaquePointer?>!
) -> vdsq_status {
  Handle.open(classifier) { () throws(VDSQError) in try ClassifierHandle(model, options) }
}

@c @implementation
public func vdsq_classifier_close(_ classifier: OpaquePointer!) {
  ClassifierHandle.close(classifier)
}

@c @implementation
public func vdsq_classifier_label_count(_ classifier: OpaquePointer!) -> Int {
  ClassifierHandle.find(open: classifier)?.names.pointers.count ?? 0
}

@c @implementation
public func vdsq_classifier_label(
  _ classifier: OpaquePointer!, _ index: Int
) -> UnsafePointer<CChar>! {
  guard let names = ClassifierHandle.find(open: classifier)?.names.pointers,
    names.indices.contains(index)
  else { return nil }
  return names[index]
}

@c @implementation
public func vdsq_classifier_is_multi_label(_ classifier: OpaquePointer!) -> UInt32 {
  ClassifierHandle.find(open: classifier)?.classifier.givesSeveralLabels ?? false ? 1 : 0
}

@c @implementation
public func vdsq_classify(
  _ classifier: OpaquePointer!, _ texts: UnsafePointer<UnsafePointer<CChar>?>!,
  _ lengths: UnsafePointer<Int>!, _ count: Int, _ predictions: UnsafePointer<vdsq_predictions>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let classifier = try ClassifierHandle.find(classifier)
    let texts = try Texts(texts, lengths, count, "texts")
    let predictions = try Predictions(
      predictions, texts: count, labels: classifier.names.pointers.count)
    try classifier.classify(count, into: predictions) { (context, index) throws(VDSQError) in
      _ = try context.add(texts[index])
    }
  }
}

@c @implementation
public func vdsq_classify_pairs(
  _ classifier: OpaquePointer!, _ first: UnsafePointer<UnsafePointer<CChar>?>!,
  _ firstLengths: UnsafePointer<Int>!, _ second: UnsafePointer<UnsafePointer<CChar>?>!,
  _ secondLengths: UnsafePointer<Int>!, _ count: Int,
  _ predictions: UnsafePointer<vdsq_predictions>!
) -> vdsq_status {
  call { () throws(VDSQError) in
    let classifier = try ClassifierHandle.find(classifier)
    let first = try Texts(first, firstLengths, count, "first")
    let second = try Texts(second, secondLengths, count, "second")
    let predictions = try Predictions(
      predictions, texts: count, labels: classifier.names.pointers.count)
    try classifier.classify(count, into: predictions) { (context, index) throws(VDSQError) in
      _ = try context.add(first[index], second[index])
    }
  }
}
