internal import VDSQFormat
internal import VDSQSemantics

/// An adapter's file that may be replaced while texts come in: a correction takes effect on the next of
/// them.
final class AdapterFollower {
  let path: String
  private let model: Model
  private var stamp: FileStamp?

  init(path: String, model: Model) {
    self.path = path
    self.model = model
  }

  /// The adapter where its file is another than when it was last asked for; nil where it is the same, or
  /// gone.
  ///
  /// - Throws: what reading an adapter does.
  func changed() throws(VDSQError) -> Adapter? {
    // The stamp is from before reading, so that what is replaced meanwhile is read again.
    let now = FileStamp(path: path)
    if stamp != nil, now == nil || now == stamp { return nil }
    stamp = now
    return try Adapter(path: path, model: model.description)
  }
}
