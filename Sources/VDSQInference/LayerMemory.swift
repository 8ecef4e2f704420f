import CShims
import VDSQFormat

/// Keeps layers' weights in memory as a policy says, while passes go through the layers one after another.
final class LayerMemory: @unchecked Sendable {
  let policy: MemoryPolicy
  private let container: Container
  /// Each layer's section.
  private let sections: [Int]
  private let stream: LayerStream?

  /// - Throws: `badInput` where a layer's weights are not one section, which streaming needs, `budgetTooSmall` where
  ///   there is no memory for the buffers.
  init(_ container: Container, layers: Int, policy: MemoryPolicy) throws(VDSQError) {
    self.policy = policy
    self.container = container
    guard policy != .resident else {
      (sections, stream) = ([], nil)
      return
    }
    var sections: [Int] = []
    for layer in 0..<layers {
      sections.append(try Self.section(of: layer, container))
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

  /// Makes a layer's weights readable for whoever opens the model, one layer after another.
  func open(_ layer: Int) throws(VDSQError) {
    if layer > 0, policy == .release { container.release(section: sections[layer - 1]) }
    try stream?.open(layer)
  }

  /// To be called when all layers were opened.
  func opened() {
    if policy == .release, let last = sections.last { container.release(section: last) }
  }

  /// To be called by one thread before workers begin a pass.
  func beginPass() { stream?.beginPass() }

  /// Returns when a layer's weights are there; each worker calls it.
  func enter(_ layer: Int) { stream?.wait(for: layer) }

  /// To be called when a worker is done with a layer.
  func leave(_ layer: Int, _ worker: ThreadPool.Worker) {
    if policy == .resident { return }
    // Others may be in the layer still.
    worker.barrier()
    guard worker.index == 0 else { return }
    if policy == .release { container.release(section: sections[layer]) }
    stream?.free(layer)
  }

  /// Whether a layer could not be read or decoded.
  var isUnreadable: Bool { stream?.isUnreadable ?? false }
}
