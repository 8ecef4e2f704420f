public import VDSQFormat

/// An adapter's file that may be replaced while texts come in: a correction takes effect on the next of them.
public final class AdapterFollower {
  public let path: String
  private let model: Container
  private var stamp: FileStamp?

  /// - Parameter modelPath: the model's file, of which only the description is kept.
  /// - Throws: what opening it does.
  public init(path: String, modelPath: String) throws(VDSQError) {
    self.path = path
    model = try Container(path: modelPath, kind: .model, decoding: .noWeights)
    model.release()
  }

  /// The adapter, where its file is another than when it was last asked for; nil where it is the same, or gone.
  ///
  /// - Throws: what reading an adapter does.
  public func changed() throws(VDSQError) -> Adapter? {
    // The stamp is from before reading, so that what is replaced meanwhile is read again.
    let now = FileStamp(path: path)
    if stamp != nil, now == nil || now == stamp { return nil }
    stamp = now
    return try Adapter(path: path, model: model)
  }
}
