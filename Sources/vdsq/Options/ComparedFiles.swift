import VDSQFormat

/// What an evaluation is compared with: another model, another adapter, or both.
struct ComparedFiles {
  let model: String
  let adapter: String?

  /// As it is named in reports: the files that were given.
  let name: String

  /// - Parameters:
  ///   - paths: the files in any order; nil without any.
  ///   - own: the model that is evaluated, for an adapter alone.
  /// - Throws: `usage` for other files than a model and an adapter; the errors of opening them.
  init?(_ paths: [String], model own: String) throws(VDSQError) {
    guard !paths.isEmpty else { return nil }
    var (model, adapter): (String?, String?) = (nil, nil)
    for path in paths {
      let kind = try Container(path: path, decoding: .noWeights).header.kind
      switch kind {
      case .model where model == nil: model = path
      case .adapter where adapter == nil: adapter = path
      case .model, .adapter:
        throw .usage("--compare: \(path) is \(kind.name) like another; give one of each at most")
      case .bases, .lens, .directions:
        throw .usage("--compare: \(path) has \(kind.name); name a model or an adapter")
      }
    }
    self.model = model ?? own
    name = [model, adapter].compactMap { $0 }.joined(separator: " with ")
    self.adapter = adapter
  }
}
