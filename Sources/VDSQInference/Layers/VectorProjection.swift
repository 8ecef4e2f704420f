import VDSQFormat
import VDSQKernels

/// What a sentence encoder does with a pooled state: its modules, and the cut of its vector.
///
/// Keeps one vector, which is overwritten by the next.
final class VectorProjection {
  /// The number of floats of a vector, with the states of intermediate layers.
  let dimensions: Int
  private let modules: OutputModules
  private let inputs: Int
  /// States of intermediate layers behind the pooled state, in floats.
  private let appended: Int
  /// The number of dimensions that the modules' vector is cut to.
  private let kept: Int
  private let normalizes: Bool
  private let kernels: KernelTable
  private let vector: UnsafeMutablePointer<Float>
  private let scratch: UnsafeMutablePointer<Float>

  /// - Parameter wanted: the number of dimensions that vectors are cut to; nil for all.
  /// - Returns: nil if a pooled state is the vector.
  /// - Throws: `badInput` if the modules do not match the format; `usage` if there are fewer
  ///   dimensions than wanted.
  init?(
    _ container: Container, _ c: Architecture, dimensions wanted: Int?, appended: Int,
    kernels: KernelTable
  ) throws(VDSQError) {
    guard !c.modules.isEmpty || wanted != nil else { return nil }
    guard !c.hasLanguageModelHead else {
      throw .usage("\(container.path): states of a language model are not cut", .dimensions)
    }
    guard try OutputHead(container.metadata) == nil else {
      guard wanted == nil else {
        throw .usage(
          "\(container.path): the model's own head reads whole states, which are not cut",
          .dimensions)
      }
      throw .badInput("\(container.path): metadata: modules beside a head of the model's own")
    }
    let modules = try OutputModules(
      container, c.modules, name: "modules", inputs: c.vectorSize, kernels: kernels)
    if let wanted {
      guard wanted >= 1, wanted <= modules.outputs else {
        throw .usage(
          "\(counted(wanted, "dimension")): from 1 to \(modules.outputs), those of the model's "
            + "vectors, are possible", .dimensions)
      }
    }
    self.modules = modules
    (inputs, self.appended, self.kernels) = (c.vectorSize, appended, kernels)
    kept = wanted ?? modules.outputs
    dimensions = kept + appended
    normalizes = wanted != nil && (c.normalize || c.modules.last == .normalize)
    vector = .allocate(capacity: modules.outputs + appended)
    scratch = .allocate(capacity: max(1, modules.scratchCount))
  }

  deinit {
    vector.deallocate()
    scratch.deallocate()
  }

  /// The vector of a pooled state, valid until the next call.
  func apply(to state: UnsafePointer<Float>) -> UnsafePointer<Float> {
    modules.apply(state, scratch: scratch, into: vector)
    if normalizes {
      var square: Float = 0
      kernels.dotRows(vector, vector, 1, kept, &square)
      let scale = square > 0 ? 1 / square.squareRoot() : 0
      for i in 0..<kept { vector[i] *= scale }
    }
    for i in 0..<appended { vector[kept + i] = state[inputs + i] }
    return UnsafePointer(vector)
  }
}
