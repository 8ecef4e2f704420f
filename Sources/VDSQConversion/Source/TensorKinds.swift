/// Tells what tensors are for that an architecture does not use.
struct TensorKinds {
  private let names: CheckpointArchitecture
  /// The prefix of the tensors' names in the checkpoint; nil if it is not known.
  private let prefix: String?
  private let layers: Int
  /// The first parts of the names within the model that computes states.
  private let roots: Set<Substring>

  /// - Parameter layers: the number of layers that the configuration says.
  init(_ names: CheckpointArchitecture, prefix: String?, layers: Int) {
    self.names = names
    self.prefix = prefix
    self.layers = layers
    let sources = (names.embeddings + names.layer + names.final).flatMap(\.sources)
    roots = Set(sources.compactMap { $0.split(separator: ".").first })
  }

  /// A tensor with its kind.
  ///
  /// - Parameter name: the name in the checkpoint.
  func leftOut(_ name: String) -> LeftOutTensor { LeftOutTensor(name: name, kind: kind(name)) }

  private func kind(_ name: String) -> LeftOutTensor.Kind {
    if names.head.names.contains(name) { return .languageModelHead }
    let known = LeftOutTensor.Kind(tensor: name)
    guard let prefix else { return known ?? .undeclared }
    let inner = name.dropFirst(prefix.count)
    let isInside =
      name.hasPrefix(prefix) && inner.split(separator: ".").first.map(roots.contains) ?? false
    if isInside, let layer = layer(of: inner), layer >= layers { return .laterLayer }
    let isPrefixed = !prefix.isEmpty && name.hasPrefix(prefix)
    return known ?? (isInside || isPrefixed ? .undeclared : .unknownHead)
  }

  /// The number of the layer of a tensor; nil if it is in none.
  private func layer(of name: Substring) -> Int? {
    guard let template = names.layer.first?.sources.first,
      let mark = template.firstIndex(of: "#"), name.hasPrefix(template[..<mark])
    else { return nil }
    return name.dropFirst(template[..<mark].count).split(separator: ".").first.flatMap { Int($0) }
  }
}
