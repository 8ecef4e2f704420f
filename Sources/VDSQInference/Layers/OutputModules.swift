import CShims
package import VDSQFormat
package import VDSQKernels

/// The modules behind the layers of a model, one after another: a head, or what a sentence encoder
/// does with a pooled state. Linear layers are computed in float32.
///
/// It points into the container's map, which nobody changes and which it keeps.
package struct OutputModules: @unchecked Sendable {
  private enum Step {
    case dense(WeightPanels, DenseActivation)
    case layerNorm(Normalization)
    case normalize
  }

  private let container: Container
  private let steps: [Step]
  private let kernels: KernelTable
  private let inputs: Int
  /// The number of elements of a result.
  package let outputs: Int
  /// Floats of scratch memory that `apply` needs.
  package let scratchCount: Int

  /// - Parameters:
  ///   - modules: what the modules are, as metadata list them.
  ///   - name: the first part of the names of their tensors, `NAME.0.weight` and so on.
  ///   - inputs: the number of elements of a state.
  /// - Throws: `badInput` if a tensor is missing, of another shape, or not finite.
  package init(
    _ container: Container, _ modules: [OutputModule], name: String, inputs: Int,
    kernels: KernelTable
  ) throws(VDSQError) {
    var steps: [Step] = []
    var (columns, widest) = (inputs, inputs)
    for (i, module) in modules.enumerated() {
      switch module {
      case .dense(let activation):
        guard let shape = container.find("\(name).\(i).weight")?.record.shape, shape.count == 2,
          shape[0] >= 1, shape[0] <= OutputHead.mostLabels
        else { throw .badInput("\(container.path): tensor \(name).\(i).weight is missing") }
        let layer = try Linear(container, "\(name).\(i)", outputs: shape[0], inputs: columns)
        steps.append(.dense(layer.panels, activation))
        columns = shape[0]
        widest = max(widest, columns)
      case .layerNorm:
        steps.append(.layerNorm(try container.norm("\(name).\(i)", columns, 1e-5)))
      case .normalize: steps.append(.normalize)
      }
    }
    (self.container, self.steps) = (container, steps)
    (self.kernels, self.inputs) = (kernels, inputs)
    outputs = columns
    scratchCount = 2 * widest
  }

  /// The number of elements of the vector of a text, uncut.
  package static func vectorSize(_ container: Container) throws(VDSQError) -> Int {
    let c = try Architecture(container.metadata)
    for i in c.modules.indices.reversed() {
      guard case .dense = c.modules[i] else { continue }
      return container.find("modules.\(i).weight")?.record.shape.first ?? c.vectorSize
    }
    return c.vectorSize
  }

  /// The number of elements of the vector of a text.
  ///
  /// - Parameter dimensions: those that it is cut to; nil for all. The encoder refuses numbers out
  ///   of range; here they count as the nearest one within.
  package static func vectorSize(
    _ container: Container, cutTo dimensions: Int?
  ) throws(VDSQError) -> Int {
    let whole = try vectorSize(container)
    return dimensions.map { min(max($0, 1), whole) } ?? whole
  }

  /// Computes the result of a state.
  ///
  /// - Parameters:
  ///   - state: as many floats as the modules read.
  ///   - scratch: a buffer of `scratchCount` floats.
  ///   - result: receives `outputs` floats.
  package func apply(
    _ state: UnsafePointer<Float>, scratch: UnsafeMutablePointer<Float>,
    into result: UnsafeMutablePointer<Float>
  ) {
    var (x, y) = (scratch, scratch + scratchCount / 2)
    var count = inputs
    for i in 0..<count { x[i] = state[i] }
    for step in steps {
      switch step {
      case .dense(let weights, let activation):
        kernels.gemmFloat(
          x, weights.inputs, 1, weights, 0..<weights.panels,
          LinearOutput(y: y, stride: weights.outputs))
        count = weights.outputs
        for i in 0..<count { y[i] = activation.value(y[i]) }
        swap(&x, &y)
      case .layerNorm(let norm): kernels.addLayerNorm(x, nil, norm, 1, count, x, nil)
      case .normalize:
        var square: Float = 0
        kernels.dotRows(x, x, 1, count, &square)
        let scale = square > 0 ? 1 / square.squareRoot() : 0
        for i in 0..<count { x[i] *= scale }
      }
    }
    for i in 0..<count { result[i] = x[i] }
  }
}

extension DenseActivation {
  /// The function's value, as exact as single precision allows: few elements need it.
  fileprivate func value(_ x: Float) -> Float {
    let wide = Double(x)
    switch self {
    case .identity: return x
    case .tanh: return Float(vdsq_tanh(wide))
    case .relu: return max(0, x)
    case .gelu: return Float(wide / 2 * (1 + vdsq_erf(wide * 0.5.squareRoot())))
    case .geluTanh:
      let inner = (2 / Double.pi).squareRoot() * (wide + 0.044715 * wide * wide * wide)
      return Float(wide / 2 * (1 + vdsq_tanh(inner)))
    case .silu: return Float(wide / (1 + vdsq_exp(-wide)))
    case .sigmoid: return Float(1 / (1 + vdsq_exp(-wide)))
    }
  }
}
