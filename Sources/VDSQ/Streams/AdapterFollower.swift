import VDSQFormat
import VDSQSemantics

/// The file of an adapter that may be replaced while texts come in. A change takes effect with the
/// next text.
final class AdapterFollower {
  let path: String
  private let model: Model
  private var stamp: FileStamp?

  init(path: String, model: Model) {
    self.path = path
    self.model = model
  }

  /// The adapter if its file changed since the last call; nil if it is unchanged or missing.
  ///
  /// - Throws: the errors of reading an adapter.
  func changed() throws(VDSQError) -> Adapter? {
    // The stamp is taken before reading, so that a replacement in the meantime is read again.
    let now = FileStamp(path: path)
    if stamp != nil, now == nil || now == stamp { return nil }
    stamp = now
    return try Adapter(path: path, model: model.description)
  }
}
