import VDSQFormat
import VDSQKernels

/// Updates of the down projections of a causal decoder, beside their weights: for some neurons of a
/// layer, a vector that is added in proportion to the neuron's state. With them, a small file
/// changes what a model says without a copy of its weights.
package struct NeuronUpdates: Sendable, Equatable {
  /// The updates of a layer: `y += sum_i x[neurons[i]] vectors[i]`.
  package struct Layer: Sendable, Equatable {
    /// The layer, from 0.
    package let layer: Int
    /// Columns of the down projection.
    package let neurons: [Int32]
    /// `[neurons, hiddenSize]`.
    package let vectors: [Float]

    package init(layer: Int, neurons: [Int32], vectors: [Float]) {
      (self.layer, self.neurons, self.vectors) = (layer, neurons, vectors)
    }
  }

  /// The layers that have updates.
  package let layers: [Layer]

  package init(_ layers: [Layer]) { self.layers = layers }

  /// Its size in memory, in bytes.
  package var bytes: Int {
    layers.reduce(0) { $0 + 4 * ($1.neurons.count + $1.vectors.count) }
  }

  /// - Throws: `badInput` if a decoder does not have such layers, or adds something else than the
  ///   projections to its states.
  func check(_ c: Architecture, _ path: String) throws(VDSQError) {
    guard !c.hasOutputNorms else {
      throw .badInput(
        "\(path): a norm follows the down projections; updates of them are not supported")
    }
    for own in layers {
      var areColumns = true
      for neuron in own.neurons where neuron < 0 || Int(neuron) >= c.intermediateSize {
        areColumns = false
      }
      guard own.layer >= 0, own.layer < c.layers, areColumns,
        own.vectors.count == own.neurons.count * c.hiddenSize
      else { throw .badInput("\(path): updates of neurons are not for such layers") }
    }
  }

  /// Adds the updates of a layer to some columns of its outputs.
  ///
  /// - Parameters:
  ///   - x: the states of all neurons, `stride` floats from one row to the next.
  ///   - y: `hiddenSize` columns, `outputStride` floats from one row to the next.
  func add(
    to y: UnsafeMutablePointer<Float>, outputStride: Int, columns: Range<Int>, of layer: Int,
    _ x: UnsafePointer<Float>, stride: Int, rows: Range<Int>, hiddenSize: Int,
    _ kernels: KernelTable
  ) {
    for own in layers where own.layer == layer {
      own.vectors.withUnsafeBufferPointer { vectors in
        for row in rows {
          let to = y + row * outputStride + columns.lowerBound
          for i in 0..<own.neurons.count {
            kernels.addScaled(
              x[row * stride + Int(own.neurons[i])],
              vectors.baseAddress! + i * hiddenSize + columns.lowerBound, columns.count, to)
          }
        }
      }
    }
  }
}
