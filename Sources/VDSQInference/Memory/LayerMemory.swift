import CShims
import VDSQFormat

/// Keeps the weights of layers in memory according to a policy, while passes go through the layers
/// one after another.
final class LayerMemory: @unchecked Sendable {
  let policy: MemoryPolicy
  private let container: Container
  /// Each layer's section.
  private let sections: [Int]
  private let stream: LayerStream?

  /// - Throws: `badInput` if the weights of a layer are not one section, which streaming needs;
  ///   `budgetTooSmall` if there is no memory for the buffers.
  init(_ container: Container, _ c: Architecture, policy: MemoryPolicy) throws(VDSQError) {
    self.policy = policy
    self.container = container
    guard policy != .resident else {
      (sections, stream) = ([], nil)
      return
    }
    var sections: [Int] = []
    for layer in 0..<c.layers {
      sections.append(try Self.section(of: c.storedLayer(of: layer), container))
    }
    self.sections = sections
    if policy == .release {
      for (layer, section) in sections.enumerated() where layer % 2 == 0 {
        container.isolate(section: section)
      }
    }
    stream = policy == .stream ? try LayerStream(container, sections: sections) : nil
  }

  private static func section(of layer: Int, _ container: Container) throws(VDSQError) -> Int {
    let prefix = "layer.\(layer)."
    var found: Int?
    for record in container.tensors where record.name.utf8.starts(with: prefix.utf8) {
      guard found == nil || found == record.section else {
        throw .badInput(
          "\(container.path): layer \(layer) lies in several sections; convert the model again to stream it"
        )
      }
      found = record.section
    }
    guard let found, container.sections[found].isLayer else {
      throw .badInput(
        "\(container.path): layer \(layer) has no section of its own; convert the model again to stream it"
      )
    }
    return found
  }

  /// Makes the weights of a layer readable while the model is opened, one layer after another.
  func open(_ layer: Int) throws(VDSQError) {
    if layer > 0, policy == .release { container.release(section: sections[layer - 1]) }
    try stream?.open(layer)
  }

  /// Call this when all layers have been opened.
  func opened() {
    if policy == .release, let last = sections.last { container.release(section: last) }
  }

  /// Call this on one thread before workers begin a pass.
  func beginPass() { stream?.beginPass() }

  /// Waits until the weights of a layer are available. Each worker calls it.
  func enter(_ layer: Int) { stream?.wait(for: layer) }

  /// Call this when a worker is done with a layer.
  func leave(_ layer: Int, _ worker: ThreadPool.Worker) {
    if policy == .resident { return }
    // Other workers may still use the layer.
    worker.barrier()
    if worker.index == 0 {
      let isShared = layer + 1 < sections.count && sections[layer + 1] == sections[layer]
      if policy == .release, !isShared { container.release(section: sections[layer]) }
      stream?.free(layer)
    }
    // Otherwise parts of two layers would be resident.
    if policy == .release { worker.barrier() }
  }

  /// Whether a layer could not be read or decoded.
  var isUnreadable: Bool { stream?.isUnreadable ?? false }
}
